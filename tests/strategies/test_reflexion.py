"""Reflexion reflects on failures only, remembers the last few of this run, and says what told it a failure."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from retold import cut, down, samples_within_forecast, told

from promptkit.errors import BadInput
from promptkit.events import Warned
from promptkit.strategies.reflection.reflexion import Reflexion
from promptkit.types import Completion, Problem, Request

REFLECT = "diagnose a possible reason"

sandboxed = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")


def learning(prompt: str, request: Request) -> str:
    """One better for every reflection it remembers."""
    if REFLECT in prompt:
        return f"Lesson {prompt.rpartition('Attempt: Answer: ')[2].split()[0]}."
    return f"Answer: {40 + prompt.count('- Lesson')}"


def oracle(**more: Any) -> Reflexion:
    return Reflexion(**{"evaluator": "oracle", "gold": "42", **more})


def test_a_failure_is_reflected_on_and_remembered() -> None:
    ran = told(oracle(), learning)
    assert [REFLECT in p for p in ran.prompts] == [False, True, False, True, False]
    assert (ran.outcome.answer, ran.best) == ("42", ["40", "41", "42"])
    assert [turn.role for turn in ran.requests[-1].messages] == ["user", "assistant", "user"]
    assert "- Lesson 40.\n- Lesson 41." in ran.requests[-1].messages[1].text
    samples_within_forecast(oracle(), ran)


def test_a_success_is_not_reflected_on() -> None:
    ran = told(oracle(gold="40"), learning)
    assert len(ran.prompts) == 1


def test_the_last_failure_is_not_reflected_on() -> None:
    ran = told(oracle(gold="7", trials=2), learning)
    assert [REFLECT in p for p in ran.prompts] == [False, True, False]
    assert ran.outcome.answer == "41"  # the latest of what failed


def test_only_the_last_reflections_are_remembered() -> None:
    def say(prompt: str, request: Request) -> str:
        return f"Lesson of draw {request.draw[0]}." if REFLECT in prompt else "Answer: 0"

    ran = told(oracle(trials=5, memory=2), say)
    assert ran.requests[-1].messages[1].text == "- Lesson of draw 3.\n- Lesson of draw 4."


@pytest.mark.parametrize(
    ("recall", "roles", "reflections"),
    [("none", "u", 0), ("last-attempt", "uau", 0), ("reflexion", "uau", 1), ("both", "uauau", 1)],
)
def test_what_a_trial_is_told_of_the_last(recall: Any, roles: str, reflections: int) -> None:
    ran = told(oracle(recall=recall, trials=2, gold="7"), learning)
    assert "".join(turn.role[0] for turn in ran.requests[-1].messages) == roles
    assert sum(REFLECT in p for p in ran.prompts) == reflections
    assert ran.requests[0].draw != ran.requests[-1].draw  # trials are independent


def test_nothing_is_remembered_from_run_to_run() -> None:
    strategy = oracle(gold="41")
    assert told(strategy, learning).prompts == told(strategy, learning).prompts


def test_the_gold_answer_is_flagged_and_never_shown() -> None:
    ran = told(oracle(gold="nobody knows"), learning)
    assert ran.outcome.detail["oracle"] is True
    assert ran.outcome.verified is None
    assert ["the gold answer decides" in event.message for event in ran.of(Warned)] == [True]
    assert "nobody knows" not in "".join(ran.prompts)


def test_a_gold_answer_is_compared_in_canonical_form() -> None:
    ran = told(oracle(gold="42.0"), lambda prompt, request: "Answer: $42", reader="number")
    assert ran.outcome.detail["trials"] == ({"answer": "42", "passed": True},)


def test_a_judge_that_cannot_be_read_is_no_failure() -> None:
    def say(prompt: str, request: Request) -> str:
        return "Perhaps." if "yes or no" in prompt or "verdict" in prompt else "Answer: 40"

    ran = told(Reflexion(evaluator="judge", trials=2), say)
    assert [each["passed"] for each in ran.outcome.detail["trials"]] == [None, None]
    assert not any(REFLECT in p for p in ran.prompts)


def test_the_judges_words_reach_the_reflection() -> None:
    def say(prompt: str, request: Request) -> str:
        if REFLECT in prompt:
            return "I see." if "Six times seven is no 40." in prompt else "What?"
        if "yes or no" in prompt:
            return "Six times seven is no 40.\nno" if "Answer: 40" in prompt else "yes"
        return "Answer: 42" if "- I see." in prompt else "Answer: 40"

    assert told(Reflexion(evaluator="judge"), say).outcome.answer == "42"


def test_rules_tell_without_a_call() -> None:
    def say(prompt: str, request: Request) -> str:
        if REFLECT in prompt:
            return "Multiply first."
        return "Answer: (4 - 1) * 11 - 9" if "Multiply" in prompt else "Answer: 1 + 4 + 9 + 11"

    ran = told(Reflexion(evaluator="world"), say, "1 4 9 11", pack="game24")
    assert (ran.outcome.verified, len(ran.prompts)) == (True, 3)


def test_an_answer_that_cannot_be_read_is_a_failure_without_a_judge() -> None:
    def say(prompt: str, request: Request) -> str | Completion:
        if REFLECT in prompt:
            return "Be brief." if "No answer could be read" in prompt else "?"
        return "Answer: 42" if "Be brief" in prompt else cut("Let me think about 4")

    ran = told(Reflexion(evaluator="oracle", gold="42"), say)
    assert (ran.outcome.answer, len(ran.prompts)) == ("42", 3)


def test_a_trial_that_is_lost_leaves_what_there_is(instant_retries: None) -> None:
    def say(prompt: str, request: Request) -> str | Completion:
        return down() if "- Lesson" in prompt else learning(prompt, request)

    ran = told(oracle(), say)
    assert (ran.outcome.answer, ran.outcome.detail["failed"]) == ("40", 1)


def test_a_reflection_that_is_lost_is_counted(instant_retries: None) -> None:
    def say(prompt: str, request: Request) -> str | Completion:
        return down() if REFLECT in prompt else "Answer: 40"

    ran = told(oracle(trials=2), say)
    assert (ran.outcome.answer, ran.outcome.detail["failed"]) == ("40", 1)


TESTS = "import solution\nassert solution.double(4) == 8, f'got {solution.double(4)}'\n"


@sandboxed
def test_a_program_of_tests_decides(tmp_path: Path) -> None:
    (tmp_path / "tests.py").write_text(TESTS)

    def say(prompt: str, request: Request) -> str:
        if REFLECT in prompt:
            return "Times two." if "AssertionError: got 4" in prompt else "?"
        right = "- Times two" in prompt
        return f"Here:\n```python\ndef double(n): return {'2 * ' if right else ''}n\n```"

    strategy = Reflexion(evaluator="tests", tests=str(tmp_path / "tests.py"))
    ran = told(strategy, say, "Write double(n).")
    assert (ran.outcome.answer, ran.outcome.verified) == ("def double(n): return 2 * n", True)
    assert len(ran.prompts) == 3


@sandboxed
@pytest.mark.parametrize("trick", ["import os; os._exit(0)", "import sys; sys.exit(0)", "def double(n): exit(0)"])
def test_leaving_the_tests_is_not_passing_them(trick: str) -> None:
    ran = told(Reflexion(evaluator="tests", tests=TESTS, trials=1), lambda prompt, request: trick, "Write double(n).")
    assert ran.outcome.verified is False


def test_the_tests_become_part_of_the_record(tmp_path: Path) -> None:
    (tmp_path / "tests.py").write_text(TESTS)
    kept = Reflexion(evaluator="tests", tests=str(tmp_path / "tests.py")).resolved(Problem(text="?"))
    assert kept.tests == TESTS
    assert kept.resolved(Problem(text="?")) == kept


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"evaluator": "tests"}, "needs --tests"),
        ({"evaluator": "oracle"}, "needs --gold"),
        ({"evaluator": "judge", "gold": "42"}, "for --evaluator oracle alone"),
        ({"evaluator": "judge", "trials": 0}, "--trials must be at least 1"),
        ({"evaluator": "judge", "recall": "none", "temperature": 0.0}, "would be the same"),
    ],
)
def test_what_does_not_go_together_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        Reflexion(**wrong)


def test_an_evaluator_must_be_declared() -> None:
    with pytest.raises(BadInput, match="needs a value for evaluator"):
        told("reflexion", learning)  # type: ignore[arg-type]


def test_rules_that_a_pack_lacks_are_refused_before_a_call() -> None:
    with pytest.raises(BadInput, match="has no rules"):
        told(Reflexion(evaluator="world"), learning)


def test_an_only_trial_that_cannot_be_read_is_in_the_forecast() -> None:
    """There is nothing for the judge to look at."""
    strategy = Reflexion(evaluator="judge", trials=1)
    ran = told(strategy, lambda prompt, request: "who knows", reader="number")
    assert len(ran.prompts) == 1
    samples_within_forecast(strategy, ran)
