"""A mixture of agents: every layer sees all answers of the one before, and one aggregator writes the last."""

from __future__ import annotations

from typing import Any

import pytest
from retold import cut, down, samples_within_forecast, told

from promptkit.announced import within
from promptkit.errors import BadInput, Transient
from promptkit.strategies.reflection.moa import MixtureOfAgents
from promptkit.types import Completion, Problem, Request

MERGE = "several responses to this question"


def mixing(prompt: str, request: Request) -> str:
    """Says where it stands; whoever merges adds one to the largest."""
    if MERGE in prompt:
        return f"Layer {request.draw[0]}.\nAnswer: {40 + request.draw[0]}"
    return f"Agent {request.draw[1]}.\nAnswer: 40"


def test_layers_of_proposers_and_one_aggregator() -> None:
    strategy = MixtureOfAgents(layers=3, proposers=2)
    ran = told(strategy, mixing)
    assert [MERGE in p for p in ran.prompts] == [False, False, True, True, True]
    assert (ran.outcome.answer, ran.outcome.detail["layers"]) == ("43", 3)
    assert all("Agent 0." in p and "Agent 1." in p for p in ran.prompts[2:4])
    assert "Agent" not in ran.prompts[4]  # only the layer before
    assert ran.prompts[4].count("Layer 2.") == 2
    assert len({request.draw for request in ran.requests}) == 5
    samples_within_forecast(strategy, ran)


def test_a_lost_proposal_is_counted_and_left_out(instant_retries: None) -> None:
    def say(prompt: str, request: Request) -> str | Completion:
        return down() if request.draw[:2] == (1, 0) else mixing(prompt, request)

    ran = told(MixtureOfAgents(layers=2, proposers=3), say)
    assert (ran.outcome.answer, ran.outcome.detail["failed"]) == ("42", 1)
    assert ran.prompts[-1].count("Agent") == 2


def test_an_aggregator_that_is_lost_is_an_error_to_resume_from(instant_retries: None) -> None:
    def say(prompt: str, request: Request) -> str | Completion:
        return down() if MERGE in prompt else "Answer: 40"

    with pytest.raises(Transient):
        told(MixtureOfAgents(layers=2, proposers=2), say)


def test_an_aggregator_cut_off_is_no_answer() -> None:
    def say(prompt: str, request: Request) -> str | Completion:
        return cut("Answer: 4") if MERGE in prompt else "Answer: 40"

    ran = told(MixtureOfAgents(layers=2, proposers=2), say)
    assert (ran.outcome.answer, ran.outcome.status) == (None, "undecided")


def test_silence_in_a_layer_ends_undecided() -> None:
    ran = told(MixtureOfAgents(layers=2, proposers=2), lambda prompt, request: "")
    assert (ran.outcome.status, len(ran.prompts), ran.outcome.detail["unread"]) == ("undecided", 2, 2)
    assert (ran.outcome.answer, ran.outcome.detail["layers"], ran.outcome.detail["failed"]) == (None, 1, 0)
    samples_within_forecast(MixtureOfAgents(layers=2, proposers=2), ran)


def test_a_right_answer_ends_it() -> None:
    ran = told(MixtureOfAgents(), lambda prompt, request: "Answer: (4 - 1) * 11 - 9", "1 4 9 11", pack="game24")
    assert (ran.outcome.verified, len(ran.prompts)) == (True, 6)


@pytest.mark.parametrize("wrong", [{"layers": 1}, {"proposers": 1}, {"temperature": 0.0}])
def test_what_mixes_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        MixtureOfAgents(**wrong)


def test_it_shrinks_to_fit() -> None:
    made = within(MixtureOfAgents(), Problem(text="?"), 9)
    assert isinstance(made, MixtureOfAgents)
    assert (made.layers, made.proposers) == (3, 4)
    assert within(MixtureOfAgents(), Problem(text="?"), 2) is None
