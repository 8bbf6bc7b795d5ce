"""What `docs/embedded-store.md` says is supported has the tests it names."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "embedded-store.md").read_text(encoding="utf-8")
SCENARIOS = re.findall(
    r'"name": "([a-z ]+)",\s*"about"', (TESTS / "store/recorded/couchdb-3.5.0.json").read_text("utf-8")
)
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")]
SUPPORT = [row for row in ROWS if len(row) == 3 and ("test_" in row[2] or "*" in row[2])]


def _known() -> set[str]:
    files = list(TESTS.rglob("test_*.py"))
    functions = {
        name for file in files for name in re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)
    }
    return functions | {file.stem for file in files}


def test_every_test_the_page_names_exists() -> None:
    named = set(re.findall(r"`(?:\S+/)?(test_\w+)(?:\.py)?`", PAGE))

    assert len(named) > 60
    assert named <= _known()


def test_every_row_of_support_has_a_test_behind_it() -> None:
    table = PAGE[PAGE.index("| | supported | tests |") : PAGE.index("Not supported:")]
    rows = [line for line in table.splitlines()[2:] if line.startswith("|")]

    assert len(rows) == len(SUPPORT) > 30
    assert set(re.findall(r"\*([a-z ]+)\*", table)) == set(SCENARIOS)
    assert len(SCENARIOS) == 13


def test_every_deviation_is_in_the_table_of_the_page() -> None:
    source = (TESTS / "store/recorded/deviations.py").read_text("utf-8")
    deviations = re.findall(r'^    \("([a-z ]+)", (\d+)\): Deviation', source, re.MULTILINE)

    assert deviations
    for scenario, step in deviations:
        assert f"*{scenario}*, step {step}" in PAGE
