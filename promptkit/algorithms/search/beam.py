"""Beam search over steps with rewards (self-evaluation guided, arXiv:2305.00633; the deterministic kind is its τ = 0).

A beam's score is made of the rewards of all its steps, unlike that of a breadth-first search, and finished chains
leave the beam and wait for the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from statistics import fmean
from typing import Literal, get_args

from promptkit.algorithms.search.boundary import Boundary, judged
from promptkit.algorithms.search.caps import NONE, Caps, Meter, valued
from promptkit.algorithms.search.nodes import Expand, Level, Node, Path, Search, Thought, born, ranked
from promptkit.algorithms.search.select import Select, greedy
from promptkit.algorithms.search.transpositions import merge

Aggregate = Literal["last", "mean", "sum", "product", "min"]


def beam(
    root: Thought,
    *,
    depth: int,
    width: int,
    aggregate: Aggregate = "sum",
    select: Select = greedy,
    confidence: float = 1.0,
    floor: float | None = None,
    boundary: Boundary | None = None,
    caps: Caps = NONE,
) -> Search:
    """Keep `width` chains; returns the finished ones and the beam, best first, at a verified goal or after `depth`.

    A step's reward is score^confidence · prior^(1 − confidence), the score alone by default; a step with a reward
    below the floor is rejected.
    """
    meter = Meter(caps)
    frontier: tuple[Node, ...] = (Node((), root),)
    rewards: dict[Path, tuple[float, ...]] = {(): ()}
    finished: list[Node] = []

    def total(node: Node, score: float) -> float:
        """A chain's score if its last step had this one."""
        return combined((*rewards[node.path[:-1]], reward(node.thought, score, confidence)), aggregate)

    for level in range(1, depth + 1):
        parents = frontier[: meter.take("expansions", len(frontier))]
        if not parents:
            break
        offered = meter.admitted((yield Expand(level, parents)))
        fresh, merged = merge(
            [node for parent, thoughts in zip(parents, offered, strict=True) for node in born(parent, thoughts)]
        )
        if goals := tuple(node for node in fresh if node.thought.goal):
            lost = tuple(node for node in fresh if not node.thought.goal)
            yield Level(level, goals, lost, merged, tied=0, stop="goal")
            return (*goals, *ranked([node for node in (*finished, *frontier) if node.path], depth))
        if boundary:
            new = yield from judged(level, fresh, width, boundary, meter, total)
        else:
            new = yield from valued(level, fresh, meter)
        allowed: list[Node] = []
        for node in new:
            step = reward(node.thought, node.score, confidence)
            if floor is None or step >= floor:
                rewards[node.path] = (*rewards[node.path[:-1]], step)
                allowed.append(replace(node, score=combined(rewards[node.path], aggregate)))
        breadth = boundary.breadth([node.score for node in allowed], width) if boundary else width
        kept = tuple(select(allowed, breadth))
        score_of, chosen = {node.path: node for node in allowed}, {node.path for node in kept}
        pruned = tuple(score_of.get(node.path, node) for node in fresh if node.path not in chosen)
        tied = sum(node.score == kept[-1].score for node in pruned if node.path in score_of) if kept else 0
        finished += [node for node in kept if node.thought.terminal]
        alive = tuple(node for node in kept if not node.thought.terminal)
        over = not alive or len(finished) >= width
        yield Level(level, kept, pruned, merged, tied, stop=meter.hit or ("finished" if over else ""))
        frontier = alive or (() if finished else frontier)  # nothing follows: what there is, is not lost
        if over or meter.hit:
            break
    return ranked([*finished, *(node for node in frontier if node.path)], depth)


def reward(thought: Thought, score: float, confidence: float = 1.0) -> float:
    """score^confidence · prior^(1 − confidence): a step as judge and generator see it (2305.00633)."""
    if confidence == 1 or thought.prior is None:
        return score
    return float(max(0.0, score) ** confidence * thought.prior ** (1 - confidence))


def combined(rewards: Sequence[float], aggregate: Aggregate) -> float:
    """The score of a chain from the rewards of its steps."""
    match aggregate:
        case "last":
            return rewards[-1]
        case "mean":
            return fmean(rewards)
        case "sum":
            return sum(rewards)
        case "product":
            return prod(rewards)
        case "min":
            return min(rewards)
    raise ValueError(f"unknown aggregate {aggregate!r}: one of {', '.join(get_args(Aggregate))}")
