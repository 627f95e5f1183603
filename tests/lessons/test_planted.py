"""Exercises over a scripted model, where every sample is known: the answers to the digit."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from promptkit import lessons
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.types import Request


def saying(replies: Sequence[str]) -> Scripted:
    """A model whose i-th sample of any question is the i-th reply."""

    def say(request: Request) -> str:
        return replies[request.index % len(replies)]

    return Scripted(say)


def chosen(question: lessons.Question) -> list[str]:
    return [question.choices[place] for place in question.right]


def test_the_vote_is_counted_and_the_slip_of_the_winner_is_named(journal: Journal) -> None:
    said = ["Answer: 1", "1 + 1 = 3\nAnswer: 30001", "Answer: 2"] + ["1 + 1 = 3\nAnswer: 30001"] * 6
    exercise = lessons.exercise("vote", model=saying(said), journal=journal)
    winner, truth = exercise.questions
    assert chosen(winner) == ["30001"]
    assert "30001 has 5, 1 has 1, 2 has 1; the other 2 could not change that" in winner.why
    assert winner.shown[winner.shown.index("chain 2") + 1] == "  1 + 1 = 3"
    assert "chain 4" not in winner.shown
    assert chosen(truth) == ["no"]
    assert "the winning chain has 1 + 1 = 3, where 1 + 1 = 2" in truth.why


def test_a_tie_has_no_winner(journal: Journal) -> None:
    exercise = lessons.exercise("vote", model=saying(["Answer: 1", "Answer: 2", "Answer: 3"]), journal=journal)
    assert [chosen(each) for each in exercise.questions] == [["none: no answer is ahead"], ["there is no winner"]]


def test_replies_without_an_answer_are_no_votes(journal: Journal) -> None:
    exercise = lessons.exercise("vote", model=saying(["hm."]), journal=journal)
    assert chosen(exercise.questions[0]) == ["none: no answer is ahead"]
    assert "no chain has an answer" in exercise.questions[0].why


def test_the_false_equation_is_found_among_beams_that_hold(journal: Journal) -> None:
    said = ["2 * 3 = 6\nAnswer: 6", "2 * 4 = 8\n8 - 3 = 4\nAnswer: 4", "2 * 3 = 6\nAnswer: 6", "2 + 5 = 7\nAnswer: 7"]
    exercise = lessons.exercise("beam", model=saying(said), journal=journal)
    false, right = exercise.questions
    assert false.choices == ("2 * 3 = 6", "2 * 4 = 8; 8 - 3 = 4", "2 + 5 = 7", "none: all equations hold")
    assert (false.solution, false.why) == ("b", "it has 8 - 3 = 4, where 8 - 3 = 5.")
    assert "they end in 6, 4, 7; exactly it is" in right.why


def test_where_no_equation_is_false_none_is_the_answer(journal: Journal) -> None:
    exercise = lessons.exercise("beam", model=saying(["2 * 3 = 6\nAnswer: 6"]), journal=journal)
    assert chosen(exercise.questions[0]) == ["none: all equations hold"]


@pytest.mark.parametrize(
    ("answers", "stopped", "settled"),
    [("1 2 1 1 1 1 1 2 2 2 2", "5", "7"), ("1 2 1 2 1 2 1 2 1 2 1", "11", "11"), ("2 1 1 2 1 1 1 2 1 2 2", "7", "9")],
)
def test_a_rule_of_three_ahead_stops_where_it_must(answers: str, stopped: str, settled: str, journal: Journal) -> None:
    said = [f"Answer: {each}" for each in answers.split()]
    exercise = lessons.exercise("samples", model=saying(said), journal=journal)
    ruled, plain, _ = exercise.questions
    assert (chosen(ruled), chosen(plain)) == ([stopped], [settled])
    assert ruled.shown[1:3] == (f"   1  {answers[0]}", f"   2  {answers[2]}")
    assert (f"3 ahead ({'1 has 6, 2 has 5'})" in ruled.why) == (stopped == "11")
