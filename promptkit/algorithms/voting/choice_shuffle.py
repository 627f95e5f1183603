"""Choice-shuffle ensembling (Medprompt, arXiv:2311.16452): options in several orders, letters mapped back."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import permutations
from math import factorial
from string import ascii_uppercase

from promptkit.errors import BadInput

Order = tuple[int, ...]  # the original option at each place


def shuffles(options: int, n: int, seed: int = 0) -> tuple[Order, ...]:
    """n orders of the options, the first as they stand; none comes twice before all have come."""
    if not 1 <= options <= len(ascii_uppercase):
        raise BadInput(f"{options} options cannot be lettered", hint=f"1 to {len(ascii_uppercase)} of them can")
    rng, asked = random.Random(f"{seed}:{options}"), tuple(range(options))
    orders: list[Order] = []
    while len(orders) < n:
        orders += _round(asked, min(n - len(orders), factorial(options)), rng)
    return tuple(orders)


def shown(options: Sequence[str], order: Order) -> tuple[str, ...]:
    """The options in an order."""
    return tuple(options[at] for at in order)


def unshuffled(letter: str | None, order: Order) -> str | None:
    """The letter that the option had before it was shuffled; None when no option went by that letter."""
    place = ascii_uppercase.find(letter) if letter is not None and len(letter) == 1 else -1
    return ascii_uppercase[order[place]] if 0 <= place < len(order) else None


def _round(asked: Order, n: int, rng: random.Random) -> list[Order]:
    """Up to all orders, each once, the one asked for first."""
    if factorial(len(asked)) <= 1000:
        others = [order for order in permutations(asked) if order != asked]
        return [asked, *rng.sample(others, n - 1)]
    orders = {asked: None}
    while len(orders) < n:
        orders[tuple(rng.sample(asked, len(asked)))] = None
    return list(orders)
