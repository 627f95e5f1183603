"""rStar: five actions with their legal order, rewards by self-consistency, and lines that a second draw finds again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from retold import cut, down, samples_within_forecast, told

from promptkit.announced import within
from promptkit.errors import BadInput, Transient
from promptkit.events import NodeAdded, NodeValued
from promptkit.reflecting.actions import FOLLOWS, Line
from promptkit.strategies.reflection.rstar import RStar
from promptkit.types import Completion, Problem, Request

STEP, REST, SUB, ANSWER, RESTATE = (
    "Write only the next step",
    "until the question is answered",
    "Write the next sub-question",
    "Answer the sub-question alone",
    "Rephrase the question",
)


def reasoning(prompt: str, request: Request) -> str:
    """Takes every action, and is of one mind."""
    if SUB in prompt:
        return "What is 3 * 7?" if "21" not in prompt else "What is six times seven?"
    if ANSWER in prompt:
        return "Answer: 21" if "Sub-question: What is 3 * 7?" in prompt else "Answer: 42"
    if RESTATE in prompt:
        return "Six. Seven. What is their product?"
    return "Three sevens are 21." if STEP in prompt else "Twice that.\nAnswer: 42"


def star(**how: Any) -> RStar:
    return RStar(**{"rollouts": 6, "depth": 3, "votes": 2, **how})


def actions(ran: Any) -> dict[tuple[int, ...], str]:
    """What was done at every node."""
    return {event.node: event.thought[:2] for event in ran.of(NodeAdded) if event.node}


def test_actions_follow_each_other_as_they_may() -> None:
    ran = told(star(rollouts=12, depth=4), reasoning)
    done = actions(ran)
    for node, action in done.items():
        before = done.get(node[:-1], "root")
        assert action in FOLLOWS[before], (before, action)  # type: ignore[index]
    assert {action for node, action in done.items() if len(node) == 1} == {"A1", "A2", "A3", "A5"}
    assert "A4" in done.values()
    samples_within_forecast(star(rollouts=12, depth=4), ran)


def test_the_last_step_comes_to_an_answer() -> None:
    assert Line("?").legal(1) == ("A2",)
    ran = told(star(), reasoning)
    assert {action for node, action in actions(ran).items() if len(node) == 3} == {"A2"}


def test_an_answer_is_trusted_by_its_share_of_the_draws() -> None:
    def say(prompt: str, request: Request) -> str:
        return f"Answer: {(42, 42, 41, 'none')[request.index]}" if REST in prompt else reasoning(prompt, request)

    ran = told(star(rollouts=1, depth=1, votes=4), say)
    assert [(event.node, event.score) for event in ran.of(NodeValued)] == [((0,), 0.5)]


def test_a_second_draw_sees_a_beginning_only_and_is_independent() -> None:
    def say(prompt: str, request: Request) -> str:
        return (
            "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nAnswer: 42"
            if REST in prompt
            else reasoning(prompt, request)
        )

    ran = told(star(rollouts=1, depth=1, votes=1, masks=3), say)
    first, *again = ran.requests
    assert [len(request.draw) for request in again] == [2, 2, 2]
    for prompt in ran.prompts[1:]:
        seen = [word for word in "one two three four five six seven eight nine".split() if f"\n{word}\n" in prompt]
        assert 5 <= len(seen) <= 8  # 20 to 50 % of ten lines are masked
    assert first.draw == (0,)


def test_lines_that_are_not_found_again_do_not_count() -> None:
    def say(prompt: str, request: Request) -> str:
        if REST not in prompt:
            return reasoning(prompt, request)
        if len(request.draw) > 1:  # the second draw
            return "Answer: 42"
        return f"Answer: {42 if 'Three sevens' in prompt else 48}"

    ran = told(star(rollouts=6), say)
    detail = ran.outcome.detail
    assert ran.outcome.answer == "42"
    assert 0 < detail["consistent"] < detail["lines"]
    assert [answer for answer, _ in detail["votes"]] == ["42"]


def test_where_none_is_found_again_all_count() -> None:
    def say(prompt: str, request: Request) -> str:
        if REST in prompt and len(request.draw) > 1:
            return "Answer: 7"
        return reasoning(prompt, request)

    ran = told(star(), say)
    assert (ran.outcome.answer, ran.outcome.detail["consistent"]) == ("42", 0)


def test_a_model_that_says_nothing_usable_ends_it() -> None:
    ran = told(star(), lambda prompt, request: "")
    assert (ran.outcome.answer, ran.outcome.status, ran.outcome.detail["lines"]) == (None, "undecided", 0)


def test_what_is_cut_off_leads_nowhere() -> None:
    ran = told(star(), lambda prompt, request: cut("Answer: 4"))
    assert ran.outcome.detail["lines"] == 0
    assert actions(ran) == {}


def test_lost_calls_are_counted(instant_retries: None) -> None:
    def say(prompt: str, request: Request) -> str | Completion:
        return down() if SUB in prompt else reasoning(prompt, request)

    ran = told(star(), say)
    assert ran.outcome.answer == "42"
    assert ran.outcome.detail["failed"] >= 1
    assert "A3" not in actions(ran).values()


def test_nothing_but_lost_calls_is_an_error(instant_retries: None) -> None:
    with pytest.raises(Transient):
        told(star(), down)


def test_worked_examples_stand_before_a_sub_question_answered_anew() -> None:
    ran = told(star(rollouts=12, depth=4), reasoning)
    again = [p for p in ran.prompts if ANSWER in p and p.startswith("Question: A baker")]
    assert again
    assert all("What is 3 * 7? 21" not in p for p in again)  # not what it answered before


def test_an_output_is_drawn_from_the_line() -> None:
    def say(prompt: str, request: Request) -> str:
        return '{"n": 42}' if "Draw the conclusion" in prompt else reasoning(prompt, request)

    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    assert told(star(), say, output=schema).outcome.value == {"n": 42}


def test_a_pack_with_rules_is_refused() -> None:
    with pytest.raises(BadInput, match="free text"):
        told(star(), reasoning, "1 4 9 11", pack="game24")


@pytest.mark.parametrize("wrong", [{"rollouts": 0}, {"votes": 0}, {"masks": 0}, {"depth": 0}, {"temperature": 0.0}])
def test_what_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        RStar(**wrong)


def test_it_shrinks_to_fit() -> None:
    made: Any = within(RStar(), Problem(text="?"), 160)
    assert (made.votes, made.rollouts) == (4, 2)
    assert within(RStar(), Problem(text="?"), 5) is None


def test_the_output_that_is_drawn_from_a_line_is_in_the_forecast() -> None:
    """With one rollout of one step there are 1 + 1 + 1 samples, and one more where the output must be mended."""
    strategy, form = RStar(rollouts=1, depth=1, votes=1), {"type": "object", "required": ["n"]}
    plain, formed = (strategy.forecast(Problem(text="?", output_schema=each)) for each in (None, json.dumps(form)))
    assert plain.most is not None
    assert formed.most == plain.most + 2
