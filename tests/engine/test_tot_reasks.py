"""The search's verdicts: a judge that mumbles costs one round a level, and the tree is the same on every rerun."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from players import dice, reply
from watching import Seen, facts, tree

from promptkit import api
from promptkit.events import Decided, NodeValued, SpanStarted
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.types import Capabilities, Request

AGAIN = "Now give only your verdict"


def mumbler(request: Request) -> str:
    """The player, except that every other judgement has no verdict, nor has every third re-ask."""
    prompt = request.messages[0].text
    if len(request.messages) > 1:
        assert AGAIN in request.messages[-1].text
        return "who knows" if len(prompt) % 3 == 0 else request.messages[-1].text.rpartition(", ")[2].strip()
    judged = "Evaluate if" in prompt or "Which of these numbers" in prompt
    return "I had rather not say." if judged and request.index % 2 else reply(request)


async def run(script: Any, shuffle: int, journal: Journal, **params: Any) -> tuple[Any, Seen]:
    async def late(request: Request) -> str:
        await asyncio.sleep(dice("late", shuffle, request.draw, request.messages).random() * 0.003)
        text: str = script(request)
        return text

    seen, model = Seen(), Scripted(late, name="mumbler")
    how = {"b": 2, "n_evaluate": 3, **params}
    outcome = await api.arun("tot", "4 5 6 10", pack="game24", model=model, journal=journal, sinks=[seen], **how)
    return outcome, seen


def rounds(seen: Seen) -> set[str]:
    spans = {record.span for record in seen.records if isinstance(record.event, SpanStarted)}
    return {span for span in spans if span.count("/") == 2 and "/level-" in span}


@pytest.mark.parametrize("evaluate", ["value", "vote"])
def test_one_more_round_a_level_at_most(evaluate: str) -> None:
    with Journal.open(None) as journal:
        _, clear = asyncio.run(run(reply, 0, journal, evaluate=evaluate))
    with Journal.open(None) as journal:
        _, mumbled = asyncio.run(run(mumbler, 0, journal, evaluate=evaluate))
    assert not [span for span in rounds(clear) if span.endswith("-again")]
    assert {event.how for event in clear.of(Decided)} == {"read"}
    again = {span for span in rounds(mumbled) if span.endswith("-again")}
    assert again
    assert {span.removesuffix("-again") for span in again} <= rounds(mumbled)
    assert "reask" in {event.how for event in mumbled.of(Decided)}


def test_the_verdicts_of_a_node_stand_in_the_order_of_their_draws() -> None:
    with Journal.open(None) as journal:
        _, seen = asyncio.run(run(mumbler, 0, journal))
    valued = seen.of(NodeValued)
    assert valued
    for event in valued:
        assert len(event.verdicts) == 3
        assert event.verdicts[0] in ("sure", "likely", "impossible")
        assert event.verdicts[1] in ("impossible", None)  # asked again, or lost
    assert any(event.verdicts[1] is None for event in valued)


@pytest.mark.parametrize("evaluate", ["value", "vote"])
def test_the_order_of_arrival_changes_nothing_and_a_replay_gives_the_same(evaluate: str) -> None:
    trees, outcomes = [], []
    for shuffle in range(4):
        with Journal.open(None) as journal:
            outcome, seen = asyncio.run(run(mumbler, shuffle, journal, evaluate=evaluate))
            again = Seen()
            assert facts(api.replay(outcome.run, journal=journal, sinks=[again])) == facts(outcome)
            assert again.tree == seen.tree == tree(journal.events(outcome.run))
            assert again.of(Decided) == seen.of(Decided)
        trees.append(seen.tree)
        outcomes.append(facts(outcome))
    assert trees == trees[:1] * 4
    assert outcomes == outcomes[:1] * 4


def test_a_model_with_a_grammar_always_decides(journal: Journal) -> None:
    def say(request: Request) -> str:
        return "impossible" if request.grammar else mumbler(request)

    seen, model = Seen(), Scripted(say, capabilities=Capabilities(grammar=True, price=(0.0, 0.0)))
    api.run("tot", "4 5 6 10", pack="game24", model=model, journal=journal, sinks=[seen], b=2)
    assert {event.how for event in seen.of(Decided)} == {"read", "grammar"}
