"""What every search is made of: thoughts and nodes, what a search asks for, and what it reports.

A search is a generator: it yields a request (`Expand`, `Widen`, `Evaluate`, `Judge`), is sent the answer, and yields
reports (`Level`, `Turn`, `Statistics`), which need none. Answers come in the order of the nodes asked about, all at
once: no search can see in which order a model replied. It returns its nodes, best first.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

Path = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Thought:
    """A step from a node to a state; `key` is equal for states with the same future."""

    text: str
    state: str
    key: str
    goal: bool = False  # a verifier says the state solves the problem
    terminal: bool = False  # no further step is wanted: never expanded
    prior: float | None = None  # how likely the generator finds the step: a probability, or RAP's fast reward
    value: float | None = None  # known without a judge, who is not asked then


@dataclass(frozen=True, slots=True)
class Node:
    """A state in the tree, at the path of child indexes from the root."""

    path: Path
    thought: Thought
    score: float = 0.0

    @property
    def depth(self) -> int:
        """Steps from the root."""
        return len(self.path)


@dataclass(frozen=True, slots=True)
class Expand:
    """Send back, for each node, its thoughts: a list of lists. No node is expanded twice."""

    level: int
    nodes: tuple[Node, ...]
    k: int | None = None  # thoughts wanted from each node, where the search says so


@dataclass(frozen=True, slots=True)
class Widen:
    """Send back, for each node, one thought more, or None; `draws` are consecutive for a node, from 0."""

    level: int
    nodes: tuple[Node, ...]  # a node may be here several times, with one draw each
    draws: tuple[int, ...]
    generators: tuple[int, ...]  # which of several generators to ask


@dataclass(frozen=True, slots=True)
class Evaluate:
    """Send back a score for each node; higher is better."""

    level: int
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Judge:
    """Send back, for each node, the scores of these value samples: a list of lists."""

    level: int
    nodes: tuple[Node, ...]
    draws: tuple[range, ...]  # consecutive for a node, from 0: samples it has are not asked for again


@dataclass(frozen=True, slots=True)
class Level:
    """What became of a level's thoughts. Send back nothing."""

    level: int
    kept: tuple[Node, ...]  # best first
    pruned: tuple[Node, ...]
    merged: tuple[tuple[Node, Path], ...]  # a node, and the path of the equal state that stands for it
    tied: int  # pruned nodes with exactly the score of the last one kept
    stop: str = ""  # why the search ends here: goal, finished, or the cap that was reached; empty where it goes on


@dataclass(frozen=True, slots=True)
class Turn:
    """What became of one turn of a search that has no levels. Send back nothing."""

    number: int  # from 1
    chosen: tuple[Node, ...]  # what was expanded or visited
    pruned: tuple[tuple[Node, str], ...] = ()  # with the reason
    merged: tuple[tuple[Node, Path], ...] = ()
    best: Node | None = None  # so far
    stop: str = ""  # why the search ends here: goal, exhausted, or the cap that was reached; empty where it goes on


@dataclass(frozen=True, slots=True)
class Visited:
    """A node of a Monte-Carlo tree with what was learnt about it."""

    node: Node  # its score is the evaluator's
    visits: int
    mean: float  # of the returns backed up through it
    children: tuple[Path, ...]  # paths of the nodes that stand for its children
    valued: bool  # the evaluator or a verifier has seen it


@dataclass(frozen=True, slots=True)
class Statistics:
    """The whole tree of a Monte-Carlo search, the root first; reported once, at its end. Send back nothing."""

    nodes: tuple[Visited, ...]


Request = Expand | Widen | Evaluate | Judge
Report = Level | Turn | Statistics
Search = Generator[Request | Report, Any, tuple[Node, ...]]


def born(parent: Node, thoughts: Sequence[Thought]) -> list[Node]:
    """A node's children, numbered in the order of their thoughts."""
    return [Node((*parent.path, i), thought) for i, thought in enumerate(thoughts)]


def known(thought: Thought) -> float | None:
    """The score that needs no judge: a verified goal is worth 1 unless the world says otherwise."""
    return 1.0 if thought.value is None and thought.goal else thought.value


def ranked(nodes: Sequence[Node], depth: int | None = None) -> tuple[Node, ...]:
    """Best first: goals, then finished states (terminal, or as deep as it goes), then the rest; by score in each."""
    return tuple(sorted(nodes, key=lambda node: rank(node, depth)))


def rank(node: Node, depth: int | None = None) -> tuple[bool, bool, float]:
    """What nodes are ranked by, the least first."""
    finished = node.thought.terminal or node.depth == depth
    return not node.thought.goal, not finished, -node.score
