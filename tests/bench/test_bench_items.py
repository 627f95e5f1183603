"""What a benchmark asks is nowhere in training, and the same every time."""

from __future__ import annotations

import random

import pytest

from promptkit import examples
from promptkit.bench import verdicts, words
from promptkit.bench.game24 import chosen
from promptkit.bench.patterns import SHOTS, patterns
from promptkit.bench.pools import EACH, mixed
from promptkit.bench.states import after, alive, held_out
from promptkit.worlds.game24_puzzles import held_out_state, split_of
from promptkit.worlds.patterns import fact, share, stretches
from promptkit.worlds.words import Level
from promptkit.worlds.words import split_of as split_of_words
from training import game24 as lessons


@pytest.mark.parametrize("level", ["easy", "middle", "hard"])
def test_word_problems_are_different_ones_of_the_test_split(level: Level) -> None:
    asked = words.problems(level, 60)
    assert {split_of_words(problem.key) for problem in asked} == {"test"}
    assert len({problem.key for problem in asked}) == 60
    assert {problem.level for problem in asked} == {level}


def test_a_smaller_benchmark_asks_the_first_of_a_larger_one() -> None:
    assert words.problems("hard", 5) == words.problems("hard", 20)[:5]
    assert patterns(5) == patterns(20)[:5]


def test_no_worked_example_is_asked() -> None:
    shown = {examples.same(each.question) for each in examples.of_pack("words")}
    assert not shown & {examples.same(problem.question) for problem in words.problems("hard", 60)}


def test_patterns_are_of_the_test_split_and_so_is_what_they_ask() -> None:
    for pattern in patterns(60):
        assert len(pattern.examples) == max(SHOTS)
        assert share([*stretches(pattern)][-1]) == "test"
        told = fact(pattern.kind, pattern.question, pattern.answer)
        assert told is None or share(told) == "test"


def test_a_mixed_store_has_its_own_rule_and_never_the_question() -> None:
    for pattern in patterns(30):
        held = mixed(pattern)
        assert held == mixed(pattern)
        own = {asked for asked, _ in pattern.examples}
        assert sum(each["question"] in own for each in held) >= EACH
        assert pattern.question not in {each["question"] for each in held}
        assert 4 * EACH < len(held) <= 5 * EACH


def test_states_are_held_out_and_no_lesson_can_lead_to_them() -> None:
    states = verdicts.sampled(200)
    assert all(held_out_state(state.numbers) for state in states)
    taught = {move[4] for state in states for move in lessons.moves(state.puzzle)}
    assert not taught & {state.numbers for state in states}


def test_half_of_the_states_are_solvable_and_none_is_asked_twice() -> None:
    states = verdicts.sampled(200)
    assert len({state.numbers for state in states}) == len(states)
    assert [state.alive for state in states].count(True) * 2 == len(states) > 300
    assert len(verdicts.sampled(10)) == 20
    assert all(state.puzzle[-1] <= 13 for state in verdicts.sampled(10))


def test_a_state_is_solvable_by_the_rules_that_were_taught() -> None:
    for state in held_out(13):
        assert state.alive == alive(state.numbers)
        assert state.numbers in after(state.puzzle)
    assert alive((4, 6))
    assert not alive((5, 25))
    assert not alive((15, 18, 20))  # 18 / 15 * 20 needs a fraction, 18 * 20 / 15 a number above 300


def test_drafts_are_of_puzzles_of_the_test_split() -> None:
    assert {split_of(tuple(map(int, puzzle.split()))) for puzzle in chosen("test", 50)} == {"test"}


def test_a_near_miss_is_wrong_and_there_are_as_many_as_are_wanted() -> None:
    rng = random.Random(1)
    for problem in words.problems("easy", 60):
        missed = verdicts.near_misses(rng, problem, 3)
        assert len({*missed, problem.answer}) == 4
        assert min(missed) > 0
