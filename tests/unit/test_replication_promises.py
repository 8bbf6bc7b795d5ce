import re

from app.project import ROOT

PROMISES = (ROOT / "docs" / "replication.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`((?:tests/(?:unit|store|web)/)?test_\w+\.py)(?:::(test_\w+))?`", PROMISES)
ROWS = [line for line in PROMISES.splitlines() if line.startswith("| ") and not line.rstrip(" |").endswith("| test")]


def test_every_promise_of_replication_names_a_test_that_exists() -> None:
    assert len(NAMED) > 25
    for file, name in NAMED:
        path = ROOT / (file if "/" in file else f"tests/replication/{file}")
        assert path.is_file(), file
        assert f"def {name or 'test_'}" in path.read_text(encoding="utf-8"), f"{file}::{name}"


def test_no_promise_is_without_a_test_or_a_measurement() -> None:
    assert len(ROWS) > 80
    for row in ROWS:
        proof = row.rstrip(" |").rpartition("|")[2]
        assert "`test_" in proof or "`tests/" in proof or "`./ironbook bench " in proof, row


def test_a_test_named_without_its_file_exists_as_well() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "replication").glob("test_*.py"))
    for name in re.findall(r"`(test_\w+)`", PROMISES):
        assert f"def {name}(" in tests, name
