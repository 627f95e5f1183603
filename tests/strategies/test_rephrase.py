"""Rephrase and respond: in one call, or in two with the original still in view."""

from __future__ import annotations

import pytest
from script_by_prompt import NUMBER, Script, cut, run

from promptkit.announced import ONE, within
from promptkit.errors import BadInput
from promptkit.strategies.prompting.rephrase import Rephrase
from promptkit.types import Completion, Problem

FIRST, ANEW = "Given the above question, rephrase and expand", "How many cookies are there in all 6 boxes?"


def test_one_call_does_both() -> None:
    script = Script(("", f"{ANEW}\nAnswer: 42"))
    done = run(Rephrase(), script, **NUMBER)
    (prompt,) = script.prompts
    assert prompt.startswith('"How many?"\n\nRephrase and expand the question, and respond.')
    assert (done.outcome.answer, done.best) == ("42", ["42"])


@pytest.mark.parametrize("strategy", [Rephrase(two_calls=True), Rephrase(of="direct"), Rephrase(of="sc(n=3)")])
def test_two_calls_keep_the_original_in_view(strategy: Rephrase) -> None:
    script = Script((FIRST, ANEW), ("", "Answer: 42"))
    done = run(strategy, script, **NUMBER)
    first, *others = script.prompts
    assert "Maintain all information in the original question" in first
    assert others
    assert all(prompt.startswith(f"(original) How many?\n\n(rephrased) {ANEW}") for prompt in others)
    assert (done.outcome.answer, done.outcome.detail["rephrased"]) == ("42", ANEW)
    assert set(done.best) == {"42"}


@pytest.mark.parametrize("reply", [" ", cut("How many cookies are th")])
def test_half_a_question_is_not_answered(reply: str | Completion) -> None:
    script = Script((FIRST, reply))
    done = run(Rephrase(two_calls=True), script)
    assert script.prompts[1].startswith("How many?\n\nLet's think")
    assert done.outcome.answer == "42"
    assert "the original is answered alone" in done.told


def test_decoding_is_that_of_both_calls() -> None:
    script = Script((FIRST, ANEW))
    run(Rephrase(two_calls=True, temperature=0.3, reply_tokens=99), script)
    assert [(request.temperature, request.max_tokens) for request in script.asked] == [(0.3, 99)] * 2


def test_puzzles_are_not_rephrased_apart() -> None:
    with pytest.raises(BadInput, match="game24"):
        run(Rephrase(two_calls=True), Script(), "4 5 6 10", pack="game24")
    done = run(Rephrase(), Script(("", "Answer: 4 + 5 * 6 - 10")), "4 5 6 10", pack="game24")
    assert done.outcome.verified


def test_what_it_may_take() -> None:
    problem = Problem(text="How many?")
    assert Rephrase().forecast(problem) == ONE
    assert Rephrase(two_calls=True).forecast(problem).most == 2
    assert within(Rephrase(of="sc(n=9)"), problem, 4) == Rephrase(of="sc(n=3)")
    assert within(Rephrase(two_calls=True), problem, 1) == Rephrase()
