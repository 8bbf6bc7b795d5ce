"""Where the project's own files are: ``config.toml``, forms, views, design documents, templates, static files.

In a checkout they stand beside ``app/``; in an installed copy they travel in ``app/project_files/``.
"""

from pathlib import Path


def _find_root() -> Path:
    package = Path(__file__).resolve().parent
    installed = package / "project_files"
    return installed if (installed / "config.toml").is_file() else package.parent


ROOT = _find_root()
