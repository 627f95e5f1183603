"""Exercises over real runs of the model on board: each answer is what the journal and exact solvers say."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest

from promptkit import api, lessons
from promptkit.errors import BadInput, UnknownName
from promptkit.events import Record
from promptkit.journal import Journal
from promptkit.lessons import page, shots
from promptkit.types import Outcome
from promptkit.worlds.game24 import solvable
from promptkit.worlds.words import draw

SEEDS = (1, 2)


@pytest.fixture(scope="module")
def kept() -> Iterator[Journal]:
    """One for all exercises of the file: what two of them ask is asked once."""
    with Journal.open(None) as opened:
        yield opened


def replayed(run: str, kept: Journal) -> tuple[Outcome, list[Any]]:
    """The outcome and the events of a run, from the journal alone."""
    records: list[Record] = []
    outcome = api.replay(run, journal=kept, sinks=(records.append,))
    return outcome, [record.event for record in records]


def named(events: list[Any], kind: str) -> list[Any]:
    return [event for event in events if type(event).__name__ == kind]


def chosen(question: lessons.Question) -> list[str]:
    return [question.choices[place] for place in question.right]


@pytest.mark.parametrize("name", lessons.LESSONS)
def test_an_exercise_is_short_has_answers_and_commands_and_its_runs_are_recorded(name: str, kept: Journal) -> None:
    exercise = lessons.exercise(name, 1, journal=kept)
    assert len(page.opening(exercise, 80)) <= 8
    assert 2 <= len(exercise.questions) <= 3
    for question in exercise.questions:
        assert 2 <= len(question.choices) <= 9
        assert len(set(question.choices)) == len(question.choices)
        assert question.right
        assert question.correct(question.solution)
        assert question.why.endswith(".")
    assert exercise.score([question.solution for question in exercise.questions]) == len(exercise.questions)
    assert all(command.startswith("promptkit ") for command in exercise.go_on)
    assert [api.find_run(run, kept).status for run in exercise.runs]
    assert len(exercise.runs) <= 8


@pytest.mark.parametrize("name", ["vote", "top-p", "examples"])
def test_a_seed_is_an_exercise(name: str, kept: Journal) -> None:
    with Journal.open(None) as another:
        one, same = lessons.exercise(name, 1, journal=kept), lessons.exercise(name, 1, journal=another)
    assert one.questions == same.questions
    assert lessons.exercise(name, 2, journal=kept).questions != one.questions


@pytest.mark.parametrize("seed", SEEDS)
def test_vote_asks_what_the_count_says(seed: int, kept: Journal) -> None:
    exercise = lessons.exercise("vote", seed, journal=kept)
    winner, truth = exercise.questions
    outcome, _ = replayed(exercise.runs[-1], kept)
    assert chosen(winner) == [outcome.answer or "none: no answer is ahead"]
    row = api.find_run(exercise.runs[-1], kept)
    problem = next(each for each in problems("vote", seed) if each.question == row.question)
    verdict = (
        "there is no winner" if outcome.answer is None else "yes" if outcome.answer == str(problem.answer) else "no"
    )
    assert chosen(truth) == [verdict]


def problems(name: str, seed: int) -> Iterator[Any]:
    chance = lessons.Desk(name=name, seed=seed).chance()
    return (draw(chance, level="hard", split="test") for _ in range(200))


@pytest.mark.parametrize("seed", SEEDS[:1])
def test_tree_asks_what_the_search_kept_and_what_an_exact_solver_says(seed: int, kept: Journal) -> None:
    exercise = lessons.exercise("tree", seed, journal=kept)
    cut, reach, found = exercise.questions
    outcome, events = replayed(exercise.runs[-1], kept)
    states = {each.node: each.state for each in named(events, "NodeAdded")}
    selected = [states[each.node] for each in named(events, "NodeSelected") if len(each.node) == 1]
    assert sorted(choice.partition(", by")[0] for choice in chosen(cut)) == sorted(selected)
    values = {each.node: each.score for each in named(events, "NodeValued") if len(each.node) == 1}
    best = sorted(values, key=lambda node: (-values[node], node))[:2]
    assert sorted(states[node] for node in best) == sorted(selected)
    alive = [state for state in selected if solvable(tuple(sorted(map(Fraction, state.split()))))]
    assert chosen(reach) == [str(len(alive))]
    assert chosen(found) == ["yes" if outcome.verified else "no"]


@pytest.mark.parametrize("seed", SEEDS)
def test_top_p_asks_what_the_verb_shows(seed: int, kept: Journal) -> None:
    exercise = lessons.exercise("top-p", seed, journal=kept)
    nucleus, floor = exercise.questions
    shown = replayed(exercise.runs[-1], kept)[0].detail["tokens"]
    p, least = (float(question.text.split("-p ")[1].split()[0]) for question in (nucleus, floor))
    mass, many = 0.0, 0
    while mass < p:
        mass, many = mass + shown[many]["p"], many + 1
    assert nucleus.right == tuple(range(many))
    assert chosen(floor) == [str(sum(each["p"] >= least * shown[0]["p"] for each in shown))]


@pytest.mark.parametrize("seed", SEEDS)
def test_examples_asks_which_meanings_are_left(seed: int, kept: Journal) -> None:
    exercise = lessons.exercise("examples", seed, journal=kept)
    most, answer, model = exercise.questions
    pairs = [choice.split(" -> ") for choice in most.choices]
    left = [len(shots.meanings([(asked, told)])) for asked, told in pairs]
    assert most.right == (left.index(min(left)),)
    outcome, _ = replayed(exercise.runs[-1], kept)
    assert chosen(model) == ["yes" if outcome.answer == chosen(answer)[0] else "no"]


def test_the_lead_of_the_examples_page_is_true() -> None:
    assert shots.meanings([("7 # 2", "9")]) == ["sum"]
    assert len(shots.meanings([("4 # 4", "4")])) == 4


def test_what_is_not_there_is_said_with_the_nearest_name() -> None:
    with pytest.raises(UnknownName) as unknown:
        lessons.exercise("vot")
    assert "did you mean vote?" in unknown.value.hint
    with pytest.raises(BadInput, match="a seed is 0 or more"):
        lessons.exercise("vote", -1)
