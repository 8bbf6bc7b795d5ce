"""What the demo's people write after a visit or a call: sentences that somebody typed in the car."""

from __future__ import annotations

import random
from collections.abc import Mapping

# Each topic: subjects, then sentences in the order they are told; one of each group is taken.
# {machine}, {person}, {town} and {hours} stand for the customer's own.
_TOPICS: dict[str, tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]] = {
    "service": (
        ("Service for {machine}", "500 h due on {machine}", "Asked about the service plan", "Maintenance talk"),
        (
            (
                "Met {person} in the yard.",
                "{person} rang while I was in {town}.",
                "Short stop, {person} had ten minutes.",
                "Coffee with {person} in the site hut.",
            ),
            (
                "{machine} stands at about {hours} h and nobody had the service on the list.",
                "They do the oil themselves but want the filters from us, as a set.",
                "The driver reports that {machine} takes long to warm up, otherwise no complaints.",
                "Grease gun was lying dry beside {machine}. Showed the driver the plan once more.",
            ),
            (
                "Promised a price for the filter set by Friday.",
                "Workshop should call about a date, mornings only.",
                "Wants it done in the winter break and not before.",
                "No rush, but please not forget again.",
            ),
        ),
    ),
    "fault": (
        (
            "Hydraulic hose on {machine}",
            "{machine} loses power uphill",
            "Fault code on {machine}",
            "Oil under {machine}",
        ),
        (
            (
                "{person} was not amused.",
                "Drove out at once because {machine} blocked the only lane.",
                "{person} sent photos, so I knew what to bring.",
                "Nobody on site at first, then {person} came over.",
            ),
            (
                "Hose at the boom chafed through, the clamp was missing.",
                "Water in the pre-filter, half a glass of it. Told them where to buy diesel and where not.",
                "Only the seat switch. Cleaned the plug, ran it for ten minutes, fine.",
                "Leak is at the swivel, not at the pump as they thought.",
            ),
            (
                "Our technician comes on Thursday with the parts.",
                "They fix it themselves, parts picked up at the counter.",
                "Goodwill? I said I would ask, promised nothing.",
                "Running again. Look at it at the next visit.",
            ),
        ),
    ),
    "sale": (
        ("Thinking of a new machine", "Trade-in for {machine}", "Demo asked for", "Budget for next year"),
        (
            (
                "{person} has work until autumn and not enough machines.",
                "The bank is willing, {person} is not yet.",
                "{person} had the other brand's brochure on the desk, open.",
                "They rent too much, {person} did the sums.",
            ),
            (
                "Would give {machine} in payment if the price is right.",
                "Width is the problem: 1.90 m gate in {town}.",
                "Wants the quick coupler they have already, no discussion.",
                "Noise is the topic, they work beside the school.",
            ),
            (
                "Demo for a day would settle it.",
                "Send the offer with and without the breaker.",
                "Decision after the holidays, he says. He said that last year too.",
                "Call again in two weeks, not before.",
            ),
        ),
    ),
    "parts": (
        ("Parts order", "Bucket teeth again", "Wrong filter delivered", "Standing order for grease"),
        (
            ("{person} at the counter today.", "E-mail from {person}, answered at once.", "Rang {person} back."),
            (
                "Needs teeth and pins for {machine}, the whole set.",
                "We sent the filter for the old engine, my mistake.",
                "Wants one box of everything in the container, settles quarterly.",
                "Compared our belt with the one from the internet. Bought ours.",
            ),
            (
                "Sent today, arrives tomorrow before ten.",
                "Exchange is on the way, no charge.",
                "Credit note is with accounts.",
                "Put aside at the depot, they fetch it.",
            ),
        ),
    ),
    "care": (
        ("Just dropped in", "Seasonal visit", "After the delivery", "Coffee and complaints"),
        (
            (
                "Nothing special, {person} is content.",
                "First time I met {person}, good start.",
                "{person} showed me the new hall, impressive.",
                "Bad timing, {person} was on the phone all the time.",
            ),
            (
                "{machine} runs every day, driver keeps it cleaner than my car.",
                "They got the contract for the bypass at {town}: two years of work.",
                "The young driver left, they look for another. If we hear of somebody …",
                "Invoice from March was still open, {person} had never seen it. Sent a copy.",
            ),
            (
                "Back in spring.",
                "Bring the calendar next time, she asked for it.",
                "Nothing to do.",
                "Invite them to the open day.",
            ),
        ),
    ),
}
TOPICS = tuple(_TOPICS)


def tell(topic: str, chance: random.Random, words: Mapping[str, str]) -> tuple[str, str]:
    """A subject and notes about a topic; `words` are machine, person, town and hours."""
    subjects, groups = _TOPICS[topic]
    told = [chance.choice(group) for group in groups]
    if chance.random() < 0.18:
        told.pop()
    sentences = [sentence.format(**words) for sentence in told]
    return _capital(chance.choice(subjects).format(**words)), " ".join(map(_capital, sentences))


def _capital(sentence: str) -> str:
    """A sentence may begin with "the VX 55"."""
    return sentence[0].upper() + sentence[1:]
