from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from local_model import ask, draws
from wire_server import KEY, Answer, alone, chunk, fault, llama_cpp, refused, said, sse, stub

import promptkit as pk
from promptkit import errors, events
from promptkit.errors import BadInput, CapabilityMissing, KeyMissing
from promptkit.events import Delta, Record
from promptkit.providers.groq import open_groq
from promptkit.runtime import retried
from promptkit.types import Completion, Provider, Request, ToolSpec


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def llama() -> Iterator[str]:
    with llama_cpp() as address:
        yield address


def complete(requests: list[Request], name: str = "m", **options: object) -> list[Completion]:
    """The completions, streamed: somebody watches."""

    async def main() -> list[Completion]:
        with events.watch(lambda record: None):
            return list(await open_groq(name, options).complete_many(requests))

    return asyncio.run(main())


def test_a_real_server(llama: str) -> None:
    seen: list[Record] = []
    with events.watch(seen.append):
        (reply,) = complete([ask(seed=1)], base_url=llama)
    assert reply.text == "".join(record.event.text for record in seen if isinstance(record.event, Delta))
    assert (reply.finish, reply.usage.input_tokens, reply.usage.output_tokens) == ("length", 33, 40)
    (same,) = complete([ask(seed=1)], base_url=f"{llama}/openai/v1/")
    assert same.text == reply.text
    (stopped,) = complete([ask(temperature=0.0, stop=("(left",))], base_url=llama)
    assert "left" not in stopped.text
    assert stopped.finish == "stop"
    assert len(complete(draws(ask(), 3), base_url=llama)) == 3
    with pytest.raises(errors.ContextOverflow):
        complete([ask("4-5" * 2000)], base_url=llama)


def test_the_request_on_the_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    usage = {"prompt_tokens": 5, "completion_tokens": 2}
    reply = sse(
        chunk(reasoning="hm"), chunk(content="yes"), {**chunk(finish="stop"), "x_groq": {"id": "r", "usage": usage}}
    )
    request = ask(
        "hello", temperature=0.5, max_tokens=9, top_p=0.5, stop=("x",), extra=(("reasoning_format", "parsed"),)
    )
    with stub(reply) as server:
        (got,) = complete([request], base_url=server.address)
        ((path, headers, body),) = server.requests
    assert path == "/openai/v1/chat/completions"
    assert headers["authorization"] == f"Bearer {KEY}"
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "hello"}],
        "temperature": 0.5,
        "max_tokens": 9,
        "top_p": 0.5,
        "stop": ["x"],
        "seed": request.wire_seed,
        "stream": True,
        "stream_options": {"include_usage": True},
        "reasoning_format": "parsed",
    }
    assert (got.text, got.reasoning, got.usage.input_tokens, got.usage.output_tokens) == ("yes", "hm", 5, 2)


def test_what_it_says_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_groq("llama-3.3-70b-versatile", {})
    assert isinstance(model, Provider)
    assert (model.id, model.capabilities.native_n) == ("groq:llama-3.3-70b-versatile", 1)
    assert json.loads(model.identity)["base_url"] == "https://api.groq.com"
    assert open_groq("m", {"base_url": "https://api.groq.com/openai/v1/"}).identity == open_groq("m", {}).identity
    monkeypatch.setenv("GROQ_BASE_URL", "http://localhost:1")
    assert json.loads(open_groq("m", {}).identity)["base_url"] == "http://localhost:1"
    with pytest.raises(BadInput, match="names no model"):
        open_groq("", {})
    with pytest.raises(BadInput, match="native_n"):
        open_groq("m", {"native_n": 4})


@pytest.mark.parametrize("field", [{"top_k": 1}, {"min_p": 0.1}, {"frequency_penalty": 0.1}, {"presence_penalty": 0.1}])
def test_what_it_cannot_do_is_refused(field: dict[str, Any]) -> None:
    with pytest.raises(CapabilityMissing, match="Groq has no"):
        complete([ask(**field)])


def test_no_key() -> None:
    with pytest.raises(KeyMissing, match="GROQ_API_KEY is not set") as raised:
        complete([ask()])
    assert "https://console.groq.com/keys" in raised.value.hint


def test_nobody_there() -> None:
    with refused() as address, pytest.raises(errors.ProviderError, match="nothing answers") as raised:
        complete([ask()], base_url=address)
    assert type(raised.value) is errors.Unreachable


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (fault(401, "Invalid API Key", code="invalid_api_key"), errors.KeyMissing),
        (fault(404, "The model `m` does not exist", code="model_not_found"), errors.ModelMissing),
        (fault(400, "The model `m` has been decommissioned", code="model_decommissioned"), errors.ModelMissing),
        (fault(400, "Please reduce the length", code="context_length_exceeded"), errors.ContextOverflow),
        (fault(413, "Request too large for model", code="rate_limit_exceeded"), errors.TooLarge),
        (fault(413, "Request Entity Too Large"), errors.Rejected),
        (fault(400, "no such JSON", code="json_validate_failed", failed_generation="{"), errors.BadReply),
        (fault(429, "Rate limit reached", code="rate_limit_exceeded"), errors.RateLimited),
        (fault(498, "flex tier capacity exceeded"), errors.RateLimited),
        (fault(503), errors.Unavailable),
        (Answer(wait=1.0), errors.TimedOut),
        (sse(chunk(content="a"), done=False, reset=True), errors.Unavailable),  # the SDK leaves it to the HTTP client
        (sse(chunk(content="a"), "{not json"), errors.BadReply),
        (sse("[1]"), errors.BadReply),
        (sse(chunk(content="a"), {"error": {"message": "broke", "type": "server_error"}}), errors.Unavailable),
    ],
)
def test_each_fault_has_its_error(
    answer: Answer, kind: type[errors.PromptkitError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    with stub(answer) as server, pytest.raises(errors.PromptkitError) as raised:
        complete([ask("hello")], base_url=server.address, timeout=0.5 if answer.wait else 60)
    assert type(raised.value) is kind
    assert KEY not in f"{raised.value} {raised.value.hint}"
    gc.collect()


LARGE = (
    "Request too large for model `m` in organization `o` service tier `on_demand` on tokens per minute (TPM): "
    "Limit 6000, Requested 7,200, please reduce your message size and try again."
)


@pytest.mark.parametrize("status", [413, 429])
def test_more_than_the_account_may_send_a_minute(status: int) -> None:
    with stub(fault(status, LARGE, code="rate_limit_exceeded", type="tokens")) as server:
        with pytest.raises(errors.TooLarge) as raised:
            complete([ask()], base_url=server.address)
        assert len(server.requests) == 1
    assert (raised.value.limit, raised.value.requested) == (6000, 7200)
    assert "--reply-tokens" in raised.value.hint


def test_waiting_helps_where_there_is_room_later() -> None:
    busy = "Rate limit reached for model `m` on tokens per minute (TPM): Limit 6000, Used 5000, Requested 1200"
    with stub(fault(429, busy, code="rate_limit_exceeded")) as server, pytest.raises(errors.RateLimited):
        complete([ask()], base_url=server.address)


# Models that reason.


@pytest.mark.parametrize(
    ("name", "effort", "sent"),
    [
        ("openai/gpt-oss-20b", "high", "high"),
        ("qwen/qwen3-32b", "none", "none"),
        ("qwen/qwen3-32b", "medium", "default"),
        ("qwen/qwen3.8-27b", "low", "low"),
        ("m", "minimal", "minimal"),  # of another server, which may know it
    ],
)
def test_effort_in_its_own_words(name: str, effort: Any, sent: str) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 6}}
    reply = sse(chunk(reasoning="hm"), chunk(content="yes"), chunk(finish="stop"), chunk(usage=usage))
    with stub(reply) as server:
        (got,) = complete([ask(effort=effort)], name, base_url=server.address)
        assert server.bodies[0]["reasoning_effort"] == sent
        assert server.bodies[0].get("reasoning_format") == ("parsed" if "qwen" in name else None)
    assert (got.reasoning, got.usage.output_tokens, got.usage.reasoning_tokens) == ("hm", 9, 6)


@pytest.mark.parametrize(
    ("name", "effort", "what"),
    [
        ("llama-3.3-70b-versatile", "low", "does not reason"),
        ("openai/gpt-oss-120b", "none", "no effort 'none'"),
        ("qwen/qwen3-32b", "high", "no effort 'high'"),
    ],
)
def test_effort_it_has_no_word_for(name: str, effort: Any, what: str) -> None:
    with pytest.raises(CapabilityMissing, match=what) as raised:
        complete([ask(effort=effort)], name)
    assert raised.value.hint


def test_what_its_models_can_do() -> None:
    can = {name: open_groq(name, {}).capabilities for name in ("llama-3.3-70b-versatile", "openai/gpt-oss-20b")}
    assert [each.tools for each in can.values()] == [True, True]
    assert [each.json_schema for each in can.values()] == [False, True]
    assert not any(each.logprobs or each.native_n > 1 for each in can.values())
    assert open_groq("meta-llama/llama-4-scout-17b-16e-instruct", {}).capabilities.images
    assert not open_groq("groq/compound", {}).capabilities.tools


def test_a_schema_is_not_streamed() -> None:
    with stub(said('{"verdict": "a"}')) as server:
        schema = '{"type": "object", "properties": {"verdict": {"enum": ["a", "b"]}}, "required": ["verdict"]}'
        (got,) = complete([ask(schema=schema)], "openai/gpt-oss-20b", base_url=server.address)
        (body,) = server.bodies
    assert "stream" not in body
    assert body["response_format"]["json_schema"]["strict"] is True
    assert body["response_format"]["json_schema"]["schema"]["additionalProperties"] is False
    assert got.text == '{"verdict": "a"}'


# Calls that it could not read.

WEATHER = ToolSpec("get_weather", "tells the weather", '{"type": "object", "properties": {"city": {"type": "string"}}}')


def failed(written: str) -> dict[str, Any]:
    return {"code": "tool_use_failed", "type": "invalid_request_error", "failed_generation": written}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    "written",
    [
        '<function=get_weather{"city": "Paris"}</function>',
        '<function=get_weather>{"city": "Paris"}</function>',
        '<function=get_weather({"city": "Paris"})</function>',
        'get_weather{"city": "Paris"}</function>',
        '{"name": "get_weather", "parameters": {"city": "Paris"}}',
        '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>',
        '```\n{"tool_calls": [{"id": "pending", "type": "function", "function": {"name": "get_weather"}, '
        '"parameters": {"city": "Paris"}}]}\n```',
        '[{"name": "get_weather", "arguments": "{\\"city\\": \\"Paris\\"}"}]',
    ],
)
def test_a_call_it_could_not_read_is_read_here(written: str, streamed: bool) -> None:
    error = {"message": "Failed to call a function.", **failed(written)}
    answer = sse({"error": error}) if streamed else fault(400, **error)
    with stub(answer) as server:
        (got,) = complete([ask(tools=(WEATHER,))], base_url=server.address)
        assert len(server.requests) == 1
    assert [(call.name, json.loads(call.arguments)) for call in got.calls] == [("get_weather", {"city": "Paris"})]
    assert (got.finish, got.text) == ("tool_calls", "")
    assert got.usage.tokens > 0


def test_words_beside_a_call_and_several_calls() -> None:
    calls = [f'<function=get_weather{{"city": "{city}"}}</function>' for city in ("Paris", "Rome")]
    written = "\n".join(["Let me look.", *calls])
    with stub(fault(400, **failed(written))) as server:
        (got,) = complete([ask(tools=(WEATHER,))], base_url=server.address)
    assert got.text == "Let me look."
    assert [call.arguments for call in got.calls] == ['{"city": "Paris"}', '{"city": "Rome"}']
    assert len({call.id for call in got.calls}) == 2


def test_words_alone_are_a_reply() -> None:
    with stub(fault(400, **failed("It rains in Paris."))) as server:
        (got,) = complete([ask(tools=(WEATHER,))], base_url=server.address)
    assert (got.text, got.calls, got.finish) == ("It rains in Paris.", (), "stop")


@pytest.mark.parametrize("written", ["", '<function=get_weather{"city": ', '{"name": "delete_all", "parameters": {}}'])
def test_what_nobody_can_read_is_tried_again(written: str) -> None:
    with stub(fault(400, **failed(written))) as server, pytest.raises(errors.BadReply, match="could not read the call"):
        complete([ask(tools=(WEATHER,))], base_url=server.address)


def test_a_run_waits_as_long_as_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retried, "FIRST_WAIT", 0.0)
    busy = fault(429, "slow down", headers={"retry-after": "0.05"})
    with stub(busy, said("Answer: 4")) as server:
        outcome = pk.run("cot", "2 + 2?", model="groq:m", model_options={"base_url": server.address}, journal="memory")
        assert outcome.answer == "4"
        assert len(server.requests) == 2
