"""A promptkit model as LangChain's: asked in every way, with tools, streams, tokens, caps and the journal behind it."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_scripts import Awaited, awaited
from pydantic import BaseModel

import promptkit as pk
from promptkit.errors import BadInput, CapabilityMissing, Cut
from promptkit.events import Delta, emit
from promptkit.interop.langchain import as_chat_model
from promptkit.journal import Journal
from promptkit.types import Blob, Capabilities, Completion, ToolCall, Usage

PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=")


class Ear:
    """A model that keeps what it was asked."""

    def __init__(self, reply: str | Completion = "one two three", **able: Any) -> None:
        self.asked: list[pk.Request] = []
        self._reply = reply
        self.model = pk.Scripted(self._say, capabilities=Capabilities(local=True, seed=True, **able))

    def _say(self, request: pk.Request) -> str | Completion:
        self.asked.append(request)
        return self._reply


def test_it_is_invoked_with_what_a_request_has(journal: Journal) -> None:
    ear = Ear()
    chat = as_chat_model(ear.model, journal=journal, temperature=0.5, max_tokens=64, seed=7)
    reply = chat.invoke([SystemMessage("Be brief."), HumanMessage("Count.")], stop=[" three"], top_p=0.9)
    assert reply.text == "one two"
    assert reply.usage_metadata == {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    assert reply.response_metadata["finish_reason"] == "stop"
    (asked,) = ear.asked
    assert [(turn.role, turn.text) for turn in asked.messages] == [("system", "Be brief."), ("user", "Count.")]
    assert (asked.temperature, asked.max_tokens, asked.top_p) == (0.5, 64, 0.9)
    assert (asked.stop, asked.seed) == ((" three",), 7)


@awaited
async def test_the_same_question_is_free_and_a_draw_is_another_sample(journal: Journal) -> None:
    ear = Ear()
    chat = as_chat_model(ear.model, journal=journal)
    replies = [await chat.ainvoke("Count."), chat.bind(draw=1).invoke("Count."), await chat.ainvoke("Count.")]
    assert [reply.response_metadata["cached"] for reply in replies] == [False, False, True]
    assert [request.draw for request in ear.asked] == [(0,), (1,)]
    assert chat.spent == Usage(calls=2, samples=2, input_tokens=2, output_tokens=6)


@awaited
async def test_every_way_of_asking_gives_the_same(journal: Journal) -> None:
    chat = as_chat_model(Ear().model, journal=journal)
    assert [reply.text for reply in chat.batch(["a", "b"])] == ["one two three"] * 2
    assert [reply.text for reply in await chat.abatch(["c", "d"])] == ["one two three"] * 2
    for way in ("fresh", "journal"):
        streamed: Any = None
        for chunk in chat.stream(f"e {way[:0]}"):
            streamed = chunk if streamed is None else streamed + chunk
        awaited_: Any = None
        async for chunk in chat.astream("f"):
            awaited_ = chunk if awaited_ is None else awaited_ + chunk
        assert streamed.text == awaited_.text == "one two three"
        assert streamed.usage_metadata["output_tokens"] == awaited_.usage_metadata["output_tokens"] == 3
        assert streamed.response_metadata["cached"] == (way == "journal")


@awaited
async def test_reasoning_is_streamed_apart(journal: Journal) -> None:
    async def say(request: pk.Request) -> Completion:
        emit(Delta(request.draw, "hm ", reasoning=True))
        usage = Usage(input_tokens=1, output_tokens=4, reasoning_tokens=3)
        return Completion(text="4", model="thinker", reasoning="hm ", usage=usage)

    chat = as_chat_model(pk.Scripted(say), journal=journal)
    whole: Any = None
    async for chunk in chat.astream("2 + 2"):
        whole = chunk if whole is None else whole + chunk
    assert (whole.text, whole.additional_kwargs) == ("4", {"reasoning_content": "hm "})
    assert whole.usage_metadata["output_token_details"] == {"reasoning": 3}
    assert (await chat.ainvoke("2 + 2")).additional_kwargs == {"reasoning_content": "hm "}


@tool
def add(a: int, b: int) -> int:
    """The sum of two numbers."""
    return a + b


def test_tools_are_bound_called_and_answered(journal: Journal) -> None:
    ear = Ear(Completion(text="", model="x", calls=(ToolCall("c1", "add", '{"a": 1, "b": 2}'),)), tools=True)
    chat = as_chat_model(ear.model, journal=journal).bind_tools([add], tool_choice="any")
    reply = chat.invoke("1 + 2?")
    assert reply.tool_calls == [{"name": "add", "args": {"a": 1, "b": 2}, "id": "c1", "type": "tool_call"}]
    chat.invoke([HumanMessage("1 + 2?"), reply, ToolMessage("3", tool_call_id="c1")])
    first, second = ear.asked
    assert first.tools[0].name == "add"
    assert first.tools[0].description == "The sum of two numbers."
    assert first.extra == (("tool_choice", "any"),)
    assert second.messages[1].calls == (ToolCall("c1", "add", '{"a": 1, "b": 2}'),)
    assert (second.messages[2].role, second.messages[2].call_id, second.messages[2].text) == ("tool", "c1", "3")
    (chunk,) = [
        chunk for chunk in chat.stream("1 + 2 again?") if isinstance(chunk, AIMessageChunk) and chunk.tool_calls
    ]
    assert chunk.tool_calls[0]["args"] == {"a": 1, "b": 2}


def test_arguments_that_are_no_json_object_are_not_lost(journal: Journal) -> None:
    ear = Ear(Completion(text="", model="x", calls=(ToolCall("c1", "add", '{"a": 1'),)), tools=True)
    reply = as_chat_model(ear.model, journal=journal).bind_tools([add]).invoke("1?")
    assert isinstance(reply, AIMessage)
    assert [call["args"] for call in reply.invalid_tool_calls] == ['{"a": 1']


def test_a_model_without_tools_is_not_asked(journal: Journal) -> None:
    ear = Ear()
    with pytest.raises(CapabilityMissing, match="cannot call tools"):
        as_chat_model(ear.model, journal=journal).bind_tools([add]).invoke("1?")
    assert ear.asked == []


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "base64": base64.b64encode(PIXEL).decode(), "mime_type": "image/png"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}"}},
        {"type": "image", "source_type": "base64", "data": base64.b64encode(PIXEL).decode(), "mime_type": "image/png"},
    ],
)
def test_an_image_arrives_as_it_was(block: dict[str, Any], journal: Journal) -> None:
    ear = Ear(images=True)
    as_chat_model(ear.model, journal=journal).invoke([HumanMessage([{"type": "text", "text": "What?"}, block])])
    (image,) = [part for part in ear.asked[0].messages[0].content if isinstance(part, Blob)]
    assert (image.data, image.media_type) == (PIXEL, "image/png")


def test_what_cannot_be_asked_is_said(journal: Journal) -> None:
    chat = as_chat_model(Ear(images=True).model, journal=journal)
    with pytest.raises(BadInput, match="nothing is fetched"):
        chat.invoke([HumanMessage([{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}])])
    with pytest.raises(BadInput, match="type 'audio'"):
        chat.invoke([HumanMessage([{"type": "audio", "data": "…"}])])


def test_its_budget_holds_over_all_its_calls(journal: Journal) -> None:
    ear = Ear()
    chat = as_chat_model(ear.model, journal=journal, max_calls=2)
    with pytest.raises(Cut, match="2 of 2 calls"):
        chat.batch(["a", "b", "c"])
    assert len(ear.asked) == 2
    assert journal.spent(chat.run).calls == 2


@awaited
async def test_callbacks_hear_of_the_tokens(journal: Journal) -> None:
    trace = Awaited()
    chat = as_chat_model(Ear().model, journal=journal)
    async for _ in chat.astream("Count.", {"callbacks": [trace]}):
        pass
    (run,) = trace.of("model")
    assert "".join(run.pieces) == "one two three"
    assert run.tokens == 4


class Sum(BaseModel):
    total: int


def test_the_built_in_model_is_held_to_a_schema(journal: Journal) -> None:
    chat = as_chat_model("builtin", journal=journal, max_tokens=40)
    assert isinstance(chat.with_structured_output(Sum).invoke("What is 2 + 3?"), Sum)
    raw = chat.with_structured_output(Sum.model_json_schema(), include_raw=True).invoke("What is 2 + 3?")
    assert isinstance(raw, dict)
    assert raw["parsed"].keys() == {"total"}
    assert raw["parsing_error"] is None
    assert isinstance(raw["raw"], AIMessage)
