"""RE2: any strategy is asked the question twice; its outcome is the outcome."""

from __future__ import annotations

import pytest
from script_by_prompt import NUMBER, Script, run

from promptkit.announced import Forecast, within
from promptkit.errors import BadInput
from promptkit.strategies.prompting.re_read import ReRead
from promptkit.types import Problem, message

TWICE = "How many?\n\nRead the question again: How many?"


@pytest.mark.parametrize("of", ["cot", "direct", "sc(n=3)", "plan-and-solve"])
def test_the_question_stands_there_twice(of: str) -> None:
    script = Script(("", "Let me see.\nAnswer: 42"))
    done = run(ReRead(of=of), script, **NUMBER)
    assert all(prompt.startswith(TWICE) for prompt in script.prompts)
    assert done.outcome.answer == done.best[-1] == "42"


def test_history_and_attachments_are_there_once() -> None:
    script = Script()
    run(ReRead(), script, history=[message("user", "Hello"), message("assistant", "Hi")], attach=b"a,b\n1,2\n")
    (request,) = script.asked
    assert [turn.role for turn in request.messages] == ["user", "assistant", "user"]
    assert request.messages[-1].text.count("1,2") == 1
    assert request.messages[-1].text.count("How many?") == 2


def test_what_the_strategy_inside_says_is_kept() -> None:
    done = run(ReRead(of="sc(n=3)"), Script(), **NUMBER)
    assert (done.outcome.confidence, dict(done.outcome.detail["votes"])) == (1.0, {"42": 2})


def test_an_output_is_held_to_its_form() -> None:
    assert run(ReRead(), Script(("", '{"n": 1}')), output={"type": "object"}).outcome.value == {"n": 1}


def test_puzzles_go_as_they_are() -> None:
    with pytest.raises(BadInput, match="game24"):
        run(ReRead(), Script(), "4 5 6 10", pack="game24")


def test_what_it_may_take() -> None:
    problem = Problem(text="How many?")
    assert ReRead().forecast(problem) == Forecast(1, 1, 1)
    assert within(ReRead(of="sc(n=9)"), problem, 4) == ReRead(of="sc(n=4)")
    with pytest.raises(BadInput, match="--of"):
        ReRead(of=None)
