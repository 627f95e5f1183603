"""LATS: steps are worth λ·LM + (1 − λ)·SC, failures −1; the first few are reflected on, in this run alone."""

from __future__ import annotations

from typing import Any

import pytest
from retold import cut, down, samples_within_forecast, text_of, told

from promptkit.announced import within
from promptkit.errors import BadInput, Transient
from promptkit.events import NodeAdded, NodeValued
from promptkit.strategies.reflection.lats import LanguageAgentTreeSearch
from promptkit.types import Completion, Problem, Request

JUDGE, REFLECT, VALUE = "yes or no", "diagnose a possible reason", "sure, likely or impossible"


def adding(prompt: str, request: Request) -> str:
    """Two steps of sevens or eights, then an answer; it is right once a failure was reflected on."""
    if JUDGE in prompt:
        return "yes" if "Proposed answer: 42" in prompt else "no"
    if REFLECT in prompt:
        return "I added eights."
    if VALUE in prompt:
        return "likely"
    if prompt.count("Plus") == 2:
        return f"Answer: {42 if 'I added eights' in prompt else 48}"
    return f"Plus {7 + request.index % 2}."


def searched(**how: Any) -> LanguageAgentTreeSearch:
    return LanguageAgentTreeSearch(**{"n": 2, "iterations": 4, "depth": 3, **how})


def test_it_learns_from_a_failure_and_stops_when_the_judge_accepts() -> None:
    ran = told(searched(), adding)
    assert (ran.outcome.answer, ran.outcome.detail["reflections"]) == ("42", 1)
    assert ran.best == ["48", "42"]
    assert not any("- I added eights" in p for p in ran.prompts[: [REFLECT in p for p in ran.prompts].index(True)])
    samples_within_forecast(searched(), ran)


def test_reflections_stand_before_steps_and_values() -> None:
    ran = told(searched(iterations=8), lambda p, r: "no" if JUDGE in p else adding(p, r))
    at = next(i for i, p in enumerate(ran.prompts) if REFLECT in p)
    later = [p for p in ran.prompts[at + 1 :] if VALUE in p or "Write only the next step" in p]
    assert later
    assert all("- I added eights." in p for p in later)


def test_only_the_first_different_failures_are_reflected_on() -> None:
    def say(prompt: str, request: Request) -> str:
        if "Write only the next step" in prompt:
            return f"Answer: {request.index}"
        return "no" if JUDGE in prompt else adding(prompt, request)

    ran = told(searched(n=5, iterations=3), say)
    assert sum(REFLECT in p for p in ran.prompts) == 3
    assert ran.outcome.detail["reflections"] == 3
    none = told(searched(n=5, iterations=3, reflections=0), say)
    assert not any(REFLECT in p for p in none.prompts)


def test_nothing_is_left_from_another_run() -> None:
    """The tree, the failures and the reflections are the run's own."""
    strategy = searched()
    assert told(strategy, adding).prompts == told(strategy, adding).prompts
    other = told(strategy, adding, "What is seven times six?")
    assert "six times seven" not in "".join(other.prompts)


def test_values_mix_the_models_view_with_self_consistency() -> None:
    def say(prompt: str, request: Request) -> str:
        if VALUE in prompt:
            return "sure" if "Often" in prompt else "impossible"
        return "Often." if request.index < 3 else "Seldom."

    ran = told(searched(n=4, iterations=1, depth=1, mix=0.5), say)
    assert [event.thought for event in ran.of(NodeAdded)][1:] == ["Often.", "Seldom."]
    assert [event.score for event in ran.of(NodeValued)] == [0.5 * 1 + 0.5 * 0.75, 0.5 * 0 + 0.5 * 0.25]


def test_values_reach_their_own_states_when_some_have_ended() -> None:
    """The judge's verdict on an answer never lands on the step beside it."""

    def say(prompt: str, request: Request) -> str:
        if JUDGE in prompt:
            return "no"
        if VALUE in prompt:
            return {"A": "sure", "C": "impossible"}[prompt.partition("Steps so far:\n")[2][0]]
        return ("A step.", "Answer: 7", "C step.")[request.index] if REFLECT not in prompt else "Hm."

    ran = told(searched(n=3, iterations=1, depth=1, mix=1.0), say)
    assert {event.node: event.score for event in ran.of(NodeValued)} == {(0,): 1.0, (1,): -1.0, (2,): 0.0}


@pytest.mark.parametrize("silence", ["", "10"])
def test_a_model_that_says_nothing_usable_ends_it(silence: str) -> None:
    """No loop waits for a reply that can be read."""
    ran = told(searched(iterations=3), lambda prompt, request: silence)
    assert ran.outcome.status in ("undecided", "done")
    samples_within_forecast(searched(iterations=3), ran)


def test_steps_cut_off_are_none() -> None:
    ran = told(searched(), lambda prompt, request: cut("Plus seven and"))
    assert (ran.outcome.status, ran.outcome.detail["nodes"]) == ("undecided", 0)


def test_lost_steps_are_counted(instant_retries: None) -> None:
    def say(prompt: str, request: Request) -> str | Completion:
        lost = "Write only the next step" in prompt and request.index == 1
        return down() if lost else adding(prompt, request)

    ran = told(searched(iterations=2), say)
    assert ran.outcome.detail["failed"] >= 1


def test_nothing_but_lost_steps_is_an_error(instant_retries: None) -> None:
    with pytest.raises(Transient):
        told(searched(), down)


def test_rules_end_it_and_dead_ends_fail() -> None:
    def say(prompt: str, request: Request) -> str:
        if REFLECT in prompt:
            return "Do not end at 25."
        if "Possible next steps" not in prompt:
            return "likely"
        numbers = prompt.rpartition("Input: ")[2].split("\n")[0]
        return {
            "1 4 9 11": "4 - 1 = 3 (left: 3 9 11)",
            "3 9 11": "3 * 11 = 33 (left: 9 33)",
            "9 33": "9 + 33 = 42 (left: 42)" if "Do not" not in prompt else "33 - 9 = 24 (left: 24)",
        }[numbers]

    ran = told(searched(iterations=2, n=1), say, "1 4 9 11", pack="game24")
    assert -1.0 in [event.score for event in ran.of(NodeValued)]
    assert not any(JUDGE in text_of(request) for request in ran.requests)
    solved = told(searched(n=1), lambda p, r: say("Do not" + p, r), "1 4 9 11", pack="game24")
    assert (solved.outcome.answer, solved.outcome.verified) == ("(4 - 1) * 11 - 9", True)


@pytest.mark.parametrize(
    "wrong", [{"n": 0}, {"iterations": 0}, {"depth": 0}, {"mix": 2.0}, {"c": -1.0}, {"temperature": 0.0}]
)
def test_what_cannot_be_searched_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        LanguageAgentTreeSearch(**wrong)


def test_it_shrinks_to_fit() -> None:
    made: Any = within(LanguageAgentTreeSearch(), Problem(text="?"), 250)
    assert (made.n, made.iterations) == (5, 2)
    assert within(LanguageAgentTreeSearch(), Problem(text="?"), 2) is None


def test_rules_that_nothing_satisfies_are_told_as_that() -> None:
    """The reply was read; it is the state that is no solution."""
    ran = told(searched(iterations=1), lambda prompt, request: "1 + 1 = 2 (left: 1 2 1)", "1 1 1 1", pack="game24")
    assert (ran.outcome.answer, ran.outcome.status) == (None, "undecided")
    assert ran.outcome.detail["reason"] == "no trajectory came to a solution"
