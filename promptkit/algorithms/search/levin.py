"""Levin tree search (Orseau et al. 2018, arXiv:1811.10928; for language models arXiv:2601.03606): no evaluator at all.

States are expanded in the order of d/π, depth over the probability that the generator comes here. Without pruning, a
state s is reached after at most d(s)/π(s) expansions: the one rule here with a bound on its queries.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import replace
from math import inf, log

from promptkit.algorithms.search.caps import NONE, Caps, Meter
from promptkit.algorithms.search.nodes import Expand, Node, Path, Search, Thought, Turn, born
from promptkit.algorithms.search.transpositions import Table


def levin(root: Thought, *, depth: int, width: int = 1, caps: Caps = NONE) -> Search:
    """Expand the `width` states of least d/π a turn; returns finished states, then the deepest, likeliest first.

    A node's score is its log probability, log π; siblings without priors are equally likely.
    """
    meter = Meter(caps)
    start = Node((), root)
    table = Table(start)
    queue: list[tuple[float, int, Node]] = [(-inf, 0, start)]
    seen: list[Node] = []
    number = 0
    best: Node | None = None
    while queue:
        batch: list[Node] = []
        while queue and len(batch) < width:
            node = heapq.heappop(queue)[2]
            if table.stands(node) == node.path:  # else the same state was reached at less cost meanwhile
                batch.append(node)
        batch = batch[: meter.take("expansions", len(batch))]
        if not batch:
            break
        number += 1
        offered = meter.admitted((yield Expand(number, tuple(batch))))
        merged: list[tuple[Node, Path]] = []
        goals: list[Node] = []
        for parent, thoughts in zip(batch, offered, strict=True):
            chances = shares(thoughts)
            for child, chance in zip(born(parent, thoughts), chances, strict=True):
                if chance <= 0:
                    continue
                node = replace(child, score=parent.score + log(chance))
                cost = log(node.depth) - node.score
                if (same := table.enter(node, cost)) is not None:
                    merged.append((node, same))
                    continue
                seen.append(node)
                best = node if best is None else min(best, node, key=lambda each: _rank(each, depth))
                if node.thought.goal:
                    goals.append(node)
                elif not node.thought.terminal and node.depth < depth:
                    heapq.heappush(queue, (cost, len(seen), node))
        stop = "goal" if goals else meter.ends(queue)
        yield Turn(number, tuple(batch), (), tuple(merged), best, stop)
        if goals:
            return _answers(seen, depth)
        if stop:
            break
    return _answers(seen, depth)


def shares(thoughts: Sequence[Thought]) -> list[float]:
    """The probability of each thought: its prior, scaled down where siblings have more than 1 together."""
    if any(thought.prior is None for thought in thoughts):
        return [1 / len(thoughts)] * len(thoughts)
    priors = [max(0.0, thought.prior or 0.0) for thought in thoughts]
    total = max(1.0, sum(priors))
    return [prior / total for prior in priors]


def _answers(nodes: Sequence[Node], depth: int) -> tuple[Node, ...]:
    """Finished states first, the likeliest of them before others; then the rest, the deepest first."""
    return tuple(sorted(nodes, key=lambda node: _rank(node, depth)))


def _rank(node: Node, depth: int) -> tuple[bool, bool, int, float]:
    finished = node.thought.terminal or node.depth >= depth
    return not node.thought.goal, not finished, 0 if finished else -node.depth, -node.score
