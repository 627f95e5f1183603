"""Reflect, review, refine: a mend counts only where an independent review, or a program, finds it better."""

from __future__ import annotations

from typing import Any

import pytest
from retold import cut, down, samples_within_forecast, text_of, told

from promptkit.announced import within
from promptkit.errors import BadInput
from promptkit.events import Stopped, Warned
from promptkit.strategies.reflection.reflect import Reflect
from promptkit.types import Completion, Problem, Request

CRITIQUE, REFINE, REVIEW = "Give feedback on the draft", "Write the answer anew", "Criterion:"


def reviewed(grades: dict[str, str], mends: tuple[str, ...] = ("41",)) -> Any:
    """A draft of 40, mends in turn, and grades by the answer."""
    given = iter(mends)

    def say(prompt: str, request: Request) -> str:
        if CRITIQUE in prompt:
            return "“40” is wrong.\nVerdict: 2"
        if REFINE in prompt:
            return f"Answer: {next(given)}"
        if REVIEW in prompt:
            return f"Hm.\nVerdict: {grades[prompt.partition('Answer: ')[2].split()[0]]}"
        return "Answer: 40"

    return say


def test_a_better_review_accepts_the_mend() -> None:
    strategy = Reflect(rounds=1)
    ran = told(strategy, reviewed({"40": "2", "41": "3"}))
    assert (ran.outcome.answer, ran.outcome.detail["accepted"], ran.best) == ("41", [True], ["40", "41"])
    assert [REVIEW in p for p in ran.prompts] == [False, True, True, True, False, False, True, True, True]
    samples_within_forecast(strategy, ran)


@pytest.mark.parametrize("grade", ["1", "2"])
def test_one_that_is_no_better_is_refused(grade: str) -> None:
    ran = told(Reflect(rounds=2), reviewed({"40": "2", "41": grade, "39": "1"}, ("41", "39")))
    assert (ran.outcome.answer, ran.outcome.detail["accepted"], ran.best) == ("40", [False, False], ["40"])


def test_a_refused_mend_leaves_no_trace_in_the_next_round() -> None:
    ran = told(Reflect(rounds=2), reviewed({"40": "2", "41": "1", "42": "5"}, ("41", "42")))
    second = [p for p in ran.prompts if REFINE in p][1]
    assert "41" not in second
    assert ran.outcome.answer == "42"


def test_the_reviewer_is_independent() -> None:
    ran = told(Reflect(rounds=1), reviewed({"40": "2", "41": "3"}))
    reviews = [request for request in ran.requests if REVIEW in text_of(request)]
    assert {request.messages[0].role for request in reviews} == {"system"}
    assert not any("is wrong" in text_of(request) for request in reviews)  # it has not heard the criticism
    others = {request.draw[0] for request in ran.requests if CRITIQUE in text_of(request) or REFINE in text_of(request)}
    assert {request.draw[0] for request in reviews} & others == set()


def test_criteria_weigh_as_they_are_written() -> None:
    def say(prompt: str, request: Request) -> str:
        if REVIEW in prompt:
            newer, correct = "Answer: 41" in prompt, "Criterion: correct" in prompt
            return f"Verdict: {3 + (newer if correct else -newer)}"  # better by the one, worse by the other
        return str(reviewed({})(prompt, request))

    assert told(Reflect(rounds=1, rubric="correct=3, brief"), say).outcome.answer == "41"
    assert told(Reflect(rounds=1, rubric="correct, brief=3"), say).outcome.answer == "40"


def test_a_verdict_that_cannot_be_read_accepts_nothing() -> None:
    ran = told(Reflect(rounds=1), reviewed({"40": "1", "41": "10"}))
    assert (ran.outcome.answer, ran.outcome.detail["accepted"]) == ("40", [False])


def test_rules_accept_and_nothing_is_reviewed() -> None:
    def say(prompt: str, request: Request) -> str:
        if "Correct the steps" in prompt:
            return "Answer: (4 - 1) * 11 - 9"
        return "Verdict: wrong" if "Check these steps" in prompt else "Answer: 1 + 4 + 9 + 11"

    ran = told(Reflect(), say, "1 4 9 11", pack="game24")
    assert (ran.outcome.verified, len(ran.prompts)) == (True, 3)


def test_a_pack_is_reviewed_by_its_own_judge() -> None:
    def say(prompt: str, request: Request) -> str:
        if "Is it right?" in prompt:
            return "yes" if "Proposed answer: 42" in prompt else "no"
        if "corrected solution" in prompt:
            return "Answer: 42"
        return "Verdict: wrong" if "Check every equation" in prompt else "Answer: 40"

    ran = told(Reflect(rounds=1), say, "Anna has 6 boxes with 7 cups each. How many cups are there?", pack="words")
    assert ran.outcome.answer == "42"
    assert not any(REVIEW in p for p in ran.prompts)


def test_a_review_that_is_lost_accepts_nothing(instant_retries: None) -> None:
    def say(prompt: str, request: Request) -> str | Completion:
        return down() if REVIEW in prompt and "41" in prompt else str(reviewed({"40": "2"})(prompt, request))

    ran = told(Reflect(rounds=1), say)
    assert (ran.outcome.answer, ran.outcome.detail["accepted"]) == ("40", [False])
    assert all(event.message.startswith("no review came back") for event in ran.of(Warned))


@pytest.mark.parametrize("review", ["who knows", None])
def test_no_round_is_paid_for_when_no_mend_could_be_found_better(instant_retries: None, review: str | None) -> None:
    """Without a grade of the draft there is nothing a mend could be better than."""

    def say(prompt: str, request: Request) -> str | Completion:
        if REVIEW in prompt:
            return down() if review is None else review
        return str(reviewed({})(prompt, request))

    ran = told(Reflect(rounds=3), say)
    assert (ran.outcome.answer, ran.outcome.detail["accepted"]) == ("40", [])
    assert not any(CRITIQUE in prompt or REFINE in prompt for prompt in ran.prompts)
    assert [event.reason for event in ran.of(Stopped)] == ["no review of the draft could be read"]


@pytest.mark.parametrize("draft", ["", "who knows"])
def test_a_draft_that_cannot_be_read_is_in_the_forecast(draft: str) -> None:
    def say(prompt: str, request: Request) -> str:
        return "Fine.\nVerdict: 5" if CRITIQUE in prompt else draft

    strategy = Reflect()
    samples_within_forecast(strategy, told(strategy, say, reader="number"))


@pytest.mark.parametrize("part", [CRITIQUE, REFINE])
def test_a_call_that_is_lost_leaves_the_draft(instant_retries: None, part: str) -> None:
    def say(prompt: str, request: Request) -> str | Completion:
        return down() if part in prompt else str(reviewed({"40": "2"})(prompt, request))

    ran = told(Reflect(rounds=1), say)
    assert (ran.outcome.answer, ran.outcome.detail["failed"]) == ("40", 1)


def test_a_mend_cut_off_is_not_accepted() -> None:
    def say(prompt: str, request: Request) -> str | Completion:
        return cut("Answer: 42") if REFINE in prompt else str(reviewed({"40": "1"})(prompt, request))

    assert told(Reflect(rounds=1), say).outcome.answer == "40"


@pytest.mark.parametrize("rubric", ["", "correct=0", "correct=-1", "correct=nan", "a, a=2", "=3"])
def test_a_rubric_that_cannot_be_read_is_refused(rubric: str) -> None:
    with pytest.raises(BadInput, match="--rubric"):
        Reflect(rubric=rubric)


def test_it_shrinks_to_fit() -> None:
    made = within(Reflect(), Problem(text="?"), 20)
    assert isinstance(made, Reflect)
    assert made.rounds == 1
    assert within(Reflect(), Problem(text="?"), 5) is None
