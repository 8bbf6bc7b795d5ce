"""Drawing words without saying the same thing twice in a row of visits."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Card = TypeVar("Card")


class Deck(Generic[Card]):
    """Cards in a shuffled order; one that was drawn goes to the bottom, so each comes up about equally often."""

    def __init__(self, cards: Sequence[Card], chance: random.Random) -> None:
        self._cards = list(cards)
        chance.shuffle(self._cards)

    def draw(self, fits: Callable[[Card], bool] = lambda _: True) -> Card:
        """The uppermost card that fits. Raises LookupError when none does."""
        for index, card in enumerate(self._cards):
            if fits(card):
                del self._cards[index]
                self._cards.append(card)
                return card
        raise LookupError("No card fits.")
