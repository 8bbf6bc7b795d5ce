"""Which files a document has after its leaves met: pure, by the generation in which each file came (``revpos``).

A file is like a field: one that only one branch attached, replaced or removed is as that branch has it. Where several
branches have different files under one name, all are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Leaf = Mapping[str, Any]


def merge_files(live: Sequence[Leaf], forks: Sequence[Sequence[int]]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The winner's files that stay, by name, and (revision, name) of the files that only a losing leaf has.

    `live` are the leaves, the winner first; ``forks[a][b]`` is the generation at which the leaves a and b parted.
    """
    files: list[Mapping[str, Any]] = [leaf.get("_attachments") or {} for leaf in live]
    kept: dict[str, Any] = {}
    taken: list[tuple[str, str]] = []
    for name in dict.fromkeys(name for each in files for name in sorted(each)):
        digests: set[Any] = set()
        for number in _standing(name, files, forks):
            stub = files[number].get(name)
            if stub is None or stub.get("digest") in digests:
                continue
            digests.add(stub.get("digest"))
            if number == 0:
                kept[name] = stub
            else:
                taken.append((live[number]["_rev"], name))
    return kept, sorted(taken, key=lambda each: [leaf["_rev"] for leaf in live].index(each[0]))


def _standing(name: str, files: Sequence[Mapping[str, Any]], forks: Sequence[Sequence[int]]) -> list[int]:
    """The leaves whose file of this name (or its absence) no other leaf has seen and replaced."""
    every = range(len(files))

    def changed(leaf: int, other: int) -> bool:
        fork, here, there = forks[leaf][other], files[leaf].get(name), files[other].get(name)
        if here is not None:
            return int(here.get("revpos", fork + 1)) > fork
        # It is not here. Was it there when they parted, it was removed here.
        return there is not None and int(there.get("revpos", fork + 1)) <= fork

    return [
        leaf
        for leaf in every
        if not any(
            _digest(files[leaf], name) != _digest(files[other], name)
            and changed(other, leaf)
            and not changed(leaf, other)
            for other in every
        )
    ]


def _digest(files: Mapping[str, Any], name: str) -> Any:
    return (files.get(name) or {}).get("digest")
