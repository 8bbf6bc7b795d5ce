"""Files on two branches: what one attached, replaced or removed is as that one wants it; nobody's file goes."""

from __future__ import annotations

from typing import Any

import pytest

from app.documents.attachment_merging import merge_files

# Both branches parted at generation 2; the winner is the first.
FORKS = [[5, 2], [2, 4]]


def stub(digest: str, revpos: int) -> dict[str, Any]:
    return {"digest": digest, "revpos": revpos, "stub": True}


OLD = stub("old", 1)


@pytest.mark.parametrize(
    ("winners", "losers", "kept", "taken"),
    [
        pytest.param(OLD, OLD, "old", False, id="untouched"),
        pytest.param(stub("new", 3), None, "new", False, id="attached by the winner"),
        pytest.param(None, stub("new", 3), None, True, id="attached by the loser"),
        pytest.param(None, OLD, None, False, id="removed by the winner"),
        pytest.param(OLD, None, None, False, id="removed by the loser"),
        pytest.param(stub("new", 3), OLD, "new", False, id="replaced by the winner"),
        pytest.param(OLD, stub("new", 3), None, True, id="replaced by the loser"),
        pytest.param(stub("one", 3), stub("two", 4), "one", True, id="both attached another"),
        pytest.param(stub("new", 3), stub("new", 4), "new", False, id="both attached the same"),
        pytest.param(stub("new", 3), None, "new", False, id="replaced by the winner and removed by the loser"),
    ],
)
def test_a_file_is_as_whoever_touched_it_wants_it(winners: Any, losers: Any, kept: Any, taken: bool) -> None:
    leaves = [
        {"_rev": "5-b", "_attachments": {"photo": winners} if winners else {}},
        {"_rev": "4-a", "_attachments": {"photo": losers} if losers else {}},
    ]

    files, missing = merge_files(leaves, FORKS)

    assert {name: each["digest"] for name, each in files.items()} == ({"photo": kept} if kept else {})
    assert missing == ([("4-a", "photo")] if taken else [])
