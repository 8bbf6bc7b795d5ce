import re

from app.project import ROOT

PROMISES = (ROOT / "docs" / "replication.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`((?:tests/(?:unit|store|web)/)?test_\w+\.py)(?:::(test_\w+))?`", PROMISES)


def test_every_promise_of_replication_names_a_test_that_exists() -> None:
    assert len(NAMED) > 25
    for file, name in NAMED:
        path = ROOT / (file if "/" in file else f"tests/replication/{file}")
        assert path.is_file(), file
        assert f"def {name or 'test_'}" in path.read_text(encoding="utf-8"), f"{file}::{name}"
