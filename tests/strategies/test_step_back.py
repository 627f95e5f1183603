"""Step-back: the generic question, its answer, and the question with that in view."""

from __future__ import annotations

import pytest
from script_by_prompt import NUMBER, Script, cut, run

from promptkit.strategies.prompting.step_back import StepBack
from promptkit.types import Completion, Problem

GENERIC, PRINCIPLE = "What makes a pendulum swing slower?", "Its period grows with its length."
BACK, ASIDE = "Write only the step-back question", "Answer in at most five sentences"
FAITHFUL = "step back and paraphrase a question to a more generic step-back question, which is easier to answer"


def test_the_question_is_answered_from_the_principle() -> None:
    script = Script((BACK, GENERIC), (ASIDE, PRINCIPLE))
    done = run(StepBack(), script, "How slow is this pendulum?")
    back, aside, last = script.prompts
    assert FAITHFUL in back
    assert "How slow is this pendulum?" in back
    assert aside.startswith(GENERIC)
    assert "How slow" not in aside
    assert last.startswith(f"{GENERIC}\n{PRINCIPLE}")
    assert "How slow is this pendulum?" in last
    assert done.best == ["42"]
    assert (done.outcome.detail["step_back"], done.outcome.detail["principle"]) == (GENERIC, PRINCIPLE)


@pytest.mark.parametrize(("back", "aside", "calls"), [("  ", PRINCIPLE, 2), (cut("What ma"), PRINCIPLE, 2)])
def test_without_a_generic_question_it_is_answered_without(back: str | Completion, aside: str, calls: int) -> None:
    script = Script((BACK, back), (ASIDE, aside))
    done = run(StepBack(), script)
    assert (len(script.asked), done.outcome.answer) == (calls, "42")
    assert "no step-back question could be read" in done.told
    assert script.prompts[-1].startswith("How many?")


def test_a_principle_that_was_cut_off_is_not_shown() -> None:
    script = Script((BACK, GENERIC), (ASIDE, cut("Its period gr")))
    done = run(StepBack(), script)
    assert "Its period gr" not in script.prompts[-1]
    assert "no answer to the step-back question" in done.told
    assert done.outcome.detail["principle"] is None


def test_a_strategy_inside_answers_the_generic_question() -> None:
    script = Script((BACK, GENERIC), (GENERIC, f"Because.\nAnswer: {PRINCIPLE}"))
    done = run(StepBack(of="cot"), script)
    assert script.prompts[1].startswith(f"{GENERIC}\n\nLet's think")
    assert done.outcome.detail["principle"] == PRINCIPLE.rstrip(".")
    assert StepBack(of="sc(n=3)").forecast(Problem(text="How many?")).most == 5


def test_a_reply_without_an_answer_decides_nothing() -> None:
    script = Script((BACK, GENERIC), (ASIDE, PRINCIPLE), ("", "Hard to say."))
    assert run(StepBack(), script, **NUMBER).outcome.status == "undecided"
