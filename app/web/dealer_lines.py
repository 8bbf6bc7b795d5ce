"""Dealers as head office looks at them: when each was last heard of, and what is counted of it (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.replication.dealers import Dealer
from app.web.ages import ago, ahead, moment_of
from app.web.formatting import format_count

# Days without a sync after which a dealer is worth a look, and a telephone call.
QUIET_DAYS = 1
SILENT_DAYS = 7
# Clocks are never quite the same; a sync further ahead than this means that this computer's was set back.
_CLOCKS_DIFFER = timedelta(minutes=5)

Address = Callable[..., str]


@dataclass(frozen=True)
class DealerState:
    """A dealer's badge (`tone`, `words`), days since its last sync (-1: never, or not to be told), and whether it has
    been silent for so long that somebody should call it.
    """

    tone: str
    words: str
    days: int
    silent: bool = False


@dataclass(frozen=True)
class DealerFigures:
    """What is counted by dealer: machines, customers, and activities by (dealer, month) in two months."""

    machines: Mapping[str, int]
    customers: Mapping[str, int]
    activities: Mapping[tuple[str, str], int]
    months: Sequence[str]


@dataclass(frozen=True)
class DealerLine:
    """A dealer with its figures. `tone` and `state` are its badge; `heard` the words for the last sync."""

    code: str
    name: str
    url: str
    tone: str
    state: str
    silent: bool
    heard: str
    last_sync: str
    silent_days: int
    nodes: int
    refused: int
    machines: int
    machines_url: str
    customers: int
    customers_url: str
    activities: int
    activities_url: str
    activities_before: int
    activities_before_url: str


def dealer_state(dealer: Dealer, now: datetime) -> DealerState:
    """How a dealer is doing. One that never synced is silent a week after it was admitted."""
    moment = moment_of(dealer.last_sync)
    days = (now - moment).days if moment else -1
    if dealer.left_at:
        return DealerState("", "Removed", days)
    if moment is None:
        admitted = moment_of(dealer.added_at)
        waiting = admitted is not None and (now - admitted).days >= SILENT_DAYS
        return DealerState("bad" if waiting else "warning", "Never synced", -1, waiting)
    if moment > now + _CLOCKS_DIFFER:
        return DealerState("warning", "Last sync unclear", -1)
    if days >= SILENT_DAYS:
        return DealerState("bad", f"Silent for {format_count(days, 'day')}", days, silent=True)
    refused = refused_of(dealer)
    if refused:
        return DealerState("bad", f"{format_count(refused, 'document')} refused", max(0, days))
    if days >= QUIET_DAYS:
        return DealerState("warning", f"Silent for {format_count(days, 'day')}", days)
    return DealerState("good", "In sync", max(0, days))


@dataclass(frozen=True)
class Together:
    """How all dealers are doing: the `tone` of the worst (empty without dealers), a few words, and a sentence."""

    tone: str
    words: str
    sentence: str


def together_of(dealers: Iterable[Dealer], now: datetime) -> Together:
    """How the dealers who are admitted are doing, in a few words."""
    states = [dealer_state(dealer, now) for dealer in dealers if not dealer.left_at]
    if not states:
        return Together("", "No dealers yet", "No dealer is admitted yet. Add one on the page Dealers.")
    good = sum(state.tone == "good" for state in states)
    tone = next((tone for tone in ("bad", "warning") if any(state.tone == tone for state in states)), "good")
    if good == len(states):
        return Together(tone, f"{format_count(good, 'dealer')} in sync", "Every dealer has synced within a day.")
    return Together(
        tone,
        f"{good} of {len(states)} in sync",
        "Some dealers have not synced for a day or longer, or could not send everything. The page Dealers says which.",
    )


def refused_of(dealer: Dealer) -> int:
    """How many documents the dealer's computers said they could not exchange."""
    return sum(report.refused for report in dealer.nodes)


def heard(dealer: Dealer, now: datetime) -> str:
    """How long ago a dealer was heard of, to the minute on the same day."""
    moment = moment_of(dealer.last_sync)
    if moment is None:
        return "never"
    if moment > now + _CLOCKS_DIFFER:
        day = ahead(moment.astimezone(now.tzinfo).date(), now.date())
        return f"{day} by this computer's clock, which was set back"
    minutes = int((now - moment).total_seconds() // 60)
    if minutes < 2:
        return "just now"
    if minutes < 60:
        return f"{minutes} minutes ago"
    if minutes < 24 * 60:
        return f"{format_count(minutes // 60, 'hour')} ago"
    return ago(moment.astimezone(now.tzinfo).date(), now.date())


def dealer_lines(
    dealers: Iterable[Dealer], figures: DealerFigures, now: datetime, url: Address, address: Address
) -> list[DealerLine]:
    """Dealers, those that have been silent longest first; `url` takes a code, `address` an endpoint and its values."""
    lines = []
    this_month, month_before = figures.months[0], figures.months[1]
    for dealer in dealers:
        state = dealer_state(dealer, now)
        lines.append(
            DealerLine(
                code=dealer.code,
                name=dealer.name,
                url=url(dealer.code),
                tone=state.tone,
                state=state.words,
                silent=state.silent,
                heard=heard(dealer, now),
                last_sync=dealer.last_sync,
                silent_days=state.days,
                nodes=len(dealer.nodes),
                refused=refused_of(dealer),
                machines=figures.machines.get(dealer.code, 0),
                machines_url=address("market.machines", dealer=dealer.code),
                customers=figures.customers.get(dealer.code, 0),
                customers_url=address("market.customers", dealer=dealer.code),
                activities=figures.activities.get((dealer.code, this_month), 0),
                activities_url=address("market.activities", dealer=dealer.code, month=this_month),
                activities_before=figures.activities.get((dealer.code, month_before), 0),
                activities_before_url=address("market.activities", dealer=dealer.code, month=month_before),
            )
        )
    worst = {"bad": 0, "warning": 1, "good": 2}
    return sorted(lines, key=lambda line: (worst.get(line.tone, 3), -line.silent_days, line.code))
