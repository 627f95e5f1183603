"""Looks at next tokens as runs: the same whatever comes first, from Python too, and honest about what fails."""

from __future__ import annotations

import asyncio
import random
from math import log
from typing import Any

import pytest

import promptkit as pk
from promptkit.decoding.decode import Decode
from promptkit.decoding.next_token import NextToken
from promptkit.errors import BadReply, Unavailable
from promptkit.providers.scripted import Scripted
from promptkit.types import Capabilities, Completion, Request, Token

CAN = Capabilities(seed=True, local=True, price=(0.0, 0.0), logprobs=True, raw=True, alternatives=9)
TOKENS = (" a", " b", " c", " d", "")


def completion(request: Request) -> Completion:
    """Three likely tokens that depend on the text, by number; the end comes closer with every token."""
    told = random.Random(f"{request.messages[0].text}{request.raw}")
    shares = sorted((told.random() for _ in TOKENS), reverse=True)
    top = tuple((token, log(share / sum(shares))) for token, share in zip(TOKENS, shares, strict=True))
    ids = tuple(range(len(top)))
    return Completion(text=top[0][0], model="scripted:x", logprobs=(Token(*top[0], top, ids),), finish="length")


def looked(strategy: Any, script: Any, seed: int = 0) -> pk.Outcome:
    model = Scripted(script, capabilities=CAN)
    return pk.run(strategy, "Once upon a time", model=model, journal="memory", seed=seed)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_order_in_which_replies_come_changes_nothing(seed: int) -> None:
    delays = random.Random()

    async def late(request: Request) -> Completion:
        await asyncio.sleep(delays.random() / 100)
        return completion(request)

    decode = Decode(steps=4, width=3, top_k=2)
    at_once, shuffled = looked(decode, completion, seed), looked(decode, late, seed)
    assert at_once.detail == shuffled.detail
    assert at_once.answer == shuffled.answer


def test_a_beginning_that_several_ways_share_is_asked_for_once() -> None:
    asked: list[Request] = []

    def script(request: Request) -> Completion:
        asked.append(request)
        return completion(request)

    looked(Decode(steps=4, width=3), script)
    prefixes = [request.raw for request in asked]
    assert len(prefixes) == len(set(prefixes))
    assert prefixes[0] == ()
    assert {request.messages[0].text for request in asked} == {"Once upon a time"}  # tokens go on by number
    assert all(request.max_tokens == 1 and request.logprobs == 9 for request in asked)


def test_other_dice_draw_other_texts_from_the_same_distributions() -> None:
    texts = {
        next(way["text"] for way in looked(Decode(steps=3, width=1), completion, seed).detail["ways"][1:2])
        for seed in range(8)
    }
    assert len(texts) > 1


def test_a_call_that_fails_ends_the_look(instant_retries: None) -> None:
    def script(request: Request) -> Completion:
        if request.raw:
            raise Unavailable("down")
        return completion(request)

    with pytest.raises(Unavailable):
        pk.run(
            Decode(steps=2),
            "Once",
            model=Scripted(script, capabilities=CAN),
            journal="memory",
        )


def test_a_reply_without_log_probabilities_is_said_to_have_none() -> None:
    def silent(request: Request) -> Completion:
        return Completion(text="x", model="scripted:x", reasoning="hm")

    with pytest.raises(BadReply, match="it thought before it wrote"):
        looked(NextToken(chat=True), silent)


@pytest.mark.parametrize("logprobs", [(0.0, 0.0), (float("-inf"), float("-inf")), (float("nan"), -1.0)])
def test_log_probabilities_that_cannot_be_are_no_bug(logprobs: tuple[float, float]) -> None:
    top = tuple(zip((" a", " b"), logprobs, strict=True))

    def script(request: Request) -> Completion:
        return Completion(text=" a", model="scripted:x", logprobs=(Token(*top[0], top),))

    with pytest.raises(BadReply, match=r"told no distribution: .*probabilities"):
        looked(NextToken(), script)


def test_a_way_that_is_named_twice_is_one_way() -> None:
    ways = looked(Decode(steps=1, methods=("greedy", "beam", "greedy")), completion).detail["ways"]
    assert [way["way"] for way in ways] == ["greedy"]


def test_a_token_that_was_drawn_is_told_beside_the_likeliest() -> None:
    def drawn(request: Request) -> Completion:
        token = Token(" rare", log(0.01), ((" a", log(0.6)), (" b", log(0.3))))
        return Completion(text=" rare", model="scripted:x", logprobs=(token,), finish="length")

    detail = looked(NextToken(), drawn).detail
    assert [(each["text"], round(each["p"], 9)) for each in detail["tokens"]] == [
        (" a", 0.6),
        (" b", 0.3),
        (" rare", 0.01),
    ]
    assert detail["rest"] == pytest.approx(0.09)
    assert not detail["exact"]
