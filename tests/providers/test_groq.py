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
from promptkit.types import Completion, Provider, Request


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def llama() -> Iterator[str]:
    with llama_cpp() as address:
        yield address


def complete(requests: list[Request], **options: object) -> list[Completion]:
    async def main() -> list[Completion]:
        return list(await open_groq("m", options).complete_many(requests))

    return asyncio.run(main())


def test_a_real_server(llama: str) -> None:
    seen: list[Record] = []
    with events.watch(seen.append):
        (reply,) = complete([ask(seed=1)], base_url=llama)
    assert reply.text == "".join(record.event.text for record in seen if isinstance(record.event, Delta))
    assert (reply.finish, reply.usage.input_tokens, reply.usage.output_tokens) == ("length", 15, 40)
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
        (fault(413, "Request too large for model", code="rate_limit_exceeded"), errors.Rejected),
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
        complete([ask("hello")], base_url=server.address, timeout=0.5)
    assert type(raised.value) is kind
    assert KEY not in f"{raised.value} {raised.value.hint}"
    gc.collect()


def test_a_run_waits_as_long_as_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retried, "FIRST_WAIT", 0.0)
    busy = fault(429, "slow down", headers={"retry-after": "0.05"})
    with stub(busy, said("Answer: 4")) as server:
        outcome = pk.run("cot", "2 + 2?", model="groq:m", model_options={"base_url": server.address}, journal="memory")
        assert outcome.answer == "4"
        assert len(server.requests) == 2
