"""Every search on trees with a known optimum: found with an exact judge, within caps, the same every time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import repeat
from math import exp

import pytest
from search_trees import ROOT, Driven, Maze, drive

from promptkit.algorithms.search.ab_mcts import ab_mcts
from promptkit.algorithms.search.beam import beam
from promptkit.algorithms.search.best_first import best_first
from promptkit.algorithms.search.bfs import bfs
from promptkit.algorithms.search.boundary import Boundary
from promptkit.algorithms.search.caps import NONE, Caps
from promptkit.algorithms.search.chance import rng
from promptkit.algorithms.search.dfs import dfs
from promptkit.algorithms.search.dvts import dvts
from promptkit.algorithms.search.levin import levin
from promptkit.algorithms.search.mcts import LATS, PUCT, RAP, RSTAR, UCT, mcts
from promptkit.algorithms.search.nodes import Node, Search, Thought
from promptkit.algorithms.search.select import greedy, proportional, softmax

Make = Callable[[Caps], Search]
DEEP = 4

SEARCHES: dict[str, Make] = {
    "bfs": lambda caps: bfs(ROOT, depth=DEEP, b=3, select=greedy, caps=caps),
    "bfs, drawn": lambda caps: bfs(ROOT, depth=DEEP, b=3, select=proportional(rng(1, "draw")), caps=caps),
    "bfs, boundary": lambda caps: bfs(ROOT, depth=DEEP, b=3, select=greedy, boundary=Boundary(), caps=caps),
    "beam": lambda caps: beam(ROOT, depth=DEEP, width=3, caps=caps),
    "beam, stochastic": lambda caps: beam(
        ROOT, depth=DEEP, width=3, select=softmax(rng(1, "draw"), 0.1, 0.9), caps=caps
    ),
    "beam, boundary": lambda caps: beam(ROOT, depth=DEEP, width=3, boundary=Boundary(most=3), caps=caps),
    "dvts": lambda caps: dvts(ROOT, depth=DEEP, subtrees=2, m=4, caps=caps),
    "dfs": lambda caps: dfs(ROOT, depth=DEEP, leaves=1, caps=caps),
    "dfs, by prior": lambda caps: dfs(ROOT, depth=DEEP, order="prior", leaves=1, caps=caps),
    "best-first": lambda caps: best_first(ROOT, depth=DEEP, caps=caps),
    "best-first, four at a time": lambda caps: best_first(ROOT, depth=DEEP, width=4, caps=caps),
    "levin": lambda caps: levin(ROOT, depth=DEEP, caps=caps),
    "levin, four at a time": lambda caps: levin(ROOT, depth=DEEP, width=4, caps=caps),
    "uct": lambda caps: mcts(ROOT, rules=replace(UCT, c=0.5, iterations=60), caps=caps),
    "uct, four at a time": lambda caps: mcts(ROOT, rules=replace(UCT, c=0.5, iterations=80, width=4), caps=caps),
    "puct": lambda caps: mcts(ROOT, rules=replace(PUCT, iterations=60), caps=caps),
    "rap": lambda caps: mcts(ROOT, rules=replace(RAP, iterations=30), caps=caps),
    "lats": lambda caps: mcts(ROOT, rules=LATS, caps=caps),
    "rstar": lambda caps: mcts(ROOT, rules=replace(RSTAR, iterations=250), caps=caps),
    "ab-mcts": lambda caps: ab_mcts(ROOT, iterations=250, depth=DEEP, width=2, caps=caps),
}
MAZE = Maze(depth=DEEP, branching=4, seed=3)
CAPS = (
    Caps(expansions=3),
    Caps(expansions=1, evaluations=2),
    Caps(evaluations=5),
    Caps(evaluations=1),
    Caps(nodes=6),
    Caps(nodes=9, evaluations=7),
)

each = pytest.mark.parametrize("make", SEARCHES.values(), ids=SEARCHES)


@each
def test_an_exact_judge_or_generator_leads_to_the_optimum(make: Make) -> None:
    found = drive(make(NONE), MAZE.grow, MAZE.judge())
    leaves = [node.thought.state for node in found.nodes if node.thought.terminal]
    assert MAZE.leaves[0] in leaves
    if found.scored:  # all but levin's
        assert max((n for n in found.nodes if n.thought.terminal), key=lambda n: n.score).thought.state == leaves[0]


@each
def test_a_verified_goal_ends_the_search_and_is_never_judged(make: Make) -> None:
    maze = replace(MAZE, verified=True)
    found = drive(make(NONE), maze.grow, maze.judge())
    assert found.answer == maze.leaves[0]
    assert found.nodes[0].path not in found.scored
    assert found.reports[-1].stop == "goal"
    full = drive(make(NONE), MAZE.grow, MAZE.judge())
    assert len(found.expanded) <= len(full.expanded)


@each
@pytest.mark.parametrize("caps", CAPS, ids=str)
def test_a_cap_is_never_exceeded_and_what_was_found_is_the_result(make: Make, caps: Caps) -> None:
    found = drive(make(caps), MAZE.grow, MAZE.judge())
    assert len(found.expanded) <= (caps.expansions or 10**9)
    assert len(found.scored) <= (caps.evaluations or 10**9)
    joined = {node.path for node in found.nodes} | set(found.scored)
    assert len(joined) <= (caps.nodes or 10**9)
    assert all(node.path for node in found.nodes[:1]), "the root is no answer"
    limits = {name for name in ("nodes", "expansions", "evaluations") if getattr(caps, name) is not None}
    assert found.nodes or (found.scored and not any(map(MAZE.judge(), found.judged, repeat(0)))), "the best so far"
    assert found.reports[-1].stop in {*limits, "leaves", "finished", "exhausted", ""}


@each
def test_the_same_answers_give_the_same_search(make: Make) -> None:
    judge = MAZE.judge(0.75)
    one, two = drive(make(NONE), MAZE.grow, judge), drive(make(NONE), MAZE.grow, judge)
    assert one.nodes == two.nodes
    assert one.graph == two.graph
    assert one.reports == two.reports


@each
def test_without_thoughts_there_is_no_answer(make: Make) -> None:
    found = drive(make(NONE), lambda node: [], MAZE.judge())
    assert found.nodes == ()
    assert found.scored == []


@each
def test_dead_ends_are_survived(make: Make) -> None:
    def grow(node: Node) -> list[Thought]:
        thoughts = MAZE.grow(node)
        return [] if len(thoughts[0].state) == DEEP else [replace(thought, terminal=False) for thought in thoughts]

    found = drive(make(NONE), grow, MAZE.judge())
    assert not [node for node in found.nodes if len(node.thought.state) == DEEP]


@each
def test_states_with_a_known_value_are_not_judged(make: Make) -> None:
    judge = MAZE.judge()

    def grow(node: Node) -> list[Thought]:
        thoughts = MAZE.grow(node)
        known = [replace(each, value=judge(Node((), each), 0)) for each in thoughts]
        return [one if one.state.endswith("1") else other for one, other in zip(known, thoughts, strict=True)]

    found = drive(make(NONE), grow, judge)
    assert not [path for path in found.scored if path and path[-1] == 1]


def test_levins_bound_holds() -> None:
    """The optimum is reached after at most d/π expansions, however the priors are (arXiv:1811.10928, theorem 3)."""
    for seed in range(30):
        maze = Maze(depth=4, branching=3, seed=seed, verified=True)
        found: Driven = drive(levin(ROOT, depth=4), maze.grow)
        assert found.answer == maze.leaves[0]
        assert not found.scored
        likelihood = exp(found.nodes[0].score)
        assert len(found.expanded) <= 4 / likelihood + 1e-9
