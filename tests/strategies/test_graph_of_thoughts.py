"""A graph of thoughts: the plan is checked before anything is asked, its samples are counted, its volume is told."""

from __future__ import annotations

import re
from typing import Any

import pytest
from retold import cut, down, samples_within_forecast, told

from promptkit.announced import exactly, forecast, within
from promptkit.errors import BadInput, Transient
from promptkit.events import LevelDone, NodeAdded, NodeValued
from promptkit.reflecting.operations import planned, written
from promptkit.strategies.reflection.graph_of_thoughts import MERGING, GraphOfThoughts
from promptkit.types import Completion, Problem, Request

PROBLEM = Problem(text="What is six times seven?")


def climbing(prompt: str, request: Request) -> str:
    """Generates 38 and more by the draw; improving adds one, merging takes the largest and adds one."""
    numbers = [int(n) for n in re.findall(r"Answer: (\d+)", prompt)]
    if "Criterion:" in prompt:
        return f"Verdict: {max(1, min(5, numbers[-1] - 37))}"
    if "yes or no" in prompt:
        return "yes" if numbers[-1] >= 42 else "no"
    if numbers:
        return f"Answer: {max(numbers) + 1}"
    return f"Answer: {38 + request.draw[1]}"


def test_the_operations_are_worked_in_order() -> None:
    ran = told(GraphOfThoughts(), climbing)
    kinds = [
        "g" if "step by step" in p else "s" if "Criterion" in p else "a" if "several" in p else "i" for p in ran.prompts
    ]
    assert "".join(kinds) == "gggggsssssaaiiss"
    assert ran.outcome.answer == "44"  # the best two of 38 to 42 merged into 43, and improved
    samples_within_forecast(GraphOfThoughts(), ran)


def test_volume_counts_what_had_a_part_in_the_answer() -> None:
    ran = told(GraphOfThoughts(plan="generate(4) score keep(2) aggregate(1)"), climbing)
    assert (ran.outcome.detail["volume"], ran.outcome.detail["latency"]) == (2, 2)  # not the two that were dropped
    chain = told(GraphOfThoughts(plan="generate(1) improve improve improve"), climbing)
    assert (chain.outcome.detail["volume"], chain.outcome.detail["latency"]) == (3, 4)


def test_only_what_is_kept_is_merged() -> None:
    ran = told(GraphOfThoughts(plan="generate(4) keep(2) aggregate(1)"), climbing)
    assert [f"Answer: {n}" in ran.prompts[-1] for n in (38, 39, 40, 41)] == [False, False, True, True]


def test_a_score_is_not_asked_for_twice() -> None:
    ran = told(GraphOfThoughts(plan="generate(3) score score keep(2) keep(1)"), climbing)
    assert sum("Criterion" in p for p in ran.prompts) == 3


def test_a_tie_is_reported_and_goes_to_the_older() -> None:
    def say(prompt: str, request: Request) -> str:
        return "Verdict: 4" if "Criterion" in prompt else f"Answer: {request.draw[1]}"

    ran = told(GraphOfThoughts(plan="generate(3) keep(1)"), say)
    assert (ran.outcome.answer, ran.outcome.detail["tied"]) == ("0", 2)
    assert [event.tied for event in ran.of(LevelDone)] == [2]


def test_scores_reach_their_own_thoughts() -> None:
    """One that cannot be read has no score to be given, and shifts nobody else's."""

    def say(prompt: str, request: Request) -> str | Completion:
        if "Criterion" in prompt:
            return f"Verdict: {prompt.partition('Answer: ')[2][0]}"
        return cut("Answer: 5") if request.draw[1] == 0 else f"Answer: {request.draw[1]}"

    ran = told(GraphOfThoughts(plan="generate(4) keep(1)"), say)
    assert ran.outcome.answer == "3"
    assert [(event.node, event.score) for event in ran.of(NodeValued)] == [((1,), 0.0), ((2,), 0.25), ((3,), 0.5)]


@pytest.mark.parametrize("verdict", ["10", "1 or 2", "four", ""])
def test_a_verdict_that_cannot_be_read_is_no_score(verdict: str) -> None:
    def say(prompt: str, request: Request) -> str:
        if "Criterion" in prompt or "verdict" in prompt:
            return "Verdict: 2" if "Answer: 1" in prompt else verdict
        return f"Answer: {request.draw[1]}"

    assert told(GraphOfThoughts(plan="generate(2) keep(1)"), say).outcome.answer == "1"


def test_its_levels_are_the_keeps_of_the_plan() -> None:
    ran = told(GraphOfThoughts(), climbing)
    assert [(each.level, each.depth) for each in ran.of(LevelDone)] == [(1, 2), (2, 2)]


def test_what_is_valid_is_left_alone() -> None:
    ran = told(GraphOfThoughts(plan="generate(5) validate(1) keep(1)"), climbing)
    improved = [p for p in ran.prompts if "Improve this answer" in p]
    assert len(improved) == 4  # 38 to 41; not 42


def test_validating_ends_when_its_tries_do() -> None:
    def say(prompt: str, request: Request) -> str:
        return "no" if "yes or no" in prompt else "Answer: 40"

    strategy = GraphOfThoughts(plan="generate(1) validate(2)")
    ran = told(strategy, say)
    assert sum("Improve this answer" in p for p in ran.prompts) == 2
    samples_within_forecast(strategy, ran)


def test_rules_end_it_and_nothing_is_judged() -> None:
    def say(prompt: str, request: Request) -> str:
        return "Answer: " + ("(4 - 1) * 11 - 9" if request.draw[1] == 2 else "1 + 4 + 9 + 11")

    ran = told(GraphOfThoughts(), say, "1 4 9 11", pack="game24")
    assert (ran.outcome.verified, len(ran.prompts)) == (True, 5)


def test_a_lost_thought_is_counted(instant_retries: None) -> None:
    def say(prompt: str, request: Request) -> str | Completion:
        return down() if "Improve" in prompt or request.draw[:2] == (1, 0) else climbing(prompt, request)

    ran = told(GraphOfThoughts(plan="generate(3) keep(1) improve"), say)
    assert (ran.outcome.answer, ran.outcome.detail["failed"]) == ("40", 2)


def test_nothing_but_lost_thoughts_is_an_error(instant_retries: None) -> None:
    with pytest.raises(Transient):
        told(GraphOfThoughts(), down)


def test_it_is_shown_as_a_tree() -> None:
    ran = told(GraphOfThoughts(plan="generate(2) aggregate(1)"), climbing)
    assert [event.node for event in ran.of(NodeAdded)] == [(), (0,), (1,), (0, 0)]


@pytest.mark.parametrize(
    ("plan", "samples"),
    [("generate(1)", 1), ("generate(3) aggregate(2) aggregate(1)", 6), ("generate(4) aggregate(1) improve improve", 7)],
)
def test_the_forecast_is_exact_where_it_can_be(plan: str, samples: int) -> None:
    strategy = GraphOfThoughts(plan=plan)
    assert forecast(strategy, PROBLEM) == exactly(samples)
    assert told(strategy, climbing).outcome.usage.samples == samples


def test_the_forecast_counts_scores_once() -> None:
    said = forecast(GraphOfThoughts(), PROBLEM)
    # seven verdicts may be asked for again, and what has no answer is given none
    assert (said.least, said.expected, said.most) == (9, 16, 23)


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        ("", "is empty"),
        ("score keep(1)", "begin with generate"),
        ("generate(2)", "ends with 2 thoughts"),
        ("generate(2) keep(3)", "cannot keep more than the 2"),
        ("generate(1) aggregate(1)", "at least two"),
        ("generate(0)", "not between 1 and 100"),
        ("generate(1000000000)", "not between 1 and 100"),
        ("generate(2) vote", "no operation 'vote'"),
        ("generate(2) score(3) keep(1)", "takes no number"),
        ("generate(2", "cannot be read"),
        ("generate(2) __import__('os')", "cannot be read"),
    ],
)
def test_a_plan_is_checked_before_anything_is_asked(plan: str, says: str) -> None:
    with pytest.raises(BadInput, match=re.escape(says)) as caught:
        GraphOfThoughts(plan=plan)
    assert "generate" in caught.value.hint


def test_a_plan_is_written_as_it_is_read() -> None:
    assert written(planned("generate (5),score , keep( 2 )\naggregate(2) improve keep")) == MERGING


@pytest.mark.parametrize(
    ("samples", "plan"), [(23, MERGING), (20, "generate(4) score keep(2) aggregate(2) improve keep(1)")]
)
def test_it_shrinks_to_fit(samples: int, plan: str) -> None:
    made: Any = within(GraphOfThoughts(), PROBLEM, samples)
    assert (made.plan, forecast(made, PROBLEM).most) == (plan, samples)


def test_it_does_not_shrink_below_what_can_be_merged() -> None:
    assert within(GraphOfThoughts(), PROBLEM, 3) is None


def test_thoughts_that_cannot_be_read_are_in_the_forecast() -> None:
    """Nobody is asked to grade them."""
    ran = told(GraphOfThoughts(), lambda prompt, request: "who knows", reader="number")
    assert ran.outcome.answer is None
    samples_within_forecast(GraphOfThoughts(), ran)
