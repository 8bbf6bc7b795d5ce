"""How one machine stands and what it will need in the coming twelve months (pure): a document of ``forecast``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

from app.parts.bulletins import applies, open_bulletins
from app.parts.due import Due, due
from app.parts.history import day
from app.parts.needs import sold_as
from app.parts.plans import plan_of
from app.parts.usage import usage

MONTHS = 12
_COPIED = ("make", "model", "serial", "customer", "status", "year", "position", "position_at")


def standing_id(machine_id: str) -> str:
    """The id of the standing of a machine: ``D001:standing:<machine key>``."""
    dealer, _, key = machine_id.split(":", 2)
    return f"{dealer}:standing:{key}"


def standing(
    machine: Mapping[str, Any],
    history: Iterable[Mapping[str, Any]],
    model: Mapping[str, Any] | None,
    customer_name: str,
    today: date,
    parts: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    bulletins: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The standing of `machine` on `today`.

    `history` are its readings and services, or as much of them as the view ``forecast-sources/history`` gives; `model`,
    `parts` by id and `bulletins` are the catalog's. `hours` are total engine hours, None when nobody knows. `demand`
    has a row for each part, as it is sold now, and month ``YYYY-MM``, what is overdue being needed this month;
    `bulletins` one for each that concerns the machine.
    """
    rows = list(history)
    readings = [row for row in rows if row.get("type") == "reading"]
    services = [row for row in rows if row.get("type") == "service"]
    now = usage(readings, today, model, delivered_on=day(machine.get("delivered_on")))
    needs = due(plan_of(model), now, services, today, (_end(today) - today).days, machine)
    document = {name: machine[name] for name in _COPIED if machine.get(name) not in (None, "")}
    return {
        **document,
        "_id": standing_id(machine["_id"]),
        "type": "standing",
        "dealer": machine["_id"].split(":", 1)[0],
        "machine": machine["_id"],
        "customer_name": customer_name,
        "hours": None if now.hours_now is None else round(now.hours_now, 1),
        "hours_per_day": round(now.hours_per_day, 2),
        "as_of": now.as_of.isoformat() if now.as_of else "",
        "source": now.source,
        "planned": model is not None,
        "overdue": sum(need.overdue for need in needs),
        "demand": demand(needs, today, parts),
        "bulletins": _bulletins(machine, bulletins, services),
        "month": today.strftime("%Y-%m"),
        "on": today.isoformat(),
    }


def hours_on(standing: Mapping[str, Any], today: date) -> float | None:
    """A machine's engine hours on `today` by its standing of an earlier day; None when nobody knows.

    What was sold on or scrapped stays as it was.
    """
    hours, since = standing.get("hours"), day(standing.get("on"))
    if not isinstance(hours, int | float) or since is None or standing.get("status") in ("sold on", "scrapped"):
        return hours
    return float(hours + max(0, (today - since).days) * standing.get("hours_per_day", 0.0))


def demand(
    needs: Iterable[Due], today: date, parts: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
) -> list[dict[str, Any]]:
    """How many of each part in each month, by month and part; lines without a part need none.

    A part that was replaced counts as the one sold instead. `value` is at list prices, absent when nobody knows one.
    """
    this_month = today.strftime("%Y-%m")
    quantities: dict[tuple[str, str], float] = {}
    prices: dict[str, float | None] = {}
    for need in needs:
        if not need.part:
            continue
        sold = sold_as(need.part, parts)
        prices[sold.id] = sold.price
        for visit in need.visits:
            key = (max(visit.on.strftime("%Y-%m"), this_month), sold.id)
            quantities[key] = quantities.get(key, 0.0) + visit.quantity
    return [
        {"part": part, "month": month, "quantity": round(quantity, 3), **_value(quantity, prices[part])}
        for (month, part), quantity in sorted(quantities.items())
    ]


def _value(quantity: float, price: float | None) -> dict[str, float]:
    return {} if price is None else {"value": round(quantity * price, 2)}


def _bulletins(
    machine: Mapping[str, Any], bulletins: Iterable[Mapping[str, Any]], services: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    concerned = [bulletin for bulletin in bulletins if applies(bulletin, machine)]
    still_open = {bulletin["_id"] for bulletin in open_bulletins(machine, concerned, services)}
    ids = sorted(str(bulletin["_id"]) for bulletin in concerned)
    return [{"bulletin": bulletin_id, "done": bulletin_id not in still_open} for bulletin_id in ids]


def _end(today: date) -> date:
    """The last day of the last of the twelve months, this one being the first."""
    year, month = divmod(today.year * 12 + today.month - 1 + MONTHS, 12)
    return date(year, month + 1, 1) - timedelta(days=1)
