"""One contract, every adapter that hears log-probabilities as they come: a reply that grows unsure is ended there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from adapters import HERE, Place, asking, standing
from llama_http import generated, llama_http
from local_model import BUILTIN
from wire_server import alone, chunk, sse, stub

import promptkit as pk
from promptkit.algorithms.voting.deepconf import group_confidences
from promptkit.providers.builtin import open_builtin
from promptkit.providers.openai_compatible import open_openai_compatible
from promptkit.types import Capabilities, Completion, Outcome, Provider, Request, Weak
from promptkit.weak import confidence, ended

LONG = 300  # tokens
WINDOW = 4
PUZZLE = "4 7 9 13"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def llama() -> Iterator[str]:
    with llama_http(BUILTIN, slots=1) as address:
        yield address


def completed(model: Provider, *requests: Request) -> list[Completion]:
    async def main() -> list[Completion]:
        try:
            return [await model.complete(request) for request in requests]
        finally:
            await model.aclose()

    return asyncio.run(main())


def dip(whole: Completion) -> Weak:
    """A threshold that some window in the first part of the reply is the first to fall below, by a clear margin."""
    sure = [each for token in whole.logprobs if (each := confidence(token)) is not None]
    groups = group_confidences(sure, WINDOW)[:60]
    lows = list(accumulate(groups, min))
    drop, at = max((lows[at - 1] - lows[at], at) for at in range(1, len(lows)))
    assert drop > 0.01
    return Weak((lows[at - 1] + lows[at]) / 2, WINDOW)


@pytest.mark.parametrize("name", ["openai", "openai-compatible", *HERE])
def test_a_reply_is_ended_where_it_grows_unsure(name: str, request: pytest.FixtureRequest) -> None:
    """What came is what the whole reply begins with; what was not written is not in the usage."""
    with standing(name, lambda: request.getfixturevalue("llama")) as place:
        here: dict[str, Any] = {"batch": 1} if name in HERE else {"logprobs": True}
        heat = 0.8 if name in HERE else 0.0
        ask = asking(temperature=heat, max_tokens=LONG, logprobs=20, extra=(("ignore_eos", True),))
        (whole,) = completed(place.open(**here), ask)
        weak = dip(whole)
        before = _written(place, request)
        (short,) = completed(place.open(**here), replace(ask, weak=weak))
        due = ended(whole, weak)
        assert (short.finish, short.text) == ("weak", due.text)
        assert whole.text.startswith(short.text)
        assert [token.text for token in short.logprobs] == [token.text for token in due.logprobs]
        assert len(short.logprobs) <= short.usage.output_tokens < 80 < whole.usage.output_tokens == LONG
        assert short.usage.input_tokens > 0
        if name not in HERE:
            assert _written(place, request) - before < LONG / 2, "the server has stopped, too"


def _written(place: Place, request: pytest.FixtureRequest) -> int:
    return generated(request.getfixturevalue("llama")) if place.address else 0


WORDS = ["Well", ", it", " is", " 4", ".", " No", ", wait", ":", " 5", ".", " Or", " 6", "."]
SURE = [9.0, 9.0, 8.0, 9.0, 9.0, 2.0, 1.0, 1.0, 7.0, 9.0, 2.0, 1.0, 9.0]
TOLD = [
    {"token": word, "logprob": -0.1, "top_logprobs": [{"token": "a", "logprob": -each}]}
    for word, each in zip(WORDS, SURE, strict=True)
]


def _pieces(size: int, late: int) -> list[Any]:
    """The reply, so many tokens a chunk, the text of each coming so many chunks later."""
    texts = ["".join(WORDS[at : at + size]) for at in range(0, len(WORDS), size)] + [""] * late
    told = [TOLD[at : at + size] for at in range(0, len(WORDS), size)]
    said = [""] * late + texts[: len(texts) - late]
    rest = "".join(texts[len(texts) - late :]) if late else ""
    chunks = [
        chunk(content=text, logprobs=told[at] if at < len(told) else None) for at, text in enumerate([*said, rest])
    ]
    return [*chunks, chunk(finish="stop"), chunk(usage={"prompt_tokens": 7, "completion_tokens": 13})]


@pytest.mark.parametrize("late", [0, 1, 3])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 13])
def test_the_same_reply_in_other_chunks_ends_at_the_same_token(size: int, late: int) -> None:
    with stub(sse(*_pieces(size, late))) as server:
        model = open_openai_compatible("m", {"base_url": server.address, "logprobs": True})
        (reply,) = completed(model, asking(logprobs=20, weak=Weak(2.0, 3)))
    assert (reply.text, reply.finish) == ("Well, it is 4. No, wait:", "weak")
    assert [token.text for token in reply.logprobs] == WORDS[:8]
    assert server.bodies[0]["stream"] is True
    assert "weak" not in server.bodies[0]


def test_a_server_that_answers_whole_is_read_up_to_there() -> None:
    whole = sse(*_pieces(1, 0))
    with stub(replace(whole, body=_json(whole.chunks), headers={"content-type": "application/json"})) as server:
        model = open_openai_compatible("m", {"base_url": server.address, "logprobs": True})
        (reply,) = completed(model, asking(logprobs=20, weak=Weak(2.0, 3)))
    assert (reply.text, reply.finish) == ("Well, it is 4. No, wait:", "weak")
    assert reply.usage.output_tokens == 13, "it was written, and is paid for"


def _json(chunks: Sequence[Any]) -> bytes:
    import json

    from wire_server import whole

    return json.dumps(whole(chunks)).encode()


def test_a_reply_that_stays_sure_is_whole() -> None:
    with stub(sse(*_pieces(2, 0))) as server:
        model = open_openai_compatible("m", {"base_url": server.address, "logprobs": True})
        (reply,) = completed(model, asking(logprobs=20, weak=Weak(0.5, 3)))
    assert (reply.text, reply.finish, reply.usage.output_tokens) == ("".join(WORDS), "stop", 13)


class Unending:
    """The built-in model as a provider that cannot end a stream: what is weak comes whole."""

    def __init__(self, inner: Provider) -> None:
        self.inner, self.id, self.identity = inner, "unending", f"unending {inner.identity}"

    @property
    def capabilities(self) -> Capabilities:
        return replace(self.inner.capabilities, batch=1, native_n=1)

    async def complete(self, request: Request, /) -> Completion:
        return await self.inner.complete(replace(request, weak=None))

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        return [await self.complete(request) for request in requests]

    async def aclose(self) -> None:
        await self.inner.aclose()


def test_deepconf_pays_less_where_streams_can_be_ended_and_votes_alike() -> None:
    """On the real built-in model: the same votes and the same answer, and fewer tokens."""
    how: dict[str, Any] = {"n": 16, "warmup": 4, "keep": 0.5, "window": 8, "consensus": 1.0, "temperature": 1.0}

    def run(model: Provider, **more: Any) -> Outcome:
        return pk.run("deepconf", PUZZLE, pack="game24", model=model, **how, **more)

    cutting, whole = open_builtin("", {"batch": 1}), open_builtin("", {"batch": 1})
    short, long = run(cutting, journal="memory"), run(Unending(whole), journal="memory")
    assert short.answer == long.answer is not None
    assert short.detail["votes"] == long.detail["votes"]
    assert short.detail["ended"] == long.detail["ended"] > 2, "two are of the warm-up"
    assert short.detail["tokens_after_end"] == 0 < long.detail["tokens_after_end"]
    assert short.usage.output_tokens + long.detail["tokens_after_end"] == long.usage.output_tokens


def test_a_replay_finds_what_was_ended_again() -> None:
    how: dict[str, Any] = {"n": 10, "warmup": 4, "keep": 0.5, "window": 8, "consensus": 1.0, "temperature": 1.0}
    first = pk.run("deepconf", PUZZLE, pack="game24", model="builtin", **how)
    again = pk.replay(first.run)
    assert (again.answer, again.detail) == (first.answer, first.detail), "it makes no call: a miss would be an error"
    assert first.detail["ended"] > 0
