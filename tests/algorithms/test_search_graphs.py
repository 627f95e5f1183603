"""The calls of every search on a small fixed tree: how many, in which order, about which nodes, with which draws.

Steps a, b and c are worth 1, 3 and 2 sixths, a state is worth its steps, and two steps end it. States with the same
steps are equal, so bc stands for cb wherever it was there first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from search_trees import ROOT, Driven, drive

from promptkit.algorithms.search.ab_mcts import ab_mcts
from promptkit.algorithms.search.beam import beam
from promptkit.algorithms.search.best_first import best_first
from promptkit.algorithms.search.bfs import bfs
from promptkit.algorithms.search.boundary import Boundary
from promptkit.algorithms.search.dfs import dfs
from promptkit.algorithms.search.dvts import dvts
from promptkit.algorithms.search.levin import levin
from promptkit.algorithms.search.mcts import LATS, PUCT, RAP, RSTAR, UCT, mcts
from promptkit.algorithms.search.nodes import Expand, Node, Search, Thought, Widen
from promptkit.algorithms.search.select import greedy

SIXTHS = {"a": 1, "b": 3, "c": 2}

SEARCHES: dict[str, Callable[[], Search]] = {
    "bfs": lambda: bfs(ROOT, depth=2, b=2, select=greedy),
    "bfs with a boundary": lambda: bfs(ROOT, depth=2, b=2, select=greedy, boundary=Boundary(most=3, tau=0.2)),
    "beam": lambda: beam(ROOT, depth=2, width=2),
    "dvts": lambda: dvts(ROOT, depth=2, subtrees=2, m=2),
    "dfs": lambda: dfs(ROOT, depth=2, threshold=0.2),
    "dfs by prior": lambda: dfs(ROOT, depth=2, threshold=0.2, children=2, order="prior"),
    "best-first": lambda: best_first(ROOT, depth=2),
    "levin": lambda: levin(ROOT, depth=2),
    "uct": lambda: mcts(ROOT, rules=replace(UCT, iterations=6)),
    "puct": lambda: mcts(ROOT, rules=replace(PUCT, iterations=5)),
    "uct, three leaves at a time": lambda: mcts(ROOT, rules=replace(UCT, iterations=7, width=3)),
    "rap": lambda: mcts(ROOT, rules=replace(RAP, iterations=4)),
    "lats": lambda: mcts(ROOT, rules=replace(LATS, iterations=4)),
    "rstar": lambda: mcts(ROOT, rules=replace(RSTAR, iterations=4)),
    "ab-mcts": lambda: ab_mcts(ROOT, iterations=6, width=2),
}

# The calls, and the states returned.
GOLDEN: dict[str, tuple[list[str], str]] = {
    "bfs": (
        [
            "expand root",
            "evaluate 0 1 2",
            "expand 1 2",
            "evaluate 1.0 1.1 1.2 2.0 2.2",
        ],
        "bb bc",
    ),
    "bfs with a boundary": (
        [
            "expand root",
            "judge 0 1 2 draws 0-0 0-0 0-0",
            "judge 0 2 draws 1-1 1-1",
            "judge 0 2 draws 2-2 2-2",
            "expand 1 2",
            "judge 1.0 1.1 1.2 2.0 2.2 draws 0-0 0-0 0-0 0-0 0-0",
            "judge 1.0 1.2 2.2 draws 1-1 1-1 1-1",
            "judge 1.0 1.2 2.2 draws 2-2 2-2 2-2",
        ],
        "bb bc",
    ),
    "beam": (
        [
            "expand root",
            "evaluate 0 1 2",
            "expand 1 2",
            "evaluate 1.0 1.1 1.2 2.0 2.2",
        ],
        "bb bc",
    ),
    "dvts": (
        [
            "expand root k=4",
            "evaluate 0 2 1",
            "expand 2 1 k=2",
            "evaluate 2.0 2.1 1.0 1.1",
        ],
        "bb cb",
    ),
    "dfs": (
        [
            "expand root",
            "evaluate 0 1 2",
            "expand 1",
            "evaluate 1.0 1.1 1.2",
            "expand 2",
            "evaluate 2.0 2.2",
        ],
        "bb bc ba cc ca b c",
    ),
    "dfs by prior": (
        [
            "expand root",
            "evaluate 1",
            "expand 1",
            "evaluate 1.1",
            "evaluate 1.2",
            "evaluate 2",
            "expand 2",
            "evaluate 2.2",
            "evaluate 2.0",
        ],
        "bb bc cc ca b c",
    ),
    "best-first": (
        [
            "expand root",
            "evaluate 0 1 2",
            "expand 1",
            "evaluate 1.0 1.1 1.2",
            "expand 2",
            "evaluate 2.0 2.2",
            "expand 0",
            "evaluate 0.0",
        ],
        "bb bc ba cc ca aa b c a",
    ),
    "levin": (
        [
            "expand root",
            "expand 1",
            "expand 2",
            "expand 0",
        ],
        "bb bc ba cc ca aa b c a",
    ),
    "uct": (
        [
            "expand root",
            "evaluate 0",
            "evaluate 1",
            "evaluate 2",
            "expand 1",
            "evaluate 1.0",
            "expand 2",
            "evaluate 2.0",
            "evaluate 1.1",
        ],
        "bb ba ca b c a",
    ),
    "puct": (
        [
            "expand root",
            "evaluate 1",
            "expand 1",
            "evaluate 1.1",
        ],
        "bb b",
    ),
    "uct, three leaves at a time": (
        [
            "expand root",
            "evaluate 0",
            "expand 0",
            "evaluate 1 2 0.0",
            "expand 1 2",
            "evaluate 0.1 0.2",
        ],
        "ab ac aa b c a",
    ),
    "rap": (
        [
            "expand root",
            "expand 1",
            "evaluate 1 1.1",
            "evaluate 1.2",
        ],
        "bb bc",
    ),
    "lats": (
        [
            "expand root",
            "evaluate 0 1 2",
            "expand 1",
            "evaluate 1.0 1.1 1.2",
        ],
        "bb bc",
    ),
    "rstar": (
        [
            "expand root",
            "expand 2",
            "evaluate 2.1",
            "expand 0",
            "evaluate 0.1",
            "expand 1",
            "evaluate 2.0",
        ],
        "cb ab ca",
    ),
    "ab-mcts": (
        [
            "widen root root draws 0 1",
            "evaluate 0 1",
            "widen root 1 draws 2 0",
            "evaluate 2 1.0",
            "widen 0 root draws 0 3",
            "evaluate 0.0",
        ],
        "ba b c aa a",
    ),
}


def grow(node: Node) -> list[Thought]:
    at = node.thought.state
    steps = zip("abc", (0.2, 0.5, 0.3), strict=True)
    return [
        Thought(step, at + step, "".join(sorted(at + step)), terminal=len(at) == 1, prior=prior)
        for step, prior in steps
    ]


def score(node: Node, draw: int) -> float:
    return sum(SIXTHS[step] for step in node.thought.state) / 6


def played(name: str) -> Driven:
    return drive(SEARCHES[name](), grow, score)


def test_every_search_has_its_calls_written_down() -> None:
    assert GOLDEN.keys() == SEARCHES.keys()


@pytest.mark.parametrize("name", SEARCHES)
def test_the_calls_are_these(name: str) -> None:
    calls, states = GOLDEN[name]
    found = played(name)
    assert found.graph == calls
    assert " ".join(node.thought.state for node in found.nodes) == states


@pytest.mark.parametrize("name", SEARCHES)
def test_nothing_is_asked_about_a_node_whose_parent_was_not_expanded(name: str) -> None:
    expanded: set[tuple[int, ...]] = set()
    for step in played(name).asked:
        if isinstance(step, Expand | Widen) or hasattr(step, "nodes"):
            assert {getattr(n, "node", n).path[:-1] for n in step.nodes} - {()} <= expanded
        if isinstance(step, Expand | Widen):
            expanded |= {node.path for node in step.nodes}
