"""PlanSearch: observations, their combinations, plans, and an answer by each plan."""

from __future__ import annotations

from typing import Any

import pytest
from retold import cut, down, samples_within_forecast, told

from promptkit.announced import forecast, within
from promptkit.errors import BadInput
from promptkit.strategies.reflection.plan_search import PlanSearch
from promptkit.types import Completion, Problem, Request

OBSERVE, FURTHER, PLAN, OTHER, SOLVE = (
    "different observations about",
    "Build on these observations",
    "Write a plan to answer",
    "Suppose that this plan",
    "Carry out this plan",
)


def kind(prompt: str) -> str:
    """Which template a prompt is of."""
    return next(name for name in (FURTHER, OBSERVE, OTHER, SOLVE, PLAN) if name in prompt)


def searching(prompt: str, request: Request) -> str:
    """Three observations; who builds on `table` finds 42."""
    match kind(prompt):
        case of if of == OBSERVE:
            return "1. even\n2. table\n3. small\n"
        case of if of == FURTHER:
            return "- so it goes"
        case of if of == PLAN:
            return "1. Use the table." if "- table" in prompt else "1. Guess."
        case of if of == OTHER:
            return "It guesses.\n1. Use the table."
    return f"Answer: {42 if 'table' in prompt else 7}"


def test_plans_come_of_every_one_and_every_two_observations() -> None:
    strategy = PlanSearch(observations=3)
    ran = told(strategy, searching)
    kinds = [kind(prompt) for prompt in ran.prompts]
    assert [kinds.count(each) for each in (OBSERVE, FURTHER, PLAN, OTHER, SOLVE)] == [1, 6, 6, 6, 12]
    sets = [[w for w in ("even", "table", "small") if f"- {w}" in p] for p in ran.prompts if kind(p) == PLAN]
    assert sets == [["even"], ["table"], ["small"], ["even", "table"], ["even", "small"], ["table", "small"]]
    assert all("- so it goes" in p for p in ran.prompts if kind(p) == PLAN)
    assert (ran.outcome.answer, ran.outcome.detail["votes"]) == ("42", (("42", 9), ("7", 3)))
    assert forecast(strategy, Problem(text="?")).most == ran.outcome.usage.samples
    samples_within_forecast(strategy, ran)


def test_without_second_plans() -> None:
    strategy = PlanSearch(observations=2, criticise=False)
    ran = told(strategy, searching)
    assert len(ran.prompts) == 1 + 3 * 3
    samples_within_forecast(strategy, ran)


def test_no_more_observations_are_used_than_were_wanted_and_none_twice() -> None:
    def say(prompt: str, request: Request) -> str:
        return "1. even\n2. Even\n3. table\n4. small" if kind(prompt) == OBSERVE else searching(prompt, request)

    assert told(PlanSearch(observations=2), say).outcome.detail["observations"] == 2


def test_without_an_observation_there_is_one_plan() -> None:
    def say(prompt: str, request: Request) -> str:
        return "" if kind(prompt) == OBSERVE else searching(prompt, request)

    ran = told(PlanSearch(), say)
    assert [kind(p) for p in ran.prompts] == [OBSERVE, PLAN, OTHER, SOLVE, SOLVE]
    samples_within_forecast(PlanSearch(), ran)


def test_half_an_observation_is_none() -> None:
    def say(prompt: str, request: Request) -> str | Completion:
        return cut("1. even\n2. tab") if kind(prompt) == OBSERVE else searching(prompt, request)

    assert told(PlanSearch(), say).outcome.detail["observations"] == 1


def test_lost_plans_and_answers_are_counted(instant_retries: None) -> None:
    def say(prompt: str, request: Request) -> str | Completion:
        away = (kind(prompt) == PLAN and request.draw == (0,)) or (kind(prompt) == SOLVE and request.draw[0] == 0)
        return down() if away else searching(prompt, request)

    ran = told(PlanSearch(observations=2, criticise=False), say)
    assert (ran.outcome.detail["lost"], ran.outcome.detail["failed"], ran.outcome.detail["plans"]) == (1, 1, 2)
    assert ran.outcome.answer == "42"


def test_no_plan_is_undecided() -> None:
    def say(prompt: str, request: Request) -> str:
        return "" if kind(prompt) == PLAN else searching(prompt, request)

    ran = told(PlanSearch(), say)
    assert (ran.outcome.status, ran.outcome.detail["reason"]) == ("undecided", "there was no plan")


def test_rules_decide_before_a_vote() -> None:
    def say(prompt: str, request: Request) -> str:
        if kind(prompt) == SOLVE:
            return "Answer: " + ("(4 - 1) * 11 - 9" if request.draw[0] == 3 else "1 + 4 + 9 + 11")
        return searching(prompt, request)

    ran = told(PlanSearch(observations=2), say, "1 4 9 11", pack="game24")
    assert (ran.outcome.answer, ran.outcome.verified) == ("(4 - 1) * 11 - 9", True)


@pytest.mark.parametrize("wrong", [{"observations": 0}, {"further": 0}, {"temperature": 0.0}])
def test_what_searches_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        PlanSearch(**wrong)


def test_it_shrinks_to_fit() -> None:
    made: Any = within(PlanSearch(), Problem(text="?"), 20)
    assert (made.observations, made.criticise) == (2, True)
    made = within(PlanSearch(), Problem(text="?"), 4)
    assert (made.observations, made.criticise) == (1, False)
    assert within(PlanSearch(), Problem(text="?"), 3) is None


def test_observations_that_were_lost_are_counted(instant_retries: None) -> None:
    """The plan is made without them, and the outcome says so."""

    def say(prompt: str, request: Request) -> str | Completion:
        lost = kind(prompt) == FURTHER and "- even" in prompt and "- table" not in prompt and "- small" not in prompt
        return down() if lost else searching(prompt, request)

    outcome = told(PlanSearch(observations=3), say).outcome
    assert (outcome.detail["lost"], outcome.detail["plans"]) == (1, 12)


def test_no_plan_at_all_is_in_the_forecast() -> None:
    strategy = PlanSearch()
    samples_within_forecast(strategy, told(strategy, lambda prompt, request: ""))
