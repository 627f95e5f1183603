"""Value samples where they decide: who is asked again, what that saves, what it finds."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from search_trees import ROOT, Maze, Score, drive

from promptkit.algorithms.search.beam import beam
from promptkit.algorithms.search.bfs import bfs
from promptkit.algorithms.search.boundary import Boundary
from promptkit.algorithms.search.caps import Caps
from promptkit.algorithms.search.nodes import Judge, Node, Thought
from promptkit.algorithms.search.select import greedy

SAMPLES = st.lists(st.lists(st.sampled_from([0.0, 0.001, 1.0, 20.0]), min_size=1, max_size=5), min_size=1, max_size=9)


@pytest.mark.parametrize(
    ("policy", "samples", "more"),
    [
        (Boundary(), [[3], [2], [1]], [0, 0, 0]),
        (Boundary(), [[3], [1], [1]], [0, 1, 1]),
        (Boundary(), [[1], [3], [1], [1], [0]], [1, 0, 1, 1, 0]),
        (Boundary(), [[3], [2]], [0, 0]),
        (Boundary(step=2), [[3], [1], [1]], [0, 2, 2]),
        (Boundary(most=2, step=5), [[3], [1], [1, 1]], [0, 1, 0]),
        (Boundary(tau=1), [[3], [2], [1], [0]], [0, 1, 1, 0]),
        (Boundary(tau=1), [[2], [2], [1], [1]], [1, 1, 1, 1]),
        (Boundary(hopeless=0), [[3], [0], [0]], [0, 0, 0]),
        (Boundary(z=1, spread=0.4), [[3], [2], [1.5], [0]], [0, 1, 1, 0]),
        (Boundary(z=1), [[3, 3], [2.5, 1.5], [1, 2]], [0, 1, 1]),
        (Boundary(z=1), [[3, 3], [2, 2], [1, 1]], [0, 0, 0]),
    ],
)
def test_only_who_is_at_the_cut_is_asked_again(
    policy: Boundary, samples: Sequence[Sequence[float]], more: Sequence[int]
) -> None:
    assert policy.more(samples, 2) == more


@given(SAMPLES, st.integers(1, 9), st.floats(0, 2), st.floats(0, 2), st.integers(1, 6))
def test_nobody_is_asked_too_often_and_ties_are(
    samples: list[list[float]], b: int, tau: float, z: float, most: int
) -> None:
    policy = Boundary(tau=tau, z=z, most=most)
    more = policy.more(samples, b)
    assert all(wanted == 0 or len(had) + wanted <= most for had, wanted in zip(samples, more, strict=True))
    if len(samples) <= b:
        assert not any(more)
        return
    means = sorted((sum(each) / len(each) for each in samples), reverse=True)
    for had, wanted in zip(samples, more, strict=True):
        if means[b - 1] == means[b] == sum(had) / len(had) and len(had) < most:
            assert wanted, "an exact tie at the cut"


def test_ties_that_stay_are_kept_up_to_the_widest() -> None:
    assert [Boundary(widest=w).breadth([5, 1, 1, 1, 0], 2) for w in (2, 3, 9)] == [2, 3, 4]
    assert Boundary().breadth([5, 1, 1, 1, 0], 2) == 2
    assert Boundary(widest=9).breadth([5], 2) == 2


def test_samples_come_in_rounds_and_none_is_asked_for_twice() -> None:
    def grow(node: Node) -> list[Thought]:
        return [Thought(k, k, k) for k in "abcd"]

    def score(node: Node, draw: int) -> float:
        return {"a": 9, "b": 5, "c": 5 if draw < 2 else 8, "d": 1}[node.thought.key]

    found = drive(bfs(ROOT, depth=1, b=2, select=greedy, boundary=Boundary()), grow, score)
    asked = [step for step in found.asked if isinstance(step, Judge)]
    assert [[node.thought.key for node in step.nodes] for step in asked] == [list("abcd"), list("bc"), list("bc")]
    assert [step.draws for step in asked] == [(range(1),) * 4, (range(1, 2),) * 2, (range(2, 3),) * 2]
    assert [(node.thought.key, node.score) for node in found.nodes] == [("a", 9), ("c", 6)]


def test_a_cap_on_evaluations_holds_between_rounds() -> None:
    found = drive(
        bfs(ROOT, depth=3, b=2, select=greedy, boundary=Boundary(), caps=Caps(evaluations=6)),
        lambda node: [Thought(k, k, k) for k in "abcd"],
        lambda node, draw: 1.0,
    )
    assert len(found.scored) == 6
    assert found.reports[-1].stop == "evaluations"
    assert len(found.nodes) == 2


@pytest.mark.parametrize("kind", ["bfs", "beam"])
def test_it_saves_a_third_of_the_value_samples_and_finds_more_than_as_many_spread_evenly(kind: str) -> None:
    policies = {"at the cut": Boundary(most=3), **{f"{n} each": Boundary(first=n, most=n) for n in (1, 2, 3)}}
    found, spent = dict.fromkeys(policies, 0), dict.fromkeys(policies, 0)
    for seed in range(60):
        maze = Maze(depth=4, branching=4, seed=seed)
        for name, policy in policies.items():
            search = (
                bfs(ROOT, depth=4, b=3, select=greedy, boundary=policy)
                if kind == "bfs"
                else beam(ROOT, depth=4, width=3, aggregate="last", boundary=policy)
            )
            driven = drive(search, maze.grow, verdicts(maze, seed))
            found[name] += maze.leaves[0] in [node.thought.state for node in driven.nodes]
            spent[name] += len(driven.scored)
    print(kind, *(f"{name}: {found[name]} of 60 with {spent[name]}" for name in policies), sep="; ")
    assert spent["at the cut"] <= 0.7 * spent["3 each"]
    assert spent["at the cut"] < spent["2 each"]
    assert found["1 each"] < found["2 each"] <= found["at the cut"] <= found["3 each"]


def verdicts(maze: Maze, seed: int) -> Score:
    """Sure, likely or impossible: a judge about as good as GPT-4 in the Game of 24 with three numbers left."""

    def score(node: Node, draw: int) -> float:
        state = node.thought.state
        chance = random.Random(f"{seed} {state} {draw}").random()
        sure, likely = (0.52, 0.97) if maze.leaves[0].startswith(state) else (0.03, 0.6)
        return 20.0 if chance < sure else 1.0 if chance < likely else 0.001

    return score
