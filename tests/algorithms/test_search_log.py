"""The log of the Tree of Thoughts paper, read by the searches: what its calls were worth, and what they could be.

GPT-4 on 100 puzzles of the Game of 24, every candidate and value (princeton-nlp/tree-of-thought-llm, MIT).
"""

from __future__ import annotations

import json
import random
from itertools import combinations_with_replacement
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from search_trees import Score, drive

from promptkit.algorithms.search.bfs import bfs
from promptkit.algorithms.search.boundary import Boundary
from promptkit.algorithms.search.nodes import Node, Thought
from promptkit.algorithms.search.select import greedy
from promptkit.worlds.game24 import Game24, remaining, solvable

LOG = Path(__file__).parents[3] / "shared" / "data" / "tot" / "game24_tot_b5_gpt4.json"
WORLD = Game24()
Puzzle = dict[str, Any]


@pytest.fixture(scope="module")
def log() -> list[Puzzle]:
    if not LOG.is_file():
        pytest.skip("the released log is not here (shared/data/tot/game24_tot_b5_gpt4.json)")
    puzzles: list[Puzzle] = json.loads(LOG.read_text("utf-8"))
    return puzzles


def test_of_all_five_answers_a_quarter_is_right_and_of_the_first_ones_sixty_two(log: list[Puzzle]) -> None:
    right = [[info["r"] for info in puzzle["infos"]] for puzzle in log]
    assert sum(any(each) for each in right) == 69
    assert sum(each[0] for each in right) == 62
    assert 100 * fmean(fmean(each) for each in right) == pytest.approx(23.8)


def test_a_verifier_and_assembly_make_more_of_the_same_calls(log: list[Puzzle]) -> None:
    """Of the 100, 74 have a state kept after three steps that is 24 by legal steps, and its expression is right."""
    kept = seen = 0
    for puzzle in log:
        question = puzzle["steps"][0]["x"]
        third = puzzle["steps"][2]
        kept += any(solved(question, y) for y in third["select_new_ys"])
        seen += any(solved(question, y) for y in third["new_ys"])
    print(f"verified and assembled: {kept} of the states kept, {seen} of all that were proposed")
    assert (kept, seen) == (74, 76)


def test_an_early_stop_needs_no_verdict_on_the_last_level(log: list[Puzzle]) -> None:
    found = spared = 0
    for puzzle in log:
        driven = drive(bfs(Thought("", "", "root"), depth=4, b=5, select=greedy), *logged(puzzle))
        found += driven.nodes[0].thought.goal
        spared += sum(len(step["new_ys"]) for step in puzzle["steps"]) - len(driven.scored)
    print(f"verified goals: {found}; value queries not made: {spared}")
    assert found == 76
    assert spared > 2000


def test_boundary_evaluation_keeps_as_many_alive_with_half_the_value_samples(log: list[Puzzle]) -> None:
    """Each level's candidates, cut to five: by all three samples, or by one and more at the cut, in a random order."""
    alive = {"plain": 0.0, "boundary": 0.0, "wider on ties": 0.0}
    spent = dict.fromkeys(alive, 0)
    for puzzle in log:
        for level in range(3):
            for name, policy in (
                ("plain", Boundary(first=3, most=3)),
                ("boundary", Boundary(most=3, hopeless=0.001)),
                ("wider on ties", Boundary(most=3, hopeless=0.001, widest=10)),
            ):
                survived, samples = cut(puzzle, level, policy)
                alive[name] += survived
                spent[name] += samples
    print(*(f"{name}: {alive[name] / 3:.1f} alive a level, {spent[name]} samples" for name in alive), sep="; ")
    assert spent["boundary"] == spent["wider on ties"] <= 0.5 * spent["plain"]
    assert alive["boundary"] >= alive["plain"] - 3
    assert alive["wider on ties"] > alive["plain"]


def cut(puzzle: Puzzle, level: int, policy: Boundary) -> tuple[bool, int]:
    """Whether a state that can be solved is kept, and the value samples that took."""
    question, step = puzzle["steps"][0]["x"], puzzle["steps"][level]
    values: dict[str, float] = {}
    for y, value in zip(step["new_ys"], step["values"], strict=True):
        values.setdefault(y, value)  # the log values a repeated candidate 0

    def score(node: Node, draw: int) -> float:
        samples = verdicts(values[node.thought.state])
        random.Random(f"{question} {node.thought.state}").shuffle(samples)
        return samples[draw]

    search = bfs(Thought("", "", "root"), depth=1, b=5, select=greedy, boundary=policy)
    found = drive(search, lambda node: [Thought(y, y, y) for y in values], score)
    states = [replayed(question, node.thought.state) for node in found.nodes]
    return any(state is not None and solvable(remaining(state)) for state in states), len(found.scored)


def verdicts(total: float) -> list[float]:
    """The three verdicts whose scores are logged as a sum; an unreadable one counts 0."""
    for each in combinations_with_replacement((20.0, 1.0, 0.001, 0.0), 3):
        if abs(sum(each) - total) < 1e-6:
            return list(each)
    raise AssertionError(total)


def logged(puzzle: Puzzle) -> tuple[Any, Score]:
    """What was proposed and how it was valued; a legal state that is 24 is a goal."""
    question, steps = puzzle["steps"][0]["x"], puzzle["steps"]

    def grow(node: Node) -> list[Thought]:
        mine = [y for y in steps[node.depth]["new_ys"] if y.startswith(node.thought.state)]
        return [Thought(y, y, y, goal=node.depth == 2 and solved(question, y)) for y in dict.fromkeys(mine)]

    def score(node: Node, draw: int) -> float:
        step = steps[node.depth - 1]
        return float(step["values"][step["new_ys"].index(node.thought.state)])

    return grow, score


def replayed(question: str, y: str) -> str | None:
    """The state after the steps written so far, or None where one is not legal."""
    state: str | None = WORLD.start(question)
    for line in y.strip().split("\n"):
        if state is not None and line.strip() and not line.lower().startswith("answer"):
            state = WORLD.step(state, line)
    return state


def solved(question: str, y: str) -> bool:
    """Whether the steps are legal and end at 24; the expression put together is then right."""
    state = replayed(question, y)
    if state is None or not WORLD.goal(state):
        return False
    answer = WORLD.assemble(state)
    assert answer is not None
    assert WORLD.check(question, answer)
    return True
