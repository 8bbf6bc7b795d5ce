"""Which index answers a selector, and between which of its rows. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from embedded import collation, partitions
from embedded.collation.json_order import ARRAY
from embedded.mango.selector import Path, split_field

_RANGES: Final = ("$eq", "$gt", "$gte", "$lt", "$lte")
_IN_EVERY_DOCUMENT: Final = {("_id",), ("_rev",)}


@dataclass(frozen=True, slots=True)
class MangoIndex:
    """One index: a view of a design document of language `query`, or with `design` None the documents by id."""

    design: str | None
    name: str
    fields: tuple[str, ...]
    definition: Mapping[str, Any] = field(default_factory=dict)
    partitioned: bool = False

    @property
    def is_partial(self) -> bool:
        return bool(self.definition.get("partial_filter_selector"))

    def paths(self) -> list[Path]:
        return [split_field(name) for name in self.fields]


ALL_DOCUMENTS: Final = MangoIndex(None, "_all_docs", ("_id",))


@dataclass(frozen=True, slots=True)
class Plan:
    """`low` and `high` bound the places of an index's rows, or the ids when the index is ALL_DOCUMENTS."""

    index: MangoIndex
    low: bytes
    high: bytes | None
    descending: bool
    columns: int = 0


def choose(
    indexes: Sequence[MangoIndex], selector: Mapping[str, Any], sort: Sequence[str], descending: bool
) -> Plan | None:
    """The plan that reads least: the one with most leading fields bounded. None when no index has this order."""
    plans = [plan_with(index, selector, sort, descending) for index in [*indexes, ALL_DOCUMENTS]]
    usable = [plan for plan in plans if plan is not None]
    if not usable:
        return None
    return min(
        usable,
        key=lambda plan: (
            -plan.columns,
            plan.index.design is None,
            len(plan.index.fields),
            plan.index.design or "",
            plan.index.name,
        ),
    )


def plan_with(index: MangoIndex, selector: Mapping[str, Any], sort: Sequence[str], descending: bool) -> Plan | None:
    """How one index answers; None when it cannot: a document it must find might be without its fields, or its order
    is another one."""
    found = _conditions(selector)
    if not _has_order(index, [split_field(name) for name in sort], found):
        return None
    if index.design is None:
        low, high = _id_range(found.get(("_id",), []))
        return Plan(index, low, high, descending, int(bool(low) or high is not None))
    needed = set(index.paths()) - _IN_EVERY_DOCUMENT - {split_field(name) for name in sort}
    if not index.fields or not needed <= _required(selector, ()):
        return None
    low, high, columns = _key_range(index.paths(), found)
    return Plan(index, low, high, descending, columns)


def _has_order(index: MangoIndex, sort: list[Path], conditions: Mapping[Path, list[tuple[str, Any]]]) -> bool:
    """Whether rows come sorted: the index begins with these fields, once fields with one value only are left out."""
    paths = index.paths()
    while True:
        if paths[: len(sort)] == sort:
            return True
        if not paths or not any(operator == "$eq" for operator, _ in conditions.get(paths[0], [])):
            return False
        paths = paths[1:]


def within_partition(plan: Plan, partition: str) -> Plan:
    """The plan, for the documents of one partition only."""
    prefix = partitions.prefix(partition)
    end = partitions.after(prefix)
    if plan.index.design is None:
        return replace(plan, low=max(plan.low, prefix), high=end if plan.high is None else min(plan.high, end))
    return replace(plan, low=prefix + plan.low, high=end if plan.high is None else prefix + plan.high)


# --- what a selector says for certain


def _conditions(selector: Mapping[str, Any]) -> dict[Path, list[tuple[str, Any]]]:
    """The range conditions that every matching document fulfils, by field."""
    found: dict[Path, list[tuple[str, Any]]] = {}
    for path, operator, argument in _certain(selector, ()):
        if operator in _RANGES:
            found.setdefault(path, []).append((operator, argument))
    return found


def _certain(condition: Any, path: Path) -> Iterator[tuple[Path, str, Any]]:
    """Every condition that must hold, as (field, operator, argument)."""
    if not isinstance(condition, dict) or (not condition and path):
        yield path, "$eq", condition
        return
    for name, argument in condition.items():
        if name == "$and" and isinstance(argument, list):
            for part in argument:
                yield from _certain(part, path)
        elif name.startswith("$"):
            yield path, name, argument
        else:
            yield from _certain(argument, (*path, *split_field(name)))


def _required(condition: Any, path: Path) -> set[Path]:
    """Fields that every matching document has."""
    required: set[Path] = set()
    for inner, operator, argument in _certain(condition, path):
        if operator == "$or" and isinstance(argument, list) and argument:
            required |= set.intersection(*[_required(part, inner) for part in argument])
        elif operator in ("$or", "$nor", "$not"):
            continue  # a negation holds for no document without the field, but to use that would save little
        elif operator != "$exists" or argument is True:
            required.add(inner)
    return required


# --- ranges


def _key_range(paths: Sequence[Path], conditions: Mapping[Path, list[tuple[str, Any]]]) -> tuple[bytes, bytes, int]:
    """From and up to where the rows are, and how many fields bound them."""
    prefix = ARRAY
    columns = 0
    for path in paths:
        of_field = conditions.get(path, [])
        if path == ("_id",):
            # Conditions on ids go by their bytes, the rows of an index by collation.
            of_field = [
                (operator, argument) for operator, argument in of_field if operator == "$eq" or argument is None
            ]
        equal = [argument for operator, argument in of_field if operator == "$eq"]
        if not equal:
            low, high = _bounds(of_field)
            if low or high is not None:
                columns += 1
            return prefix + low, prefix + (b"\xff" if high is None else high), columns
        prefix += collation.encode(equal[0])
        columns += 1
    return prefix, prefix + b"\xff", columns


def _bounds(conditions: Sequence[tuple[str, Any]]) -> tuple[bytes, bytes | None]:
    lows = [
        collation.encode(argument) + (b"\xff" if operator == "$gt" else b"")
        for operator, argument in conditions
        if operator in ("$gt", "$gte")
    ]
    highs = [
        collation.encode(argument) + (b"\xff" if operator == "$lte" else b"")
        for operator, argument in conditions
        if operator in ("$lt", "$lte")
    ]
    return max(lows, default=b""), min(highs, default=None)


def _id_range(conditions: Sequence[tuple[str, Any]]) -> tuple[bytes, bytes | None]:
    lows, highs = [b""], []
    for operator, argument in conditions:
        if not isinstance(argument, str):
            continue
        id = argument.encode("utf-8", "surrogatepass")
        if operator in ("$eq", "$gte"):
            lows.append(id)
        if operator == "$gt":
            lows.append(id + b"\x00")
        if operator in ("$eq", "$lte"):
            highs.append(id + b"\x00")
        if operator == "$lt":
            highs.append(id)
    return max(lows), min(highs, default=None)
