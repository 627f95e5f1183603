"""How good a judge must be for a search to pay (arXiv:2402.10890 puts the cliff at an accuracy of about 90 %).

A search with so many expansions stands beside re-ranking: as many whole chains, of which the judge picks one.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from statistics import fmean

import pytest
from search_trees import ROOT, Maze, drive

from promptkit.algorithms.search.beam import beam
from promptkit.algorithms.search.best_first import best_first
from promptkit.algorithms.search.bfs import bfs
from promptkit.algorithms.search.caps import Caps
from promptkit.algorithms.search.dfs import dfs
from promptkit.algorithms.search.levin import levin
from promptkit.algorithms.search.mcts import UCT, mcts
from promptkit.algorithms.search.nodes import Node, Search
from promptkit.algorithms.search.select import greedy

ACCURACIES = (0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
DEEP, WAYS, CAPS = 4, 5, Caps(expansions=16)
SEARCHES: dict[str, Callable[[], Search]] = {
    "bfs b=5": lambda: bfs(ROOT, depth=DEEP, b=5, select=greedy, caps=CAPS),
    "dfs": lambda: dfs(ROOT, depth=DEEP, leaves=1, caps=CAPS),
    "beam": lambda: beam(ROOT, depth=DEEP, width=5, caps=CAPS),
    "best-first": lambda: best_first(ROOT, depth=DEEP, caps=CAPS),
    "levin": lambda: levin(ROOT, depth=DEEP, caps=CAPS),
    "uct": lambda: mcts(ROOT, rules=replace(UCT, c=0.3, iterations=60, output="best-leaf"), caps=CAPS),
}


def success(name: str, accuracy: float, mazes: int) -> float:
    """How often the first answer is the one good leaf."""
    right = 0
    for seed in range(mazes):
        maze = Maze(depth=DEEP, branching=WAYS, seed=seed)
        if name == "re-ranking":
            right += reranked(maze, accuracy) == maze.leaves[0]
        else:
            found = drive(SEARCHES[name](), maze.grow, maze.judge(accuracy))
            right += found.answer == maze.leaves[0]
    return right / mazes


def reranked(maze: Maze, accuracy: float) -> str:
    """Of as many chains as there are expansions, four to a chain, the first that the judge takes for good."""
    chance, judge = random.Random(f"chains {maze.seed}"), maze.judge(accuracy)
    chains: list[Node] = []
    for _ in range((CAPS.expansions or 0) // DEEP):
        node = Node((), ROOT)
        for _ in range(DEEP):
            thoughts = maze.grow(node)
            node = Node((), chance.choices(thoughts, [thought.prior or 0 for thought in thoughts])[0])
        chains.append(node)
    return max(chains, key=lambda chain: judge(chain, 0)).thought.state


def table(mazes: int) -> dict[str, list[float]]:
    """Success by judge's accuracy, printed."""
    rows = {name: [success(name, a, mazes) for a in ACCURACIES] for name in (*SEARCHES, "re-ranking")}
    print(f"\n{'judge right':>12}", *(f"{a:>6.0%}" for a in ACCURACIES))
    for name, row in rows.items():
        print(f"{name:>12}", *(f"{share:>6.0%}" for share in row))
    return rows


def holds(rows: dict[str, list[float]]) -> None:
    for name, row in rows.items():
        if name == "levin":
            assert len(set(row)) == 1, "no judge is asked"
        elif name != "re-ranking":
            assert row[0] <= row[2] <= row[3] <= row[-1], name
            assert row[-1] - row[3] > 0.15 or row[3] - row[0] > 0.4, f"{name} lives by its judge"
    searching = [rows[name] for name in SEARCHES if name != "levin"]
    gains = [fmean(row[i] for row in searching) - rows["re-ranking"][i] for i in range(len(ACCURACIES))]
    assert gains[0] < 0.3 < gains[-1]


def test_searches_live_by_their_judge() -> None:
    holds(table(30))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_cliff_is_where_the_judge_errs_one_time_in_ten() -> None:
    rows = table(120)
    holds(rows)
    for name in ("dfs", "best-first"):
        lost = [b - a for a, b in zip(rows[name], rows[name][1:], strict=False)]
        assert lost[3] + lost[4] > lost[0] + lost[1], f"{name}: from 90 % on it gains most"
