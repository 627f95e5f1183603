"""As many of each label as of every other, as far as there are any."""

from __future__ import annotations

import random
from collections.abc import Hashable, Sequence


def balanced(labels: Sequence[Hashable], rng: random.Random) -> list[int]:
    """All places in an order whose every beginning is as balanced as can be; which come first is drawn."""
    places = list(range(len(labels)))
    rng.shuffle(places)
    held: dict[Hashable, list[int]] = {}
    for place in places:
        held.setdefault(labels[place], []).append(place)
    rounds = range(max(map(len, held.values()), default=0))
    return [own[turn] for turn in rounds for own in held.values() if turn < len(own)]


def interleaved(labels: Sequence[Hashable]) -> list[int]:
    """All places, labels taking turns, each label's own in their order: `A A B B` as `A B A B`."""
    held: dict[Hashable, list[int]] = {}
    for place, label in enumerate(labels):
        held.setdefault(label, []).append(place)
    rounds = range(max(map(len, held.values()), default=0))
    return [own[turn] for turn in rounds for own in held.values() if turn < len(own)]
