"""The tree of a Monte-Carlo search: states with their statistics, edges with their visits, equal states shared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf, log, sqrt
from typing import Literal

from promptkit.algorithms.search.nodes import Node, Path, Thought, Visited, born, known

Backup = Literal["mean", "max"]
Unvisited = Literal["first", "own", "parent"]


@dataclass(slots=True, eq=False)
class State:
    """A state with what was learnt about it, on whichever way it was reached."""

    node: Node
    edges: list[Edge] | None = None  # None: not expanded
    visits: int = 0
    total: float = 0.0  # of the returns
    highest: float = -inf
    reward: float | None = None  # what the evaluator or a verifier says of the state
    flying: int = 0  # visits under way in this batch: each counts as a lost one

    def mean(self, loss: float = 0.0) -> float:
        """The mean return; visits under way count as returns of −loss."""
        visits = self.visits + self.flying
        return (self.total - loss * self.flying) / visits if visits else 0.0

    def own(self, otherwise: float) -> float:
        """What is said of the state itself, or else something else."""
        return otherwise if self.reward is None else self.reward

    def scored(self) -> Node:
        """The node with the evaluator's score, 0 where it was not asked."""
        return replace(self.node, score=self.own(0.0))


@dataclass(slots=True, eq=False)
class Edge:
    """A step from one state to another."""

    child: State
    prior: float | None
    visits: int = 0
    flying: int = 0


class Tree:
    """All states of a search."""

    def __init__(self, root: Thought, depth: int, share: bool) -> None:
        self.root = State(Node((), root))
        self.depth = depth
        self._share = share
        self._of_key = {root.key: self.root}
        self.states = [self.root]

    def complete(self, state: State, steps: int) -> bool:
        """Whether nothing follows: a goal, a terminal state, or as many steps as are allowed."""
        thought = state.node.thought
        return thought.terminal or thought.goal or steps >= self.depth

    def grow(self, parent: State, thoughts: Sequence[Thought]) -> tuple[list[State], list[tuple[Node, Path]]]:
        """Join the thoughts to an unexpanded state; returns new states, and nodes merged into one that is there.

        What is shared lies no deeper than where it is met: else it would lead on to ways that are longer than allowed,
        and the state that was met on the shorter way takes its place.
        """
        parent.edges = []
        fresh: list[State] = []
        merged: list[tuple[Node, Path]] = []
        siblings: dict[str, State] = {parent.node.thought.key: parent}
        for node in born(parent.node, thoughts):
            key = node.thought.key
            shared = self._of_key.get(key) if self._share else None
            deeper = shared is not None and shared.node.depth > node.depth
            same = siblings.get(key) or (None if deeper else shared)
            if same is None:
                same = State(node, reward=known(node.thought))
                self.states.append(same)
                if deeper or key not in self._of_key:
                    self._of_key[key] = same
                fresh.append(same)
            else:
                merged.append((node, same.node.path))
            if key not in siblings:
                parent.edges.append(Edge(same, node.thought.prior))
                siblings[key] = same
        return fresh, merged

    def visited(self) -> Iterator[Visited]:
        """Every state with its statistics, in the order they joined."""
        for state in self.states:
            children = tuple(edge.child.node.path for edge in state.edges or ())
            yield Visited(state.scored(), state.visits, state.mean(), children, state.reward is not None)


def best_edge(
    state: State,
    edges: Sequence[Edge],
    *,
    puct: bool,
    c: float,
    unvisited: Unvisited,
    backup: Backup,
    loss: float,
) -> Edge:
    """The edge of the highest bound, the first of equals.

    UCT (Kocsis and Szepesvári 2006): Q + c·√(ln N(s) / N(s,a)). PUCT (AlphaZero): Q + c·P·√N(s) / (1 + N(s,a)).
    """
    uniform = 1 / len(edges)
    around = state.visits + state.flying

    def bound(edge: Edge) -> float:
        visits, prior = edge.visits + edge.flying, uniform if edge.prior is None else edge.prior
        value = quality(edge, backup, loss)
        if visits == 0 and not edge.child.visits:
            if unvisited == "first" and not puct:
                return inf
            value = edge.child.own(prior) if unvisited == "own" else state.mean(loss) - 0.2  # first-play urgency
        if puct:
            return value + c * prior * sqrt(around) / (1 + visits)
        return value + c * sqrt(log(max(1, around)) / max(1, visits))

    return max(edges, key=bound)


def quality(edge: Edge, backup: Backup, loss: float = 0.0) -> float:
    """Q of an edge: the mean or the highest return of the state it leads to, visits under way held against it."""
    child = edge.child
    if backup == "mean" or not child.visits:
        return child.mean(loss)
    return child.highest - loss * child.flying / (child.visits + child.flying)


def fly(states: Iterable[State], edges: Iterable[Edge], by: int) -> None:
    """Count a visit under way (1), or no longer (−1), for the states, and for the edges with what they lead to."""
    for state in states:
        state.flying += by
    for edge in edges:
        edge.flying += by
        edge.child.flying += by


def back_up(root: State, trail: Sequence[Edge], returns: Sequence[float]) -> None:
    """Count a visit with its return for the root and every state of a trail."""
    for state, got in zip((root, *(edge.child for edge in trail)), returns, strict=True):
        state.visits += 1
        state.total += got
        state.highest = max(state.highest, got)
    for edge in trail:
        edge.visits += 1
