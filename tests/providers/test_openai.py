from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from local_model import ask, draws, texts
from wire_server import KEY, Answer, alone, chunk, llama_cpp, said, sse, stub

import promptkit as pk
from promptkit import errors, events
from promptkit.errors import BadInput, CapabilityMissing
from promptkit.events import Delta, Record, Warned
from promptkit.providers.openai import open_openai
from promptkit.providers.remote.chat_reply import divided
from promptkit.types import Blob, Completion, Message, Provider, Request, ToolSpec, message


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def llama() -> Iterator[str]:
    with llama_cpp() as address:
        yield f"{address}/openai/v1"


def complete(requests: list[Request], name: str = "m", **options: object) -> list[Completion]:
    """The completions, streamed: somebody watches."""

    async def main() -> list[Completion]:
        with events.watch(lambda record: None):
            return list(await open_openai(name, options).complete_many(requests))

    return asyncio.run(main())


# A real server: llama.cpp's own.


def test_several_draws_in_one_call(llama: str) -> None:
    seen: list[Record] = []
    with events.watch(seen.append):
        replies = complete(draws(ask(), 3, start=4), base_url=llama)
    assert len(set(texts(replies))) > 1
    assert {reply.finish for reply in replies} == {"length"}
    assert [reply.usage.input_tokens for reply in replies] == [33, 0, 0]
    assert [reply.usage.output_tokens for reply in replies] == [40, 40, 40]
    assert {reply.model for reply in replies} == {"openai:m"}
    pieces: dict[tuple[int, ...], str] = {}
    for event in (record.event for record in seen):
        assert isinstance(event, Delta)
        pieces[event.draw] = pieces.get(event.draw, "") + event.text
    assert pieces == {(4 + at,): reply.text for at, reply in enumerate(replies)}


def test_a_seed_is_a_text(llama: str) -> None:
    one, same, other = (complete([ask(seed=seed)], base_url=llama)[0] for seed in (1, 1, 2))
    assert one.text == same.text != other.text


def test_stop_ends_a_reply(llama: str) -> None:
    (reply,) = complete([ask(temperature=0.0, stop=("(left",), top_k=1, min_p=0.1)], base_url=llama)
    assert "left" not in reply.text
    assert reply.finish == "stop"
    assert reply.usage.output_tokens > 0


def test_a_prompt_too_long_for_a_real_server(llama: str) -> None:
    with pytest.raises(errors.ContextOverflow, match="6003 tokens"):
        complete([ask("4-5" * 2000)], base_url=llama)
    with pytest.raises(errors.Rejected, match="must be between"):
        complete(draws(ask(), 5), base_url=llama)


def test_a_run(llama: str) -> None:
    how: dict[str, Any] = {"model": "openai:m", "model_options": {"base_url": llama}, "pack": "game24"}
    outcome = pk.run("cot", "4 5 6 10", journal="memory", **how)
    assert outcome.text
    assert outcome.usage.output_tokens > 0
    assert outcome.cost_usd is None  # nobody knows what that server costs


# What goes over the wire.


def test_the_request_on_the_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY + "\n")
    request = ask(
        "hello",
        temperature=0.5,
        max_tokens=9,
        stop=("x",),
        top_p=0.9,
        top_k=3,
        frequency_penalty=0.1,
        presence_penalty=0.2,
        extra=(("reasoning_effort", "low"),),
    )
    usage = {"prompt_tokens": 5, "completion_tokens": 10, "completion_tokens_details": {"reasoning_tokens": 4}}
    reply = [
        chunk(role="assistant", content=""),
        chunk(index=1, content="longer text"),
        chunk(reasoning="hm"),
        chunk(content="a"),
        chunk(index=1, content=", yes"),
        chunk(index=1, content="!"),
        chunk(index=1, finish="content_filter"),
        chunk(finish="eos", usage=usage),
    ]
    with stub(sse(*reply)) as server:
        first, second = complete(draws(request, 2), base_url=server.address + "/v1/")
        ((path, headers, body),) = server.requests
    assert path == "/v1/chat/completions"
    assert headers["authorization"] == f"Bearer {KEY}"
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "hello"}],
        "temperature": 0.5,
        "max_tokens": 9,
        "stop": ["x"],
        "top_p": 0.9,
        "top_k": 3,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "n": 2,
        "seed": request.wire_seed,
        "stream": True,
        "stream_options": {"include_usage": True},
        "reasoning_effort": "low",
    }
    assert (first.text, first.reasoning, first.finish) == ("a", "hm", "stop")
    assert (second.text, second.reasoning, second.finish) == ("longer text, yes!", None, "filtered")
    assert (first.usage.input_tokens, first.usage.reasoning_tokens) == (5, 4)
    assert first.usage.output_tokens + second.usage.output_tokens == 10


def test_a_bare_request_says_little() -> None:
    with stub(said("hi there")) as server:
        request = Request(messages=(message("user", "hello"),))
        (reply,) = complete([request], base_url=server.address)
        assert set(server.bodies[0]) == {"model", "messages", "seed", "stream", "stream_options"}
        assert server.requests[0][1]["authorization"] == "Bearer none"
    assert (reply.text, reply.usage.input_tokens, reply.usage.output_tokens) == ("hi there", 7, 3)


def test_a_server_that_reports_no_usage_is_counted_by_its_pieces() -> None:
    with stub(sse(chunk(content="a"), chunk(content="b"), chunk(finish="length"))) as server:
        (reply,) = complete([ask("hello you")], base_url=server.address)
    assert reply.finish == "length"
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (3, 2)


def test_shares_add_up() -> None:
    assert divided(10, [1, 3]) == [2, 8]
    assert divided(5, [0, 0]) == [5, 0]
    assert sum(divided(101, [3, 5, 7])) == 101


# What it is, and what it refuses before a call.


def test_what_it_says_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_openai("gpt-4.1-mini", {})
    assert isinstance(model, Provider)
    assert (model.id, model.capabilities.native_n, model.capabilities.price) == ("openai:gpt-4.1-mini", 8, None)
    assert json.loads(model.identity) == {
        "api": "openai",
        "model": "gpt-4.1-mini",
        "base_url": "https://api.openai.com/v1",
    }
    elsewhere = open_openai("m", {"base_url": "http://localhost:1/v1", "native_n": "4"})
    assert elsewhere.capabilities.native_n == 4
    assert open_openai("m", {"base_url": "http://localhost:1/v1"}).capabilities.native_n == 1
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1/v1/")
    assert open_openai("m", {}).identity == elsewhere.identity
    assert open_openai("m", {"base_url": "http://localhost:2/v1"}).identity != elsewhere.identity


def test_opening_imports_no_sdk() -> None:
    code = "import sys; from promptkit.providers.openai import *; open_openai('m', {}); print('openai' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    "options",
    [
        {"base_url": "localhost:1"},
        {"base_url": "http://me:secret@localhost"},
        {"base_url": "http://localhost?k=secret"},
        {"base_url": "http://localhost:99999"},
        {"base_url": "http://localhost:secret"},
        {"base_url": "http://localhost:0"},
        {"timeout": 0},
        {"timeout": "secret"},
        {"timeout": True},
        {"native_n": 0},
        {"api_key": "secret"},
        {"nonsense": 1},
    ],
)
def test_options_that_cannot_be_used(options: dict[str, object]) -> None:
    with pytest.raises(BadInput) as raised:
        open_openai("m", options)
    assert raised.value.hint
    assert "secret" not in f"{raised.value} {raised.value.hint}"


def test_no_name() -> None:
    with pytest.raises(BadInput, match="names no model"):
        open_openai("", {})


@pytest.mark.parametrize(
    ("request_", "what"),
    [
        (ask(top_k=1), "OpenAI has no top_k"),
        (ask(min_p=0.1), "OpenAI has no min_p"),
        (ask(grammar='root ::= "x"'), "grammar"),
        (ask(effort="low"), "does not reason"),
        (Request(messages=(Message("user", (Blob("file", "0" * 64, "application/pdf"),)),)), "images"),
    ],
)
def test_what_it_cannot_do_is_refused(request_: Request, what: str) -> None:
    with pytest.raises(CapabilityMissing, match=what) as raised:
        complete([request_], "gpt-4.1-mini")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("request_", "what"),
    [
        (ask(schema="{}"), "schema"),
        (ask(tools=(ToolSpec("t", "", "{}"),)), "tools"),
        (ask(logprobs=1), "logprobs"),
        (Request(messages=(message("tool", "x"),)), "tools"),
    ],
)
def test_a_compatible_server_does_what_its_user_says(request_: Request, what: str) -> None:
    with pytest.raises(CapabilityMissing, match=what):
        complete([request_], base_url="http://127.0.0.1:1")
    can = open_openai("m", {"base_url": "http://127.0.0.1:1", "tools": "yes", "json_schema": True, "context": "512"})
    assert (can.capabilities.tools, can.capabilities.json_schema, can.capabilities.context) == (True, True, 512)


def test_what_its_models_can_do() -> None:
    can = {name: open_openai(name, {}).capabilities for name in ("gpt-4.1", "gpt-5-mini", "gpt-3.5-turbo", "gpt-4")}
    assert all(each.tools and not each.seed for each in can.values())  # a seed is honoured as best it can: no promise
    assert [each.json_schema for each in can.values()] == [True, True, False, False]
    assert [each.logprobs for each in can.values()] == [True, False, True, True]
    assert open_openai("gpt-4.1", {"json_schema": "false"}).capabilities.json_schema is False


@pytest.mark.parametrize(
    "request_", [Request(messages=()), ask("\ud800"), ask(temperature=float("nan")), ask(extra=(("stream", False),))]
)
def test_a_request_nobody_could_answer(request_: Request) -> None:
    with pytest.raises(BadInput):
        complete([request_], base_url="http://127.0.0.1:1")


@pytest.mark.parametrize("name", ["o3", "o4-mini", "gpt-5-nano", "openai/gpt-5", "ft:o4-mini-2025-04-16:us::x"])
def test_a_model_that_reasons_is_asked_for_no_temperature(name: str) -> None:
    seen: list[Record] = []

    async def main(address: str) -> None:
        model = open_openai(name, {"base_url": address})
        assert model.capabilities.reasoning
        for index in range(2):
            await model.complete(ask(temperature=0.0).at(index))
        with pytest.raises(CapabilityMissing, match="no top_p"):
            await model.complete(ask(top_p=0.5))
        stopped = await model.complete(ask(stop=("zzz", "s")))  # it knows no stop sequences: cut on this side
        assert (stopped.text, stopped.finish) == ("ye", "stop")

    with stub(said("yes")) as server, events.watch(seen.append):
        asyncio.run(main(server.address))
        assert len(server.bodies) == 3
        for body in server.bodies:
            assert not {"temperature", "stop"} & set(body)
            assert body["max_completion_tokens"] == 40
    assert len([record for record in seen if isinstance(record.event, Warned)]) == 1


def test_other_models_keep_their_temperature() -> None:
    for name in ("gpt-4.1-mini", "gpt-4o", "gpt-5-chat-latest", "olmo-2", "phi-4"):
        assert not open_openai(name, {}).capabilities.reasoning


# Loops, threads and runs.


def test_one_provider_in_many_loops() -> None:
    with stub(said("yes")) as server:
        model = open_openai("m", {"base_url": server.address})
        got: list[str] = []

        def work() -> None:
            async def main() -> None:
                got.extend(reply.text for reply in await asyncio.gather(*(model.complete(ask()) for _ in range(3))))

            asyncio.run(main())

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        work()
        assert got == ["yes"] * 12
        assert not model._clients._held  # each was closed with its loop
    gc.collect()  # an unclosed connection would warn here


def test_closing_twice_and_after_a_call() -> None:
    async def main(address: str) -> None:
        model = open_openai("m", {"base_url": address})
        await model.aclose()
        await model.complete(ask())
        await model.aclose()
        await model.aclose()
        assert not model._clients._held
        assert (await model.complete(ask())).text == "yes"

    with stub(said("yes")) as server:
        asyncio.run(main(server.address))


def test_a_cancelled_call_leaves_nothing_open() -> None:
    async def main(address: str) -> None:
        call = asyncio.create_task(open_openai("m", {"base_url": address}).complete(ask()))
        await asyncio.sleep(0.3)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    with stub(Answer(wait=0.6)) as server:
        asyncio.run(main(server.address))
    gc.collect()


def test_a_sink_that_fails_ends_no_call() -> None:
    told: list[Record] = []

    def broken(record: Record) -> None:
        raise ValueError("mine")

    with stub(said("yes")) as server, events.watch(broken, told.append):
        (reply,) = complete([ask()], base_url=server.address)
    assert reply.text == "yes"
    assert [e.event.message for e in told if isinstance(e.event, events.Warned)] == [
        "a sink failed and was dropped: ValueError: mine"
    ]
