"""Any server that speaks OpenAI's format: llama.cpp's own, running the built-in model, and a stub."""

from __future__ import annotations

import asyncio
import base64
import json
import math
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from local_model import ask, draws
from wire_server import KEY, alone, chunk, fault, llama_cpp, said, sse, stub

import promptkit as pk
from promptkit import errors, events
from promptkit.attachments import attach
from promptkit.errors import BadInput, CapabilityMissing, ContextOverflow, KeyMissing
from promptkit.events import Delta, Record
from promptkit.providers.openai_compatible import open_openai_compatible
from promptkit.types import Completion, Message, Provider, Request, Text, ToolCall, ToolSpec, message

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(24))


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def llama() -> Iterator[str]:
    with llama_cpp() as address:
        yield f"{address}/openai/v1"


def complete(*requests: Request, whole: bool = False, **options: object) -> list[Completion]:
    """The completions; `whole`: short ones in one piece, as the vendors' own services are asked for them."""

    async def main() -> list[Completion]:
        model = open_openai_compatible("m", options)
        model._dialect = replace(model._dialect, whole=whole)
        return list(await model.complete_many(requests))

    return asyncio.run(main())


# Where it is, and what it can do.


def test_where_the_server_is_must_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput) as raised:
        open_openai_compatible("m", {})
    assert "-o base_url=http://" in raised.value.hint
    assert "OPENAI_COMPATIBLE_BASE_URL" in raised.value.hint
    with pytest.raises(BadInput, match="names no model"):
        open_openai_compatible("", {"base_url": "http://127.0.0.1:1/v1"})
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:3/v1")  # another provider's
    with pytest.raises(BadInput):
        open_openai_compatible("m", {})
    monkeypatch.setenv("OPENAI_COMPATIBLE_BASE_URL", "http://127.0.0.1:2/v1/")
    model = open_openai_compatible("m", {})
    assert isinstance(model, Provider)
    assert (model.id, json.loads(model.identity)["base_url"]) == ("openai-compatible:m", "http://127.0.0.1:2/v1")


def test_what_it_can_do_is_what_is_said() -> None:
    at: dict[str, Any] = {"base_url": "http://127.0.0.1:1/v1"}
    none = open_openai_compatible("m", at).capabilities
    assert not any((none.json_schema, none.tools, none.logprobs, none.seed, none.grammar))
    assert (none.native_n, none.context) == (1, None)
    words = {"json_schema": "true", "tools": "yes", "logprobs": True, "native_n": "4", "context": "8192"}
    told = open_openai_compatible("m", {**at, **words}).capabilities
    assert (told.json_schema, told.tools, told.logprobs, told.native_n, told.context) == (True, True, True, 4, 8192)
    with pytest.raises(BadInput) as raised:
        open_openai_compatible("m", {**at, "tools": "perhaps"})
    assert "true or false" in raised.value.hint
    with pytest.raises(CapabilityMissing, match="schema"):
        complete(ask(schema="{}"), **at)


def test_a_key_is_sent_where_there_is_one_and_asked_for_where_the_server_does(monkeypatch: pytest.MonkeyPatch) -> None:
    with stub(said("yes")) as server:
        complete(ask(), base_url=server.address)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody-else-entirely")
        complete(ask(), base_url=server.address)
        monkeypatch.setenv("OPENAI_COMPATIBLE_API_KEY", KEY)
        complete(ask(), base_url=server.address)
        assert [headers["authorization"] for _, headers, _ in server.requests] == [
            "Bearer none",
            "Bearer none",
            f"Bearer {KEY}",
        ]
    monkeypatch.delenv("OPENAI_COMPATIBLE_API_KEY")
    with stub(fault(401, "who are you?")) as server, pytest.raises(KeyMissing, match="asks for a key") as raised:
        complete(ask(), base_url=server.address)
    assert "OPENAI_COMPATIBLE_API_KEY" in raised.value.hint


def test_no_key_is_asked_for_before_the_server_does() -> None:
    model = open_openai_compatible("m", {"base_url": "http://models.invalid/v1"})
    assert model._service.key() == ""


# llama.cpp's own server.


def test_a_reply_is_the_same_streamed_or_whole(llama: str) -> None:
    (whole,) = complete(ask(seed=1), base_url=llama, whole=True)
    (streamed,) = complete(ask(seed=1), base_url=llama)
    assert whole.text == streamed.text
    assert whole.usage == streamed.usage
    assert (whole.finish, whole.usage.output_tokens) == ("length", 40)


def test_pieces_come_to_who_wants_them_alone(llama: str) -> None:
    class Deaf:
        deltas = False

        def __init__(self) -> None:
            self.got: list[Record] = []

        def __call__(self, record: Record) -> None:
            self.got.append(record)

    deaf, seen = Deaf(), list[Record]()
    with events.watch(deaf):
        assert not events.streamed()
        with events.watch(seen.append):
            assert events.streamed()
            (reply,) = complete(ask(), base_url=llama, whole=True)
    pieces = [record.event.text for record in seen if isinstance(record.event, Delta)]
    assert len(pieces) > 1
    assert "".join(pieces) == reply.text


def test_several_draws_are_counted_each(llama: str) -> None:
    replies = complete(*draws(ask(), 3), base_url=llama, native_n=4)
    assert [reply.usage.output_tokens for reply in replies] == [40, 40, 40]
    assert len({reply.text for reply in replies}) > 1


@pytest.mark.parametrize("whole", [False, True])
def test_a_schema_holds(llama: str, whole: bool) -> None:
    schema = (
        '{"type": "object", "properties": {"n": {"enum": [4, 5]}}, "required": ["n"], "additionalProperties": false}'
    )
    (reply,) = complete(ask(schema=schema, max_tokens=300), base_url=llama, json_schema=True, whole=whole)
    assert json.loads(reply.text)["n"] in (4, 5)
    (bare,) = complete(ask(schema='{"enum": ["left", "right"]}'), base_url=llama, json_schema=True, whole=whole)
    assert json.loads(bare.text) in ("left", "right")


@pytest.mark.parametrize("whole", [False, True])
def test_log_probabilities_are_told(llama: str, whole: bool) -> None:
    request = ask(logprobs=3, temperature=0.0, max_tokens=5)
    (reply,) = complete(request, base_url=llama, logprobs=True, whole=whole)
    assert "".join(token.text for token in reply.logprobs) == reply.text
    for token in reply.logprobs:
        assert len(token.top) == 3
        assert [logprob for _, logprob in token.top] == sorted((each for _, each in token.top), reverse=True)
        assert token.top[0] == (token.text, token.logprob)  # at temperature 0
        assert 0 < math.exp(token.logprob) <= 1
    with pytest.raises(BadInput, match="at most 20"):
        complete(ask(logprobs=21), base_url=llama, logprobs=True)


def test_a_file_over_the_context_names_the_tokens(llama: str, tmp_path: Path) -> None:
    long = tmp_path / "long.txt"
    long.write_text("word " * 5000)
    with pytest.raises(ContextOverflow, match=r"it takes \d{4,} tokens and the context holds 512") as raised:
        pk.run(
            "direct",
            "What is in it?",
            attach=[long],
            model="openai-compatible:m",
            model_options={"base_url": llama},
            journal="memory",
        )
    assert "attach a part of it" in raised.value.hint
    assert "llama-server -c" in raised.value.hint


def busy(llama: str) -> bool:
    with urllib.request.urlopen(llama.removesuffix("/openai/v1") + "/openai/slots") as reply:
        return any(slot["is_processing"] for slot in json.load(reply))


def test_an_abandoned_call_frees_the_server(llama: str) -> None:
    async def main() -> None:
        model = open_openai_compatible("m", {"base_url": llama})
        endless = ask(max_tokens=480, extra=(("ignore_eos", True),))
        call = asyncio.create_task(model.complete(endless))
        for _ in range(500):
            await asyncio.sleep(0.002)
            if await asyncio.to_thread(busy, llama):
                break
        else:
            pytest.fail("it never began")
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        for _ in range(50):
            if not await asyncio.to_thread(busy, llama):
                return
            await asyncio.sleep(0.002)
        pytest.fail("it goes on")

    asyncio.run(main())


@pytest.mark.parametrize("strategy", ["direct", "cot", "sc"])
def test_strategies_run_on_it(llama: str, strategy: str) -> None:
    how: dict[str, Any] = {"n": 3} if strategy == "sc" else {}
    outcome = pk.run(
        strategy,
        "1 4 9 11",
        pack="game24",
        model="openai-compatible:m",
        model_options={"base_url": llama},
        journal="memory",
        **how,
    )
    assert outcome.usage.output_tokens > 0
    assert outcome.cost_usd is None


# The rest of the format.

TOOL = ToolSpec("add", "adds", '{"type": "object", "properties": {"a": {"type": "integer"}}}')


def call_piece(index: int | None, arguments: str = "", **more: Any) -> dict[str, Any]:
    function = {"arguments": arguments, **({"name": more.pop("name")} if "name" in more else {})}
    return {**({} if index is None else {"index": index}), **more, "function": function}


@pytest.mark.parametrize("whole", [False, True])
def test_calls_come_in_pieces(whole: bool) -> None:
    reply = sse(
        chunk(content="Let me see."),
        chunk(tool_calls=[call_piece(0, id="a", name="add")]),
        chunk(tool_calls=[call_piece(0, '{"a"')]),
        chunk(tool_calls=[call_piece(0, ": 1}")]),
        chunk(tool_calls=[call_piece(1, "{}", id="b", name="add")]),
        chunk(finish="tool_calls", usage={"prompt_tokens": 5, "completion_tokens": 9}),
    )
    with stub(reply) as server:
        (got,) = complete(ask(tools=(TOOL,)), base_url=server.address, tools=True, whole=whole)
        assert server.bodies[0]["tools"] == [
            {
                "type": "function",
                "function": {"name": "add", "description": "adds", "parameters": json.loads(TOOL.schema)},
            }
        ]
    assert got.calls == (ToolCall("a", "add", '{"a": 1}'), ToolCall("b", "add", "{}"))
    assert (got.text, got.finish) == ("Let me see.", "tool_calls")


def test_calls_of_servers_that_number_them_badly() -> None:
    unnumbered = [call_piece(None, "{}", name="add", id="x"), call_piece(None, '{"a": 2}', name="add", id="y")]
    with stub(sse(chunk(tool_calls=unnumbered), chunk(finish="stop"))) as server:
        (got,) = complete(ask(tools=(TOOL,)), base_url=server.address, tools=True)
    assert [(call.id, call.arguments) for call in got.calls] == [("x", "{}"), ("y", '{"a": 2}')]
    assert got.finish == "tool_calls"  # it said stop
    with stub(sse(chunk(tool_calls=[call_piece(0, "", name="add")]), chunk(finish="tool_calls"))) as server:
        (got,) = complete(ask(tools=(TOOL,)), base_url=server.address, tools=True)
    assert got.calls == (ToolCall("call_0", "add", "{}"),)


def test_calls_and_their_results_are_sent_back() -> None:
    turns = (
        message("user", "1 + 1?"),
        Message("assistant", (), calls=(ToolCall("a", "add", '{"a": 1}'),)),
        Message("tool", (Text("2"),), call_id="a"),
    )
    with stub(said("2")) as server:
        complete(Request(messages=turns), base_url=server.address, tools=True)
        assert server.bodies[0]["messages"] == [
            {"role": "user", "content": "1 + 1?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "a", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}],
            },
            {"role": "tool", "content": "2", "tool_call_id": "a"},
        ]


@pytest.mark.parametrize("schema", ["{", "[]", '"x"'])
def test_a_tool_without_a_schema_is_bad_input(schema: str) -> None:
    with pytest.raises(BadInput, match="the tool 'add'"):
        complete(ask(tools=(ToolSpec("add", "", schema),)), base_url="http://127.0.0.1:1", tools=True)


def test_an_image_arrives_unchanged() -> None:
    with stub(said("blue")) as server:
        seen = Request(messages=(Message("user", (attach(PNG), Text("Which colour?"))),))
        complete(seen, base_url=server.address)
        (image, _) = server.bodies[0]["messages"][0]["content"]
    _, _, data = image["image_url"]["url"].partition("base64,")
    assert base64.b64decode(data) == PNG
    with pytest.raises(CapabilityMissing, match="images"):
        complete(seen, base_url="http://127.0.0.1:1", images=False)


def test_effort_is_passed_on_and_thoughts_are_counted() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 6}}
    with stub(sse(chunk(reasoning_content="hm"), chunk(content="4"), chunk(finish="stop", usage=usage))) as server:
        (got,) = complete(ask(effort="minimal"), base_url=server.address)
        assert server.bodies[0]["reasoning_effort"] == "minimal"
    assert (got.reasoning, got.text, got.usage.reasoning_tokens) == ("hm", "4", 6)


def test_a_server_that_streams_whatever_it_is_asked() -> None:
    chunks = [f"{json.dumps(chunk(content=piece))}" for piece in "yes"]
    with stub(sse(*chunks, json.dumps(chunk(finish="stop")))) as server:
        (got,) = complete(ask(), base_url=server.address, whole=True)
        assert "stream" not in server.bodies[0]
    assert got.text == "yes"


def test_an_error_with_a_status_of_200() -> None:
    slow = sse({"error": {"message": "slow down", "code": 429}})
    for whole in (False, True):
        with stub(slow) as server, pytest.raises(errors.RateLimited):
            complete(ask(), base_url=server.address, whole=whole)


def test_a_refusal_is_no_answer() -> None:
    with stub(sse(chunk(refusal="I will not."), chunk(finish="stop"))) as server:
        (got,) = complete(ask(), base_url=server.address)
    assert (got.text, got.finish) == ("I will not.", "filtered")


@pytest.mark.parametrize(
    ("told", "needed", "room"),
    [
        (
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 10001 tokens.",
            10001,
            8192,
        ),
        (
            "This model's maximum context length is 4,096 tokens. However, you requested 5,000 tokens "
            "(1000 in the messages, 4000 in the completion).",
            5000,
            4096,
        ),
        ("The decoder prompt (length 5000) is longer than the maximum model length of 4096.", 5000, 4096),
    ],
)
def test_what_does_not_fit_names_both_numbers(told: str, needed: int, room: int) -> None:
    with stub(fault(400, told, code="context_length_exceeded")) as server, pytest.raises(ContextOverflow) as raised:
        complete(ask(), base_url=server.address)
    assert f"it takes {needed} tokens and the context holds {room}" in raised.value.message
    assert ("--reply-tokens" in raised.value.hint) == ("completion" in told)
