"""What a running ``serve`` and its store take from the computer: memory and processor time."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path


def resident_megabytes(pid: int) -> float:
    """The resident memory (RSS) of a process and its children, in MB; what two of them share counts twice."""
    return sum(kilobytes for _, kilobytes in _family(pid)) / 1000


def proportional_megabytes(pid: int) -> float | None:
    """The same with what is shared counted once (PSS); None where the system does not say."""
    found = [_proportional_kilobytes(process) for process, _ in _family(pid)]
    known = [each for each in found if each is not None]
    return sum(known) / 1000 if len(known) == len(found) else None


def processor_seconds(pid: int) -> float | None:
    """The processor time of a process and its children since they began, in seconds; None where only Linux says."""
    try:
        return sum(_ticks(process) for process, _ in _family(pid)) / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError):
        return None


def _family(pid: int) -> list[tuple[int, int]]:
    """(process, resident kB) of a process and all its children."""
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=True).stdout
    processes = [tuple(map(int, line.split())) for line in listing.splitlines() if len(line.split()) == 3]
    wanted = {pid}
    for _ in range(5):
        wanted |= {child for child, parent, _ in processes if parent in wanted}
    return [(process, kilobytes) for process, _, kilobytes in processes if process in wanted]


def _proportional_kilobytes(pid: int) -> int | None:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return None
    found = re.search(r"^Pss:\s+(\d+) kB$", rollup, re.MULTILINE)
    return int(found[1]) if found else None


def _ticks(pid: int) -> int:
    """User and system time; the program's name before them may hold anything, a bracket too."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
