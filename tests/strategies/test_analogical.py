"""Analogical prompting: recalled problems come first, and only the last answer counts."""

from __future__ import annotations

import pytest
from script_by_prompt import NUMBER, Script, cut, run

from promptkit.announced import ONE
from promptkit.errors import BadInput
from promptkit.strategies.prompting.analogical import Analogical
from promptkit.types import Completion, Problem

RECALLED = "## Relevant Problems:\nProblem 1: How many are 2 and 3?\nAnswer: 5\nProblem 2: And 3 and 4?\nAnswer: 7\n"
HEADING = "## Solve the Initial Problem:"


def test_problems_are_recalled_before_the_question_is_solved() -> None:
    script = Script(("", f"{RECALLED}\n{HEADING}\nLet's solve the initial problem. 6 * 7 = 42.\nAnswer: 42"))
    done = run(Analogical(exemplars=4), script, **NUMBER)
    (prompt,) = script.prompts
    assert "Recall 4 examples of problems that are relevant" in prompt
    assert "tutorial" not in prompt
    assert prompt.index("How many?") < prompt.index("Recall") < prompt.index(HEADING)
    assert (done.outcome.answer, done.best) == ("42", ["42"])
    assert done.outcome.text.startswith(RECALLED)


def test_a_tutorial_comes_before_them() -> None:
    script = Script()
    run(Analogical(concepts=True), script)
    assert script.prompts[0].index("tutorial") < script.prompts[0].index("Recall 3")


@pytest.mark.parametrize("reply", [cut(RECALLED), f"{RECALLED}{HEADING}\nHard to say.", f"{RECALLED}That is all."])
def test_a_recalled_answer_is_not_taken_for_the_own(reply: str | Completion) -> None:
    assert run(Analogical(), Script(("", reply)), **NUMBER).outcome.status == "undecided"


@pytest.mark.parametrize("heading", ["## 3. Solve the Initial Problem:\n6 * 7.\n", "**Solve the initial problem:** "])
def test_the_heading_may_have_a_number_and_the_solution_begin_on_its_line(heading: str) -> None:
    script = Script(("", f"{RECALLED}{heading}Answer: **42**\n\nI hope this helps."))
    assert run(Analogical(), script, **NUMBER).outcome.answer == "42"


def test_without_the_heading_the_last_line_counts() -> None:
    assert run(Analogical(), Script(("", f"{RECALLED}So it is 6 * 7.\nAnswer: 42")), **NUMBER).outcome.answer == "42"


def test_an_output_stands_at_the_end_of_the_reply() -> None:
    done = run(Analogical(), Script(("", f'{RECALLED}{{"n": 42}}')), output={"type": "object"})
    assert done.outcome.value == {"n": 42}


def test_what_it_takes() -> None:
    assert Analogical().forecast(Problem(text="How many?")) == ONE
    with pytest.raises(BadInput, match="--exemplars"):
        Analogical(exemplars=0)
