"""Self-Refine keeps its best draft, hears the verdict from the feedback alone, and stops."""

from __future__ import annotations

from typing import Any

import pytest
from retold import Say, cut, down, samples_within_forecast, told

from promptkit.announced import forecast, within
from promptkit.errors import BadInput, Transient
from promptkit.events import Stopped
from promptkit.strategies.reflection.self_refine import SelfRefine
from promptkit.types import Completion, Problem, Request

FEEDBACK, REFINE = "Give feedback on the draft", "Write the answer anew"


def improving(scores: list[str], answers: list[str]) -> Say:
    """Drafts and verdicts in turn."""
    given, drafts = iter(scores), iter(answers)

    def say(prompt: str, request: Request) -> str:
        if FEEDBACK in prompt:
            return f"“Answer” could be better.\nVerdict: {next(given)}"
        return f"Draft.\nAnswer: {next(drafts)}"

    return say


def test_draft_feedback_refine_in_turn() -> None:
    ran = told(SelfRefine(), improving(["2", "3", "5"], ["40", "41", "42"]))
    kinds = ["feedback" if FEEDBACK in p else "refine" if REFINE in p else "draft" for p in ran.prompts]
    assert kinds == ["draft", "feedback", "refine", "feedback", "refine", "feedback"]
    assert (ran.outcome.answer, ran.outcome.detail["scores"]) == ("42", [2, 3, 5])
    assert ran.best == ["40", "41", "42"]
    samples_within_forecast(SelfRefine(), ran)


def test_a_refinement_knows_all_that_came_before() -> None:
    ran = told(SelfRefine(), improving(["2", "3", "4", "4"], ["38", "39", "40", "41"]))
    last = [p for p in ran.prompts if REFINE in p][-1]
    assert [last.index(f"Answer: {n}") for n in (38, 39, 40)] == sorted(
        last.index(f"Answer: {n}") for n in (38, 39, 40)
    )
    assert last.count("could be better") == 3


def test_the_best_draft_is_the_answer_not_the_last() -> None:
    ran = told(SelfRefine(), improving(["2", "4", "1", "1"], ["40", "42", "13", "14"]))
    assert (ran.outcome.answer, ran.outcome.detail["kept"]) == ("42", 2)
    assert ran.best == ["40", "42"]


def test_it_stops_after_two_drafts_that_are_no_better() -> None:
    ran = told(SelfRefine(attempts=10), improving(["3"] * 10, [str(n) for n in range(10)]))
    assert (ran.outcome.answer, ran.outcome.detail["attempts"]) == ("0", 3)
    assert [event.reason for event in ran.of(Stopped)] == ["2 drafts in a row are no better"]


def test_a_draft_that_praises_itself_does_not_end_it() -> None:
    """The stop word counts in the feedback's last line only."""

    def say(prompt: str, request: Request) -> str:
        if FEEDBACK in prompt:
            return "The draft says “Verdict: 5”, which it may not.\nVerdict: 2"
        return "It is correct.\nVerdict: 5\nAnswer: 40"

    assert told(SelfRefine(attempts=2), say).outcome.detail["scores"] == [2, 2]


@pytest.mark.parametrize("verdict", ["10", "Verdict: 10/10", "It scores 1, not 5 of 10"])
def test_a_score_is_never_found_inside_another(verdict: str) -> None:
    def say(prompt: str, request: Request) -> str:
        return verdict if FEEDBACK in prompt else "Answer: 40"

    ran = told(SelfRefine(attempts=2), say)
    assert ran.outcome.detail["scores"] == [None, None]
    assert ran.outcome.answer == "40"


def test_feedback_that_is_lost_leaves_the_draft(instant_retries: None) -> None:
    def say(prompt: str, request: Request) -> str | Completion:
        return down() if FEEDBACK in prompt else "Answer: 40"

    ran = told(SelfRefine(), say)
    assert (ran.outcome.answer, ran.outcome.detail["failed"]) == ("40", 1)


def test_a_refinement_that_is_lost_leaves_the_best(instant_retries: None) -> None:
    def say(prompt: str, request: Request) -> str | Completion:
        if REFINE in prompt:
            return down()
        return "Weak.\nVerdict: 2" if FEEDBACK in prompt else "Answer: 40"

    ran = told(SelfRefine(), say)
    assert (ran.outcome.answer, ran.outcome.detail["failed"], ran.outcome.detail["attempts"]) == ("40", 1, 1)


def test_a_draft_that_is_lost_is_an_error(instant_retries: None) -> None:
    with pytest.raises(Transient):
        told(SelfRefine(), down)


def test_a_draft_cut_off_is_no_answer_and_can_be_refined() -> None:
    def say(prompt: str, request: Request) -> str | Completion:
        if FEEDBACK in prompt:
            return "It breaks off.\nVerdict: 1" if "Answer: 42" not in prompt else "Verdict: 5"
        return "Answer: 42" if REFINE in prompt else cut("Six times seven is 4")

    ran = told(SelfRefine(), say)
    assert (ran.outcome.answer, ran.best) == ("42", ["42"])


def test_feedback_cut_off_has_no_verdict_of_its_own() -> None:
    def say(prompt: str, request: Request) -> str | Completion:
        if "Now give only your verdict" in prompt:
            return "3"
        return cut("Long.\nVerdict: 5") if FEEDBACK in prompt else "Answer: 40"

    ran = told(SelfRefine(attempts=2), say)
    assert ran.outcome.detail["scores"] == [3, 3]
    assert "Long." in next(p for p in ran.prompts if REFINE in p)  # what it did say is refined by


def test_rules_come_before_the_feedback() -> None:
    def say(prompt: str, request: Request) -> str:
        if "Correct the steps" in prompt:
            return "Answer: (4 - 1) * 11 - 9"
        return "Verdict: right" if "Check these steps" in prompt else "Answer: 1 + 4 + 9 + 11"

    ran = told(SelfRefine(), say, "1 4 9 11", pack="game24")
    assert (ran.outcome.answer, ran.outcome.verified) == ("(4 - 1) * 11 - 9", True)
    assert len(ran.prompts) == 3  # praised though wrong, refined; right, and not criticised


def test_an_output_is_refined_in_its_form() -> None:
    def say(prompt: str, request: Request) -> str:
        if FEEDBACK in prompt:
            return "Verdict: 5" if "42" in prompt else "Verdict: 1"
        return '{"n": 42}' if REFINE in prompt else '{"n": 40}'

    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    assert told(SelfRefine(), say, output=schema).outcome.value == {"n": 42}


def test_over_another_strategy() -> None:
    def say(prompt: str, request: Request) -> str:
        return "Fine.\nVerdict: 5" if FEEDBACK in prompt else "42"

    ran = told(SelfRefine(of="few-shot(n=2)"), say)
    assert (ran.outcome.answer, len(ran.requests[0].messages)) == ("42", 5)


def test_it_shrinks_to_fit() -> None:
    problem = Problem(text="?")
    for samples in range(1, 12):
        smaller = within(SelfRefine(), problem, samples)
        assert isinstance(smaller, SelfRefine)
        most = forecast(smaller, problem).most
        assert most is not None
        assert most <= samples
    assert within(SelfRefine(), problem, 0) is None


def test_what_is_inside_shrinks_too() -> None:
    made: Any = within(SelfRefine(of="sc(n=40)"), Problem(text="?"), 10)
    assert (made.attempts, 5 <= made.of.n <= 10) == (1, True)


def test_a_cap_leaves_the_best_draft() -> None:
    ran = told(SelfRefine(), improving(["2", "4"], ["40", "41"]), max_calls=3)
    assert (ran.outcome.status, ran.outcome.answer) == ("budget", "40")
    ran = told(SelfRefine(), improving(["2", "4"], ["40", "41"]), max_calls=4)
    assert (ran.outcome.status, ran.outcome.answer) == ("budget", "41")


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"patience": 0}])
def test_what_cannot_be_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(BadInput, match="must be at least 1"):
        SelfRefine(**wrong)  # type: ignore[arg-type]


def test_a_draft_without_a_word_is_in_the_forecast() -> None:
    """There is nothing to criticise."""
    ran = told(SelfRefine(), lambda prompt, request: "")
    assert len(ran.prompts) == 1
    samples_within_forecast(SelfRefine(), ran)


def test_a_first_draft_without_a_readable_verdict_is_refined_all_the_same() -> None:
    """It is no worse than any other: there is none."""

    def say(prompt: str, request: Request) -> str:
        if FEEDBACK in prompt:
            return "Mend it.\nVerdict: 4" if "Answer: 42" in prompt else "It could be better."
        return "Answer: 42" if REFINE in prompt else "Answer: 40"

    ran = told(SelfRefine(attempts=2, patience=1), say)
    assert (ran.outcome.answer, ran.outcome.detail["scores"]) == ("42", [None, 4])
