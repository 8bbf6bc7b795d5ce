"""What an import did, machine by machine: as a table to read and as JSON to keep."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from app.words import counted

OUTCOMES = ("made", "updated", "unchanged", "left out")
_WIDEST = 46


@dataclass(frozen=True, slots=True)
class MachineResult:
    """What became of one equipment of the file. `outcome` is one of OUTCOMES; `notes` say why, and what to look at.

    `number` counts in the file from 1; `machine` is the id of the machine, empty when it was left out. It
    `lacks_customer` when it is at work for somebody whom the book does not name.
    """

    number: int
    label: str
    outcome: str
    machine: str = ""
    reading: bool = False
    notes: tuple[str, ...] = ()
    lacks_customer: bool = False


@dataclass
class Report:
    """The results in the order of the file. `stopped` when a person stopped the import before its end.

    `more_pages` when the file says that it is one page of several: its service has more machines.
    """

    results: list[MachineResult] = field(default_factory=list)
    stopped: bool = False
    more_pages: bool = False

    def without_customer(self) -> int:
        """How many machines of the file have no customer."""
        return len({result.machine for result in self.results if result.lacks_customer})

    def most_telling(self, limit: int) -> list[MachineResult]:
        """At most `limit` results, first what a person has to look at: left out, then made, updated, unchanged."""
        order = ("left out", "made", "updated", "unchanged")
        return sorted(self.results, key=lambda result: order.index(result.outcome))[:limit]

    def counts(self) -> dict[str, int]:
        """How many machines had each outcome, and how many readings were written."""
        of_outcome = Counter(result.outcome for result in self.results)
        return {
            **{outcome: of_outcome[outcome] for outcome in OUTCOMES},
            "readings": sum(result.reading for result in self.results),
        }

    def sentence(self) -> str:
        """The whole in a sentence."""
        counts = self.counts()
        parts = ", ".join(f"{counts[outcome]:,} {outcome}" for outcome in OUTCOMES)
        ending = " Stopped before the end; run it again for the rest." if self.stopped else ""
        if self.more_pages:
            ending += " The file is one page of several: fetch and import the others too."
        readings = counted(counts["readings"], "reading")
        return f"{counted(len(self.results), 'machine')}: {parts}; {readings} written.{ending}"

    def as_text(self) -> str:
        """A table, one line a machine with its notes beneath, and the sentence."""
        width = min(_WIDEST, max([len(result.label) for result in self.results], default=0))
        lines = []
        for result in self.results:
            lines.append(f"{result.number:>5}  {result.label[:width]:<{width}}  {result.outcome}".rstrip())
            lines += [f"{'':>5}  - {note}" for note in result.notes]
        return "\n".join([*lines, self.sentence()])

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        machines = [{**asdict(result), "notes": list(result.notes)} for result in self.results]
        return {"counts": self.counts(), "stopped": self.stopped, "more_pages": self.more_pages, "machines": machines}
