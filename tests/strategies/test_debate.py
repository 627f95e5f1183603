"""A debate: agents with draws of their own see each other's last answers; the majority of the last round counts."""

from __future__ import annotations

from typing import Any

import pytest
from retold import cut, down, samples_within_forecast, told

from promptkit.announced import forecast, within
from promptkit.errors import BadInput, Transient
from promptkit.events import VotesCounted
from promptkit.strategies.reflection.debate import Debate
from promptkit.types import Completion, Problem, Request, message

OTHERS = "solutions to the problem from other agents"


def arguing(prompt: str, request: Request) -> str:
    """Every agent has an answer of its own first, then that of most of the others."""
    if OTHERS in prompt:
        return "I was wrong.\nAnswer: 42" if prompt.count("Answer: 42") else "Answer: 40"
    return f"I am agent {request.draw[0]}.\nAnswer: {(40, 41, 42)[request.draw[0]]}"


def test_agents_answer_see_the_others_and_answer_again() -> None:
    ran = told(Debate(), arguing)
    assert [OTHERS in p for p in ran.prompts] == [False] * 3 + [True] * 3
    assert (ran.outcome.answer, ran.outcome.detail["votes"]) == ("42", (("42", 3),))
    for agent, request in enumerate(ran.requests[3:]):
        first, own, asked = request.messages
        assert (first.role, own.role, asked.role) == ("user", "assistant", "user")
        assert f"I am agent {agent}." in own.text
        assert [f"I am agent {other}." in asked.text for other in range(3)] == [other != agent for other in range(3)]
    samples_within_forecast(Debate(), ran)


def test_draws_are_independent() -> None:
    ran = told(Debate(rounds=1), arguing)
    assert len({request.draw for request in ran.requests}) == 3
    assert {request.temperature for request in ran.requests} == {0.7}


def test_an_agent_remembers_what_it_said_and_heard() -> None:
    ran = told(Debate(rounds=3), arguing)
    assert [turn.role for turn in ran.requests[-1].messages] == ["user", "assistant"] * 2 + ["user"]


def test_a_tie_is_reported_not_broken() -> None:
    ran = told(Debate(agents=2, rounds=1), arguing)
    assert (ran.outcome.answer, ran.outcome.status) == (None, "undecided")
    assert ran.outcome.detail["tied"] == ["40", "41"]
    assert ran.best[-1] is None


def test_a_lost_reply_leaves_the_agent_with_its_last_answer(instant_retries: None) -> None:
    def say(prompt: str, request: Request) -> str | Completion:
        if OTHERS in prompt:
            return down() if request.draw[0] == 2 else "Answer: 40"
        return arguing(prompt, request)

    ran = told(Debate(), say)
    assert (ran.outcome.answer, ran.outcome.detail["failed"]) == ("40", 1)
    assert ran.outcome.detail["votes"] == (("40", 2), ("42", 1))


def test_a_lost_first_answer_is_counted(instant_retries: None) -> None:
    def say(prompt: str, request: Request) -> str | Completion:
        return down() if request.draw[0] == 1 else "Answer: 42"

    ran = told(Debate(rounds=1), say)
    assert (ran.outcome.answer, ran.outcome.detail["failed"], ran.outcome.detail["samples"]) == ("42", 1, 3)


def test_nothing_but_lost_answers_is_an_error(instant_retries: None) -> None:
    with pytest.raises(Transient):
        told(Debate(), down)


def test_a_reply_cut_off_votes_for_nothing() -> None:
    def say(prompt: str, request: Request) -> str | Completion:
        return cut("So far 4\nAnswer: 4") if request.draw[0] else "Answer: 42"

    ran = told(Debate(rounds=1), say)
    assert (ran.outcome.answer, ran.outcome.detail["unread"]) == ("42", 2)


def test_equal_answers_are_one() -> None:
    def say(prompt: str, request: Request) -> str:
        return f"Answer: {('18', '18.0', '$18')[request.draw[0]]}"

    assert told(Debate(rounds=1), say, reader="number").outcome.detail["votes"] == (("18", 3),)


def test_a_right_answer_needs_no_majority() -> None:
    def say(prompt: str, request: Request) -> str:
        return "Answer: " + ("(4 - 1) * 11 - 9" if request.draw[0] == 2 else "1 + 4 + 9 + 11")

    ran = told(Debate(), say, "1 4 9 11", pack="game24")
    assert (ran.outcome.answer, ran.outcome.verified, len(ran.prompts)) == ("(4 - 1) * 11 - 9", True, 3)


def test_the_conversation_so_far_comes_first() -> None:
    history = [message("user", "Hello"), message("assistant", "Hi.")]
    ran = told(Debate(agents=2), arguing, history=history)
    assert all(request.messages[:2] == tuple(history) for request in ran.requests)


def test_a_cap_leaves_the_majority_of_the_round_before() -> None:
    def say(prompt: str, request: Request) -> str:
        return "Answer: 7" if OTHERS in prompt else f"Answer: {40 + request.draw[0] // 2}"

    ran = told(Debate(), say, max_calls=4)
    assert (ran.outcome.status, ran.outcome.answer) == ("budget", "40")


@pytest.mark.parametrize("wrong", [{"agents": 1}, {"rounds": 0}, {"temperature": 0.0}])
def test_what_is_no_debate_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        Debate(**wrong)


def test_it_shrinks_to_fit() -> None:
    problem = Problem(text="?")
    made = within(Debate(agents=5, rounds=3), problem, 10)
    assert isinstance(made, Debate)
    assert (made.agents, made.rounds) == (5, 2)
    assert forecast(made, problem).most == 10
    assert within(Debate(), problem, 1) is None


def test_an_agent_whose_own_vote_is_lost_is_counted_and_the_others_go_on(instant_retries: None) -> None:
    """The quorum of a strategy inside is that strategy's: the debate loses one draft."""

    def say(prompt: str, request: Request) -> str | Completion:
        return down() if request.draw == (0, 1) else "Answer: 42"

    ran = told(Debate(of="sc(n=2, quorum=1, batch=2)", rounds=1), say)
    assert (ran.outcome.answer, ran.outcome.detail["failed"]) == ("42", 1)


def test_a_round_that_is_lost_whole_leaves_what_was_said_before(instant_retries: None) -> None:
    def say(prompt: str, request: Request) -> str | Completion:
        return down() if OTHERS in prompt else "Answer: 42"

    ran = told(Debate(), say)
    assert (ran.outcome.answer, ran.outcome.detail["failed"]) == ("42", 3)


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_only_the_last_round_decides(rounds: int) -> None:
    """Agents that agree in the first round are heard again: until then nothing is decided."""
    ran = told(Debate(rounds=rounds), lambda prompt, request: "Answer: 42")
    assert [event.decided for event in ran.of(VotesCounted) if event.seen == 3] == [False] * (rounds - 1) + [True]


def test_an_answer_that_is_right_decides_in_any_round() -> None:
    puzzle = {"pack": "game24"}
    ran = told(Debate(rounds=3), lambda prompt, request: "Answer: (4 - 1) * 11 - 9", "1 4 9 11", **puzzle)
    assert [event.decided for event in ran.of(VotesCounted)][-1]
    assert ran.outcome.usage.samples == 3
