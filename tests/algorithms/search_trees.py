"""Trees with a known optimum, judges that err as often as they are told to, and a driver: for the tests of searches."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from promptkit.algorithms.search.nodes import (
    Evaluate,
    Expand,
    Judge,
    Level,
    Node,
    Search,
    Statistics,
    Thought,
    Turn,
    Widen,
)

ROOT = Thought("", "", "")
Grow = Callable[[Node], Sequence[Thought]]
Score = Callable[[Node, int], float]  # of a value sample


@dataclass
class Driven:
    """What a search returned, and everything that it asked for and reported."""

    nodes: tuple[Node, ...] = ()
    asked: list[Any] = field(default_factory=list)
    expanded: list[tuple[int, ...]] = field(default_factory=list)
    scored: list[tuple[int, ...]] = field(default_factory=list)  # one entry a value sample
    judged: list[Node] = field(default_factory=list)  # whom they were of
    joined: int = 0  # thoughts sent back

    @property
    def answer(self) -> str:
        """The state found."""
        return self.nodes[0].thought.state if self.nodes else ""

    @property
    def reports(self) -> list[Level | Turn]:
        """What was said of levels and turns."""
        return [step for step in self.asked if isinstance(step, Level | Turn)]

    @property
    def statistics(self) -> Statistics:
        """The tree at the end of a Monte-Carlo search."""
        return next(step for step in self.asked if isinstance(step, Statistics))

    @property
    def graph(self) -> list[str]:
        """The calls in order, each with the paths of the nodes asked about."""
        said: list[str] = []
        for step in self.asked:
            match step:
                case Expand():
                    said.append(f"expand {named(step.nodes)}" + (f" k={step.k}" if step.k else ""))
                case Widen():
                    said.append(f"widen {named(step.nodes)} draws {' '.join(map(str, step.draws))}")
                case Evaluate():
                    said.append(f"evaluate {named(step.nodes)}")
                case Judge():
                    draws = " ".join(f"{each.start}-{each.stop - 1}" for each in step.draws)
                    said.append(f"judge {named(step.nodes)} draws {draws}")
        return said


def named(nodes: Sequence[Node]) -> str:
    """Paths as they are read: root, 0, 0.1."""
    return " ".join(".".join(map(str, node.path)) or "root" for node in nodes)


def drive(search: Search, grow: Grow, score: Score = lambda node, draw: 0.0) -> Driven:
    """Play a search to its end."""
    driven = Driven()
    children: dict[tuple[int, ...], Sequence[Thought]] = {}
    reply: Any = None
    while True:
        try:
            step = search.send(reply)
        except StopIteration as done:
            driven.nodes = done.value
            return driven
        driven.asked.append(step)
        match step:
            case Expand():
                driven.expanded += [node.path for node in step.nodes]
                reply = [grow(node) for node in step.nodes]
                driven.joined += sum(map(len, reply))
            case Widen():
                driven.expanded += [(*node.path, draw) for node, draw in zip(step.nodes, step.draws, strict=True)]
                for node in step.nodes:
                    children.setdefault(node.path, grow(node))
                offers = [(children[node.path], draw) for node, draw in zip(step.nodes, step.draws, strict=True)]
                reply = [thoughts[draw] if draw < len(thoughts) else None for thoughts, draw in offers]
                driven.joined += sum(thought is not None for thought in reply)
            case Evaluate():
                driven.scored += [node.path for node in step.nodes]
                driven.judged += step.nodes
                reply = [score(node, 0) for node in step.nodes]
            case Judge():
                driven.scored += [node.path for node, draws in zip(step.nodes, step.draws, strict=True) for _ in draws]
                driven.judged += step.nodes
                reply = [[score(node, i) for i in draws] for node, draws in zip(step.nodes, step.draws, strict=True)]
            case _:
                reply = None


@lru_cache(maxsize=2000)
def planted(maze: Maze) -> list[str]:
    """Where the good leaves of a maze are."""
    rng = random.Random(f"maze {maze.seed} {maze.depth} {maze.branching}")
    return ["".join(str(rng.randrange(maze.branching)) for _ in range(maze.depth)) for _ in range(maze.good)]


@dataclass(frozen=True)
class Maze:
    """A full tree of digits; some leaves are good, and a state is alive while a good one is under it."""

    depth: int = 4
    branching: int = 4
    good: int = 1  # leaves
    seed: int = 0
    verified: bool = False  # good leaves are seen by a verifier

    @property
    def leaves(self) -> list[str]:
        """The good leaves."""
        return planted(self)

    def grow(self, node: Node) -> list[Thought]:
        """All steps from a state; those on the way to a good leaf are a little likelier."""
        at, good = node.thought.state, self.leaves
        after = [at + str(i) for i in range(self.branching)]
        alive = [any(leaf.startswith(state) for leaf in good) for state in after]
        weights = [2.0 if each else 1.0 for each in alive]
        return [
            Thought(
                state[-1],
                state,
                state,
                goal=self.verified and state in good,
                terminal=len(state) == self.depth,
                prior=weight / sum(weights),
            )
            for state, weight in zip(after, weights, strict=True)
        ]

    def judge(self, accuracy: float = 1.0) -> Score:
        """1 for a living state and 0 for a dead one, wrong as often as said; its verdict of a sample stays the same."""
        good = self.leaves

        def score(node: Node, draw: int) -> float:
            state = node.thought.state
            alive = any(leaf.startswith(state) for leaf in good)
            right = random.Random(f"{self.seed} {state} {draw}").random() < accuracy
            return float(alive == right)

        return score
