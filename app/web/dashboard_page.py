"""What head office's dashboard says: figures in, finished lines out (pure but for the addresses)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.market.figures import Amount, Demand, Installed, Sum
from app.market.places import Place
from app.web.formatting import format_count, format_month, format_number

STAGES = ("lead", "qualified", "quoted", "negotiation", "won", "lost")
STATUSES = ("in stock", "in service", "sold on", "scrapped")

Address = Callable[..., str]


@dataclass(frozen=True)
class Bar:
    """A line of a table that a chart may draw: a figure with its share of the largest (0 to 100)."""

    label: str
    value: float
    url: str
    share: int
    note: str = ""


@dataclass(frozen=True)
class MakeLines:
    """A make with its models."""

    make: str
    count: int
    url: str
    models: list[Bar]


@dataclass(frozen=True)
class StageLine:
    """A stage of the pipeline."""

    stage: str
    count: int
    value: float
    share: int
    url: str
    is_open: bool


@dataclass(frozen=True)
class PipelineLine:
    """A dealer's pipeline: a cell a stage (None where there is nothing), and what is open."""

    dealer: str
    name: str
    cells: list[StageLine | None]
    open: StageLine


@dataclass(frozen=True)
class BulletinLine:
    """A bulletin with how far the machines it concerns have come; `percent` of them are done."""

    id: str
    code: str
    title: str
    severity: str
    issued_on: str
    open: int
    done: int
    percent: int
    machines_url: str
    open_url: str
    done_url: str

    @property
    def concerned(self) -> int:
        """All machines that it concerns."""
        return self.open + self.done


def bars(values: Iterable[tuple[str, float, str]], most: float = 0) -> list[Bar]:
    """Lines ``(label, value, url)`` with their shares of the largest."""
    lines = list(values)
    largest = most or max((value for _, value, _ in lines), default=0)
    return [Bar(label, value, url, _share(value, largest)) for label, value, url in lines]


def make_lines(found: Installed, url: Address) -> list[MakeLines]:
    """The installed base by make and model, the largest first; `url` takes make and model."""
    makes: dict[str, list[tuple[str, int]]] = {}
    for (make, model), count in found.by_model.items():
        makes.setdefault(make, []).append((model, count))
    largest = max(found.by_model.values(), default=0)
    lines = [
        MakeLines(
            make or "not told",
            sum(count for _, count in models),
            url(make=make),
            bars(
                ((model or "not told", count, url(make=make, model=model)) for model, count in _largest_first(models)),
                largest,
            ),
        )
        for make, models in makes.items()
    ]
    return sorted(lines, key=lambda line: (-line.count, line.make))


def model_bars(found: Installed, url: Address) -> list[Bar]:
    """The models of all makes, the most frequent first."""
    named = [
        (" ".join(each for each in (make, model or "(model not told)") if each), count, url(make=make, model=model))
        for (make, model), count in found.by_model.items()
    ]
    return bars(sorted(named, key=lambda line: (-line[1], line[0])))


def _largest_first(counts: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(counts, key=lambda each: (-each[1], each[0]))


def _share(value: float, largest: float) -> int:
    return max(1, round(100 * value / largest)) if value > 0 and largest > 0 else 0


def status_lines(by_status: Mapping[str, int], url: Address) -> list[Bar]:
    """Machines by status, in the order of a machine's life; `url` takes a status."""
    order = [*STATUSES, *sorted(by_status.keys() - set(STATUSES))]
    return bars(
        (status.capitalize() or "Status not told", by_status[status], url(status))
        for status in order
        if by_status.get(status)
    )


def stage_lines(found: Mapping[tuple[str, str], Sum], url: Address) -> list[StageLine]:
    """The pipeline by stage, in the order of a sale; `url` takes a stage."""
    sums: dict[str, Sum] = {}
    for (_, stage), each in found.items():
        sums[stage] = sums.get(stage, Sum()) + each
    order = [*STAGES, *sorted(sums.keys() - set(STAGES))]
    largest = max((each.value for each in sums.values()), default=0.0)
    return [_stage_line(stage, sums[stage], largest, url) for stage in order if stage in sums]


def open_line(found: Mapping[tuple[str, str], Sum], url: Address) -> StageLine:
    """What is neither won nor lost, altogether."""
    together = sum((each for (_, stage), each in found.items() if stage not in ("won", "lost")), Sum())
    return StageLine("open", together.count, together.value, 0, url(stage="open"), True)


def pipeline_lines(
    found: Mapping[tuple[str, str], Sum], stages: Sequence[str], name: Callable[[str], str], url: Address
) -> list[PipelineLine]:
    """The pipeline by dealer and stage, the largest open one first; `url` takes dealer and stage."""
    lines = []
    for dealer in {dealer for dealer, _ in found}:
        own = {stage: each for (of, stage), each in found.items() if of == dealer}
        cells = [
            _stage_line(stage, own[stage], 0, lambda stage, dealer=dealer: url(dealer=dealer, stage=stage))
            if stage in own
            else None
            for stage in stages
        ]
        still_open = open_line(
            {(dealer, stage): each for stage, each in own.items()},
            lambda stage, dealer=dealer: url(dealer=dealer, stage=stage),
        )
        lines.append(PipelineLine(dealer, name(dealer), cells, still_open))
    return sorted(lines, key=lambda line: (-line.open.value, line.dealer))


def _stage_line(stage: str, each: Sum, largest: float, url: Address) -> StageLine:
    return StageLine(
        stage, each.count, each.value, _share(each.value, largest), url(stage=stage), stage not in ("won", "lost")
    )


def bulletin_lines(
    bulletins: Iterable[Mapping[str, Any]], found: Mapping[str, tuple[int, int]], url: Address
) -> list[BulletinLine]:
    """Bulletins, those with most machines still open first; `url` takes a bulletin and a state."""
    lines = [bulletin_line(bulletin, found.get(str(bulletin["_id"]), (0, 0)), url) for bulletin in bulletins]
    return sorted(lines, key=lambda line: (-line.open, -line.done, line.code))


def bulletin_line(bulletin: Mapping[str, Any], figures: tuple[int, int], url: Address) -> BulletinLine:
    """One bulletin with its figures ``(open, done)``."""
    still_open, done = figures
    bulletin_id = str(bulletin["_id"])
    return BulletinLine(
        id=bulletin_id,
        code=str(bulletin.get("code") or bulletin_id.removeprefix("bulletin:")),
        title=str(bulletin.get("title") or ""),
        severity=str(bulletin.get("severity") or "advice"),
        issued_on=str(bulletin.get("issued_on") or ""),
        open=still_open,
        done=done,
        # Not 100 before the last machine is done.
        percent=int(100 * done / (still_open + done)) if still_open + done else 0,
        machines_url=url(bulletin=bulletin_id),
        open_url=url(bulletin=bulletin_id, state="open"),
        done_url=url(bulletin=bulletin_id, state="done"),
    )


@dataclass(frozen=True)
class MonthLine:
    """A month of parts demand; `quantity` is 0 where several parts are meant. `rows_url` leads to the machines."""

    month: str
    needs: int
    quantity: float
    value: float
    url: str
    rows_url: str = ""


def month_lines(by_month: Mapping[str, Amount], url: Address, rows_url: Address = lambda month: "") -> list[MonthLine]:
    """The months in their order; both addresses take a month."""
    return [
        MonthLine(month, each.needs, each.quantity, each.value, url(month), rows_url(month))
        for month, each in sorted(by_month.items())
    ]


def month_chart(lines: Sequence[MonthLine], currency: str) -> dict[str, Any]:
    """What ``ui.chart`` draws: value at list prices; where the catalog has no prices the quantity of the one part, or
    how many times a machine needs one.
    """
    priced, counted = any(line.value for line in lines), any(line.quantity for line in lines)
    values = [line.value if priced else line.quantity if counted else line.needs for line in lines]
    return {
        "type": "bar",
        "unit": currency if priced else "",
        "labels": [format_month(line.month) for line in lines],
        "series": [
            {
                "label": "Value at list prices" if priced else "Quantity" if counted else "Needs",
                "values": [round(value, 2) for value in values],
                "urls": [line.url for line in lines],
            }
        ],
    }


def most_needed(found: Mapping[str, Amount], count: int) -> list[tuple[str, Amount]]:
    """The parts worth most; behind them those without a price, by how many machines need them."""
    return sorted(found.items(), key=lambda each: (-each[1].value, -each[1].needs, each[0]))[:count]


def total_demand(demand: Demand) -> Amount:
    """All twelve months together."""
    return sum(demand.by_month.values(), Amount())


def points(places: Iterable[Place], url: Address) -> list[dict[str, Any]]:
    """Places as the map draws them; `url` takes a square."""
    return [
        {
            "latitude": place.latitude,
            "longitude": place.longitude,
            "count": place.count,
            "label": format_number(place.count),
            "title": format_count(place.count, "machine"),
            "square": place.square,
            "url": url(place.square),
        }
        for place in places
    ]
