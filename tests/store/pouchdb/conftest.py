"""PouchDB, installed from its locked packages into `node_modules` beside this file the first time."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from filelock import FileLock

HERE = Path(__file__).parent
_NO_NETWORK = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH")


def _node() -> tuple[str, str]:
    """node and npm; on a Debian where we may, installed."""
    if shutil.which("npm") is None and shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "nodejs", "npm"]):
            subprocess.run(command, env=environment, capture_output=True, timeout=600, check=False)
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node.js with npm is not installed here, so PouchDB cannot be tried.")
    return node, npm


@pytest.fixture(scope="session")
def node() -> str:
    """node, with PouchDB installed as the lock file says."""
    # Tests run in several processes, and npm empties the folder that it installs into.
    with FileLock(HERE / "installing.lock"):
        node, npm = _node()
        lock, installed = HERE / "package-lock.json", HERE / "node_modules" / "installed.lock"
        if not installed.exists() or installed.read_bytes() != lock.read_bytes():
            _install(npm)
            shutil.copy(lock, installed)
    return node


def _install(npm: str) -> None:
    """Skips without a network only: whatever else npm says is something to mend, not to pass over."""
    # PouchDB's native databases are not used: nothing has to be compiled.
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=300, check=False)
    if any(code in done.stderr for code in _NO_NETWORK):
        pytest.skip("npm's registry cannot be reached, so PouchDB cannot be installed and tried.")
    assert done.returncode == 0, f"npm could not install PouchDB: {done.stderr}"
