"""Breadth-first tree search (Tree of Thoughts, arXiv:2305.10601, algorithm 1), with no model in it.

`bfs` is a generator: it yields what it needs (`Expand`, `Evaluate`), is sent the answers, and reports each level
(`Level`). Whoever drives it brings the model, and can bring a log instead.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

Path = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Thought:
    """A step from a node to a state; `key` is equal for states with the same future."""

    text: str
    state: str
    key: str
    goal: bool = False  # a verifier says the state solves the problem


@dataclass(frozen=True, slots=True)
class Node:
    """A state in the tree, at the path of child indexes from the root."""

    path: Path
    thought: Thought
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Expand:
    """Send back, for each node, its thoughts: a list of lists."""

    level: int
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Evaluate:
    """Send back a score for each node; higher is better."""

    level: int
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """What became of a level's thoughts. Send back nothing."""

    level: int
    kept: tuple[Node, ...]  # best first
    pruned: tuple[Node, ...]
    merged: tuple[tuple[Node, Path], ...]  # a node, and the path of the equal state that stands for it
    tied: int  # pruned nodes with exactly the score of the last one kept


Select = Callable[[Sequence[Node], int], list[Node]]
Search = Generator[Expand | Evaluate | Level, Any, tuple[Node, ...]]


def bfs(root: Thought, *, depth: int, b: int, select: Select) -> Search:
    """Keep the b best of each level's thoughts, `depth` levels deep; returns the last level kept, best first.

    A level with a goal ends the search: its goals come first, without an evaluation.
    """
    frontier: tuple[Node, ...] = (Node((), root),)
    for level in range(1, depth + 1):
        offered = yield Expand(level, frontier)
        born = [
            Node((*parent.path, i), thought)
            for parent, thoughts in zip(frontier, offered, strict=True)
            for i, thought in enumerate(thoughts)
        ]
        fresh, merged = merge(born)
        if goals := tuple(node for node in fresh if node.thought.goal):
            yield Level(level, goals, tuple(n for n in fresh if not n.thought.goal), merged, tied=0)
            return goals
        scores = yield Evaluate(level, fresh)
        valued = [replace(node, score=score) for node, score in zip(fresh, scores, strict=True)]
        kept = tuple(select(valued, b))
        chosen = {node.path for node in kept}
        pruned = tuple(node for node in valued if node.path not in chosen)
        tied = sum(node.score == kept[-1].score for node in pruned) if kept else 0
        yield Level(level, kept, pruned, merged, tied)
        if not kept:
            return ()
        frontier = kept
    return frontier


def merge(nodes: Sequence[Node]) -> tuple[tuple[Node, ...], tuple[tuple[Node, Path], ...]]:
    """The first node of each key, and every later one with the path that stands for it."""
    first: dict[str, Path] = {}
    fresh: list[Node] = []
    merged: list[tuple[Node, Path]] = []
    for node in nodes:
        if node.thought.key in first:
            merged.append((node, first[node.thought.key]))
        else:
            first[node.thought.key] = node.path
            fresh.append(node)
    return tuple(fresh), tuple(merged)


def greedy(nodes: Sequence[Node], b: int) -> list[Node]:
    """The b best; equal scores in creation order."""
    return sorted(nodes, key=lambda node: -node.score)[:b]


def proportional(rng: random.Random) -> Select:
    """A selector that draws b nodes without replacement, each in proportion to its score (at least a floor)."""

    def select(nodes: Sequence[Node], b: int) -> list[Node]:
        pool = list(nodes)
        kept: list[Node] = []
        while pool and len(kept) < b:
            weights = [max(node.score, 1e-9) for node in pool]
            kept.append(pool.pop(rng.choices(range(len(pool)), weights)[0]))
        return sorted(kept, key=lambda node: -node.score)

    return select
