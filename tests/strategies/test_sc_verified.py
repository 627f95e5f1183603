"""Votes where a program can tell what is right: rules come before any vote, and chains are only parted by them."""

from __future__ import annotations

from typing import Any

import pytest
from retold import Told, told

from promptkit.composition import inner
from promptkit.types import Request

PUZZLE = "1 4 9 11"
RIGHT, AS_GOOD = "(4 - 1) * 11 - 9", "11 + 1 * 4 + 9"
WRONG = "1 + 4 + 9 + 11"


def voted(spec: str, *said: str, **how: Any) -> Told:
    """What becomes of a vote of the pack game24 over these answers, by the number of their sample."""

    def say(prompt: str, request: Request) -> str:
        return f"So it is.\nAnswer: {said[request.draw[0]]}"

    strategy = inner(spec)
    assert strategy
    return told(strategy, say, PUZZLE, pack="game24", **how)


def test_an_answer_that_a_program_found_right_is_one_vote() -> None:
    """Else a vote would be the right one of any n: what best-of-n is for."""
    ran = voted("sc(n=5, of=cot)", WRONG, WRONG, RIGHT, WRONG, WRONG)
    assert (ran.outcome.answer, ran.outcome.verified) == (WRONG, False)


def test_two_answers_that_are_both_right_are_no_tie() -> None:
    ran = voted("sc(n=2, of=cot)", RIGHT, AS_GOOD)
    assert (ran.outcome.answer, ran.outcome.status, ran.outcome.verified) == (RIGHT, "done", True)
    assert (ran.outcome.detail["tied"], ran.outcome.detail["rejected"]) == ([], [])
    assert "tie" in ran.outcome.detail["checked"]


@pytest.mark.parametrize("said", [(WRONG, RIGHT), (RIGHT, WRONG)])
def test_a_tie_goes_to_the_answer_that_is_right_where_a_strategy_says_so(said: tuple[str, str]) -> None:
    ran = voted("sc(n=2, of=cot)", *said)
    assert (ran.outcome.answer, ran.outcome.verified) == (RIGHT, True)
    assert (ran.outcome.confidence, ran.outcome.detail["tied"]) == (None, [])
    assert ran.best[-1] == RIGHT
    plain = voted("sc(n=2)", *said)
    assert (plain.outcome.answer, plain.outcome.status) == (None, "undecided"), "chains vote, as published"


def test_among_chains_a_majority_wins_even_if_it_is_wrong() -> None:
    """What self-consistency is, as published: it is told to be wrong, and stays the answer."""
    ran = voted("sc(n=3)", RIGHT, WRONG, WRONG)
    assert (ran.outcome.answer, ran.outcome.verified) == (WRONG, False)


def test_a_tie_of_wrong_answers_stays_one() -> None:
    ran = voted("sc(n=2)", WRONG, "1 * 4 * 9 * 11")
    assert (ran.outcome.answer, ran.outcome.status) == (None, "undecided")
    assert len(ran.outcome.detail["tied"]) == 2
