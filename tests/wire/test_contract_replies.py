"""One contract, every adapter: what a reply is, wherever it came from."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from adapters import ALL, HERE, WIRE, Place, answering, asking, images, standing, turns
from llama_http import llama_http
from local_model import BUILTIN
from wire_server import alone

from promptkit.errors import CapabilityMissing
from promptkit.events import Delta, Record, watch
from promptkit.runtime.observed import Observed
from promptkit.types import Blob, Completion, Message, Request, Text, ToolSpec, message

STRANGE = (
    "naïve 漢字 🎲 \u202ertl\u202c \x01\x07\x1b[31m\x7f\t\r\n{\"a\": '\\u0041'} <|im_end|> </s> {{x}} \u2028 \ufeff"
)
SCHEMA = json.dumps({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]})
ABLE = {"openai": True, "groq": False, "openai-compatible": True}  # adapters that are told what their server can do


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def llama() -> Iterator[str]:
    with llama_http(BUILTIN) as address:
        yield address


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with standing(request.param, lambda: request.getfixturevalue("llama")) as it:
        yield it


everywhere = pytest.mark.parametrize("place", ALL, indirect=True)
on_the_wire = pytest.mark.parametrize("place", WIRE, indirect=True)


def completed(place: Place, *requests: Request, **options: Any) -> list[Completion]:
    async def main(request: Request) -> Completion:
        async with place.opened(**options) as provider:
            return await Observed(provider, seed=0).complete(request)  # where what a model cannot do is refused

    return [asyncio.run(main(request)) for request in requests]  # each on a connection of its own


@everywhere
def test_a_completion_and_what_it_took(place: Place) -> None:
    (reply,) = completed(place, asking())
    assert reply.text.strip()
    assert reply.model.partition(":")[0] == place.name
    assert (reply.reasoning, reply.calls, reply.cached) == (None, (), False)
    assert reply.usage.input_tokens > 0
    drawn = place.open().capabilities.batch  # a whole batch is paid for
    assert 0 < reply.usage.output_tokens <= 24 * drawn
    assert reply.seconds > 0


@everywhere
def test_a_reply_that_is_cut_off_says_so(place: Place) -> None:
    cut, short = completed(place, asking(max_tokens=5), asking(max_tokens=1, temperature=0.0))
    drawn = place.open().capabilities.batch
    assert (cut.finish, cut.usage.output_tokens) == ("length", 5 * drawn)
    assert (short.finish, short.usage.output_tokens) == ("length", 1)


@everywhere
def test_the_likeliest_reply_is_the_same_every_time(place: Place) -> None:
    one, other = completed(place, asking(temperature=0.0), asking(temperature=0.0).at(3))
    assert one.text == other.text


@everywhere
def test_a_stop_sequence_ends_a_reply_and_is_not_in_it(place: Place) -> None:
    (whole,) = completed(place, asking(temperature=0.0))
    stop = whole.text.strip()[6:9]
    (stopped,) = completed(place, asking(temperature=0.0, stop=("never said", stop)))
    assert stopped.finish == "stop"
    assert stopped.text.strip() == whole.text[: whole.text.index(stop)].strip()


@everywhere
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_what_is_shown_while_it_is_written_adds_up(place: Place, temperature: float) -> None:
    seen: list[Record] = []
    with watch(seen.append):
        (reply,) = completed(place, asking(temperature=temperature).at(2))
    deltas = [record.event for record in seen if isinstance(record.event, Delta)]
    assert "".join(delta.text for delta in deltas) == reply.text
    assert {delta.draw for delta in deltas} == {(2,)}
    assert len(deltas) > 1 or place.name == "scripted"


@on_the_wire
def test_a_conversation_is_sent_as_it_is(place: Place) -> None:
    said: tuple[tuple[Any, str], ...] = (
        ("system", " be brief \n"),
        ("user", "4 5 6 10\n\n"),
        ("assistant", "4 + 5 = 9 (left: 6 9 10)"),
        ("user", ""),
        ("assistant", "  "),
        ("user", STRANGE),
    )
    request = Request(messages=tuple(message(role, text) for role, text in said), temperature=0.0, max_tokens=4)
    completed(place, request)
    (body,) = place.bodies()
    assert turns(body) == list(said)


@pytest.mark.parametrize("name", WIRE)
@pytest.mark.parametrize("watched", [True, False])
def test_any_text_comes_back_as_it_was_written(name: str, watched: bool) -> None:
    seen: list[Record] = []
    with answering(name, STRANGE) as place:
        if watched:
            with watch(seen.append):
                (reply,) = completed(place, asking("say it"))
        else:
            (reply,) = completed(place, asking("say it"))
    assert reply.text == STRANGE
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (7, 3)


@pytest.mark.parametrize("name", WIRE)
@pytest.mark.parametrize("watched", [True, False])
def test_reasoning_is_kept_apart(name: str, watched: bool) -> None:
    seen: list[Record] = []
    with answering(name, "It is 4.", "two and two") as place, watch(*([seen.append] if watched else [])):
        (reply,) = completed(place, asking("2 + 2?", max_tokens=200))
    assert (reply.text, reply.reasoning) == ("It is 4.", "two and two")
    if watched:
        deltas = [record.event for record in seen if isinstance(record.event, Delta)]
        assert "".join(delta.text for delta in deltas if delta.reasoning) == "two and two"
        assert "".join(delta.text for delta in deltas if not delta.reasoning) == "It is 4."


# What it can do is done, what it cannot is refused before the call.


def told_able(place: Place) -> dict[str, Any]:
    """The options that say what llama.cpp's server can do, where an adapter has to be told."""
    return {"json_schema": True, "logprobs": True} if ABLE.get(place.name) else {}


@everywhere
def test_a_schema_holds_or_is_refused(place: Place) -> None:
    options = told_able(place)
    request = asking("Say it as JSON.", schema=SCHEMA, temperature=0.0, max_tokens=60)
    if place.open(**options).capabilities.json_schema:
        (reply,) = completed(place, request, **options)
        assert reply.finish == "length" or isinstance(json.loads(reply.text)["a"], int)
        assert reply.text.lstrip().startswith("{")
    else:
        with pytest.raises(CapabilityMissing):
            completed(place, request, **options)
        assert not place.bodies()


@everywhere
def test_log_probabilities_are_told_or_refused(place: Place) -> None:
    options = told_able(place)
    request = asking(temperature=0.0, logprobs=3, max_tokens=6)
    if place.open(**options).capabilities.logprobs:
        (reply,) = completed(place, request, **options)
        assert reply.logprobs
        assert all(token.logprob <= 0 and 1 <= len(token.top) <= 3 for token in reply.logprobs)
        likeliest = [token.top[0][0] for token in reply.logprobs]
        assert "".join(likeliest).startswith(reply.text[:1])
    else:
        with pytest.raises(CapabilityMissing):
            completed(place, request, **options)
        assert not place.bodies()


@everywhere
def test_tools_are_offered_or_refused(place: Place) -> None:
    tool = ToolSpec("add", "adds two numbers", SCHEMA)
    options: dict[str, Any] = {"tools": True} if ABLE.get(place.name) else {}
    if place.open(**options).capabilities.tools:
        completed(place, asking("2 + 2?", tools=(tool,), max_tokens=8), **options)
        (body,) = place.bodies()
        (offered,) = body["tools"]
        assert offered["function"]["name"] == "add"
        assert offered["function"]["parameters"]["required"] == ["a"]
    else:
        with pytest.raises(CapabilityMissing):
            completed(place, asking("2 + 2?", tools=(tool,)), **options)
        assert not place.bodies()


@pytest.mark.parametrize("name", [*WIRE, *HERE])
def test_an_images_bytes_reach_the_server_unchanged(name: str) -> None:
    data = bytes(range(256)) * 5 + b"\r\n--boundary--"
    image = Blob("image", "0" * 64, "image/png", "a.png", data)
    request = Request(messages=(Message("user", (Text("what is this?"), image)),), max_tokens=8)
    if name in HERE:
        with pytest.raises(CapabilityMissing):
            completed(Place(name), request)
        return
    with answering(name, "a die") as place:
        sees = {"model": "meta-llama/llama-4-scout-17b-16e-instruct"} if name == "groq" else {}
        (reply,) = completed(place, request, **sees)
        assert reply.text == "a die"
        assert images(place.bodies()[-1]) == [data]
