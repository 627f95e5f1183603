"""Plan-and-Solve: the paper's sentences in the place of the trigger, and its second call."""

from __future__ import annotations

from typing import Any

import pytest
from script_by_prompt import NUMBER, Script, cut, run

from promptkit.announced import within
from promptkit.errors import BadInput
from promptkit.strategies.prompting.plan_and_solve import PlanAndSolve
from promptkit.types import Problem

PLAN = "First, the boxes. Then, 6 * 7 = 42."


@pytest.mark.parametrize(("trigger", "careful"), [("ps", False), ("ps+", True)])
def test_the_papers_sentence_takes_the_place_of_the_trigger(trigger: Any, careful: bool) -> None:
    script = Script(("", f"{PLAN}\nAnswer: 42"))
    done = run(PlanAndSolve(trigger=trigger), script)
    (prompt,) = script.prompts
    assert "Let's first understand the problem" in prompt
    assert "step by step" in prompt
    assert ("extract relevant variables and their corresponding numerals" in prompt) == careful
    assert ("pay attention to correct numerical calculation and commonsense" in prompt) == careful
    assert (done.outcome.answer, done.best) == ("42", ["42"])


def test_the_second_call_draws_the_answer() -> None:
    script = Script(("Therefore", "Answer: 42"), ("", "It comes to some number of them."))
    done = run(PlanAndSolve(extract="always"), script, **NUMBER)
    first, second = script.asked
    assert second.messages[: len(first.messages)] == first.messages
    assert (done.outcome.answer, done.outcome.detail["extracted"]) == ("42", True)
    assert run(PlanAndSolve(), script, **NUMBER).outcome.status == "undecided"


def test_a_plan_that_was_cut_off_has_no_answer() -> None:
    outcome = run(PlanAndSolve(), Script(("", cut("The plan: 6 boxes, 42"))), **NUMBER).outcome
    assert (outcome.answer, outcome.status, outcome.detail["finish"]) == (None, "undecided", "length")


def test_one_sample_is_enough_for_it() -> None:
    problem = Problem(text="How many?")
    assert PlanAndSolve(extract="always").forecast(problem).most == 2
    assert within(PlanAndSolve(extract="always"), problem, 1) == PlanAndSolve(extract="never")


def test_another_sentence_is_refused() -> None:
    with pytest.raises(BadInput, match="ps or ps"):
        PlanAndSolve(trigger="ps++")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="never, unread or always"):
        PlanAndSolve(extract="sometimes")  # type: ignore[arg-type]
