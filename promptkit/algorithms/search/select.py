"""Which nodes of a level are kept: the best, or drawn by their scores."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from math import exp

from promptkit.algorithms.search.nodes import Node

Select = Callable[[Sequence[Node], int], list[Node]]


def greedy(nodes: Sequence[Node], b: int) -> list[Node]:
    """The b best; equal scores in creation order."""
    return sorted(nodes, key=lambda node: -node.score)[:b]


def proportional(rng: random.Random) -> Select:
    """A selector that draws b nodes without replacement, each in proportion to its score (at least a floor)."""
    return _drawn(rng, lambda pool: [max(node.score, 1e-9) for node in pool])


def softmax(rng: random.Random, temperature: float = 1.0, decay: float = 1.0) -> Select:
    """A selector that draws b nodes without replacement by exp(score / temperature), cooler by `decay` each level."""
    heat = temperature

    def weights(pool: Sequence[Node]) -> list[float]:
        top = max(node.score for node in pool)
        return [max(exp((node.score - top) / heat), 1e-9) for node in pool]

    draw = _drawn(rng, weights)

    def select(nodes: Sequence[Node], b: int) -> list[Node]:
        nonlocal heat
        kept = draw(nodes, b)
        heat = max(heat * decay, 1e-9)
        return kept

    return select


def _drawn(rng: random.Random, weigh: Callable[[Sequence[Node]], list[float]]) -> Select:
    def select(nodes: Sequence[Node], b: int) -> list[Node]:
        pool = list(nodes)
        kept: list[Node] = []
        while pool and len(kept) < b:
            kept.append(pool.pop(rng.choices(range(len(pool)), weigh(pool))[0]))
        return sorted(kept, key=lambda node: -node.score)

    return select
