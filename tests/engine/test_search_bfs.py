"""Breadth-first search with a log instead of a model."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.algorithms.search.bfs import bfs
from promptkit.algorithms.search.nodes import Evaluate, Expand, Level, Node, Thought
from promptkit.algorithms.search.select import greedy, proportional
from promptkit.algorithms.search.transpositions import merge

ROOT = Thought("", "", "")


def thought(key: str, goal: bool = False) -> Thought:
    return Thought(key, f"state {key}", key, goal)


def node(path: tuple[int, ...], key: str, score: float = 0.0) -> Node:
    return Node(path, thought(key), score)


def drive(search: Any, thoughts: Any, scores: Any) -> tuple[tuple[Node, ...], list[Any]]:
    """The last level kept, and everything the search asked for or reported."""
    asked: list[Any] = []
    reply: Any = None
    while True:
        try:
            step = search.send(reply)
        except StopIteration as done:
            return done.value, asked
        asked.append(step)
        match step:
            case Expand():
                reply = [thoughts(parent) for parent in step.nodes]
            case Evaluate():
                reply = [scores(child) for child in step.nodes]
            case Level():
                reply = None


def test_it_keeps_the_best_of_each_level_and_goes_deeper() -> None:
    def children(parent: Node) -> list[Thought]:
        return [thought(f"{parent.thought.key}{c}") for c in "abc"]

    value = {"a": 1.0, "b": 3.0, "c": 2.0}
    kept, asked = drive(
        bfs(ROOT, depth=2, b=2, select=greedy), children, lambda n: sum(value[c] for c in n.thought.key)
    )
    assert [n.thought.key for n in kept] == ["bb", "bc"]
    assert [n.path for n in kept] == [(1, 1), (1, 2)]
    assert [type(step).__name__ for step in asked] == ["Expand", "Evaluate", "Level"] * 2
    assert [n.thought.key for n in asked[3].nodes] == ["b", "c"]
    first, second = asked[2], asked[5]
    assert (first.level, [n.thought.key for n in first.pruned], first.tied) == (1, ["a"], 0)
    assert second.tied == 1, "cb has the score of bc"


def test_a_goal_ends_the_search_without_an_evaluation() -> None:
    def children(parent: Node) -> list[Thought]:
        return [thought(f"{parent.thought.key}{c}", goal=len(parent.path) == 1 and c == "b") for c in "ab"]

    kept, asked = drive(bfs(ROOT, depth=9, b=2, select=greedy), children, lambda n: 1.0)
    assert [n.thought.key for n in kept] == ["ab", "bb"]
    assert [type(step).__name__ for step in asked] == ["Expand", "Evaluate", "Level", "Expand", "Level"]
    assert [n.thought.key for n in asked[-1].pruned] == ["aa", "ba"]


def test_equal_states_are_one_and_the_first_stands_for_all() -> None:
    fresh, merged = merge([node((0,), "x"), node((1,), "y"), node((2,), "x"), node((3,), "x")])
    assert [n.path for n in fresh] == [(0,), (1,)]
    assert [(n.path, into) for n, into in merged] == [((2,), (0,)), ((3,), (0,))]


def test_equal_states_are_valued_once() -> None:
    valued: list[str] = []

    def scores(child: Node) -> float:
        valued.append(child.thought.key)
        return 1.0

    drive(bfs(ROOT, depth=1, b=5, select=greedy), lambda parent: [thought(k) for k in "xyxxz"], scores)
    assert valued == ["x", "y", "z"]


def test_a_level_without_thoughts_ends_the_search() -> None:
    kept, asked = drive(bfs(ROOT, depth=3, b=2, select=greedy), lambda parent: [], lambda n: 1.0)
    assert kept == ()
    assert [type(step).__name__ for step in asked] == ["Expand", "Evaluate", "Level"]


def test_equal_scores_are_kept_in_the_order_they_came() -> None:
    nodes = [node((i,), str(i), score) for i, score in enumerate([1, 2, 1, 2, 1])]
    assert [n.path for n in greedy(nodes, 4)] == [(1,), (3,), (0,), (2,)]


@given(st.lists(st.sampled_from([0.0, 0.001, 1.0, 20.0, 60.0]), max_size=12), st.integers(1, 12), st.integers())
def test_a_draw_is_without_replacement_and_best_first(scores: list[float], b: int, seed: int) -> None:
    nodes = [node((i,), str(i), score) for i, score in enumerate(scores)]
    kept = proportional(random.Random(seed))(nodes, b)
    assert len(kept) == min(b, len(nodes))
    assert len({n.path for n in kept}) == len(kept)
    assert [n.score for n in kept] == sorted((n.score for n in kept), reverse=True)
    assert kept == proportional(random.Random(seed))(nodes, b), "the same generator draws the same"


@pytest.mark.parametrize(
    ("scores", "shares"),
    [
        ((1.0, 3.0), (0.25, 0.75)),
        ((0.0, 0.0, 0.0, 0.0), (0.25,) * 4),
        ((0.0, 5.0), (0.0, 1.0)),
        ((-3.0, 1.0), (0.0, 1.0)),
    ],
)
def test_the_first_draw_is_in_proportion_to_the_scores(scores: Sequence[float], shares: Sequence[float]) -> None:
    nodes = [node((i,), str(i), score) for i, score in enumerate(scores)]
    select, drawn = proportional(random.Random(7)), Counter[tuple[int, ...]]()
    for _ in range(4000):
        drawn[select(nodes, 1)[0].path] += 1
    for i, share in enumerate(shares):
        assert abs(drawn[(i,)] / 4000 - share) < 0.05


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 4), st.integers(0, 1000))
def test_paths_are_unique_and_children_know_their_parents(depth: int, b: int, width: int, seed: int) -> None:
    def children(parent: Node) -> list[Thought]:
        rng = random.Random(f"{seed}{parent.path}")
        return [thought(str(rng.randint(0, 5))) for _ in range(rng.randint(0, width))]

    _, asked = drive(bfs(ROOT, depth=depth, b=b, select=greedy), children, lambda n: float(len(n.thought.key)))
    kept: set[tuple[int, ...]] = {()}
    for level in (step for step in asked if isinstance(step, Level)):
        everyone = [*level.kept, *level.pruned, *(n for n, _ in level.merged)]
        assert len({n.path for n in everyone}) == len(everyone)
        assert all(n.path[:-1] in kept for n in everyone)
        assert len(level.kept) <= b
        assert all(into in {n.path for n in [*level.kept, *level.pruned]} for _, into in level.merged)
        kept = {n.path for n in level.kept}
