from __future__ import annotations

import asyncio
import gc
import json
from pathlib import Path
from typing import Any

import pytest
from local_model import ask
from wire_server import Answer, alone, ndjson, refused, stub

import promptkit as pk
from promptkit import errors, events
from promptkit.errors import BadInput, CapabilityMissing
from promptkit.events import Delta, Record
from promptkit.providers.ollama import open_ollama
from promptkit.types import Completion, Provider, Request, message


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, tmp_path)


def line(content: str = "", *, thinking: str | None = None, **more: Any) -> dict[str, Any]:
    """A line of a streamed reply as Ollama writes it."""
    said = {"role": "assistant", "content": content, **({"thinking": thinking} if thinking else {})}
    return {"model": "m", "created_at": "2026-01-01T00:00:00Z", "message": said, "done": False, **more}


def reply(*pieces: str, reason: str = "stop") -> Answer:
    """A whole reply in Ollama's form."""
    counts: dict[str, Any] = {"total_duration": 9, "prompt_eval_count": 7, "eval_count": 3}
    return ndjson(*(line(piece) for piece in pieces), line(done=True, done_reason=reason, **counts))


def fault(status: int, message: str) -> Answer:
    """An error in Ollama's form."""
    return Answer(status, json.dumps({"error": message}).encode(), {"content-type": "application/json"})


OPTIONS = {"temperature": float, "num_predict": int, "stop": list, "top_p": float, "top_k": int, "min_p": float}
OPTIONS |= {"frequency_penalty": float, "presence_penalty": float, "seed": int, "num_ctx": int}


def is_a_chat(path: str, body: Any) -> None:
    """Ollama ignores what it does not know; the stub does not."""
    assert path == "/api/chat"
    assert body.pop("tools") == []  # the SDK always sends it
    assert set(body) <= {"model", "messages", "stream", "options", "think"}, body
    assert body["stream"] is True
    assert all(set(turn) == {"role", "content"} for turn in body["messages"])
    assert all(type(value) is OPTIONS[name] for name, value in body["options"].items()), body["options"]


def complete(request: Request, name: str = "qwen3:8b", **options: object) -> Completion:
    async def main() -> Completion:
        return await open_ollama(name, options).complete(request)

    return asyncio.run(main())


def test_the_request_on_the_wire() -> None:
    turns = (message("system", "be brief"), message("user", "hello"))
    request = Request(
        messages=turns,
        temperature=0.5,
        max_tokens=9,
        stop=("x",),
        top_p=0.9,
        top_k=3,
        min_p=0.1,
        frequency_penalty=0.1,
        presence_penalty=0.2,
    )
    with stub(reply("yes"), check=is_a_chat) as server:
        complete(request, host=server.address, num_ctx="8192", think=False)
        (body,) = server.bodies
    assert body == {
        "model": "qwen3:8b",
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}],
        "stream": True,
        "think": False,
        "options": {
            "temperature": 0.5,
            "num_predict": 9,
            "stop": ["x"],
            "top_p": 0.9,
            "top_k": 3,
            "min_p": 0.1,
            "frequency_penalty": 0.1,
            "presence_penalty": 0.2,
            "num_ctx": 8192,
            "seed": request.wire_seed,
        },
    }


def test_a_bare_request_says_little() -> None:
    with stub(reply("yes"), check=is_a_chat) as server:
        request = Request(messages=(message("user", "hello"),))
        complete(request, host=server.address)
        assert server.bodies[0]["options"] == {"seed": request.wire_seed}
        assert "think" not in server.bodies[0]


def test_a_reply() -> None:
    seen: list[Record] = []
    lines = [line(thinking="2 and"), line(thinking=" 2"), line("fo"), line("ur")]
    end = line(done=True, done_reason="length", prompt_eval_count=7, eval_count=4)
    with stub(ndjson(*lines, end), check=is_a_chat) as server, events.watch(seen.append):
        got = complete(ask().at(3), host=server.address)
    assert (got.text, got.reasoning, got.finish, got.model) == ("four", "2 and 2", "length", "ollama:qwen3:8b")
    assert (got.usage.input_tokens, got.usage.output_tokens) == (7, 4)
    pieces = [record.event for record in seen if isinstance(record.event, Delta)]
    assert [(piece.text, piece.reasoning) for piece in pieces] == [
        ("2 and", True),
        (" 2", True),
        ("fo", False),
        ("ur", False),
    ]
    assert {piece.draw for piece in pieces} == {(3,)}


def test_what_it_says_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_ollama("qwen3:8b", {})
    assert isinstance(model, Provider)
    assert (model.id, model.capabilities.local, model.capabilities.native_n) == ("ollama:qwen3:8b", True, 1)
    assert json.loads(model.identity)["host"] == "http://127.0.0.1:11434"
    assert open_ollama("qwen3:8b", {"num_ctx": 8192}).capabilities.context == 8192
    assert open_ollama("qwen3:8b", {"num_ctx": 8192}).identity != model.identity
    assert not open_ollama("gpt-oss:120b-cloud", {}).capabilities.local
    monkeypatch.setenv("OLLAMA_HOST", "0.0.0.0")
    assert open_ollama("qwen3:8b", {}).identity == model.identity
    with pytest.raises(BadInput, match="names no model"):
        open_ollama("", {})


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("box", "http://box:11434"),
        ("box:80", "http://box:80"),
        (":80", "http://127.0.0.1:80"),
        ("https://box/ollama/", "https://box/ollama"),
        ("[::1]", "http://[::1]:11434"),
        ("[::1]:80", "http://[::1]:80"),
        ("0.0.0.0:80", "http://127.0.0.1:80"),
    ],
)
def test_a_host_as_ollama_writes_it(written: str, meant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", written)
    assert json.loads(open_ollama("m", {}).identity)["host"] == meant


@pytest.mark.parametrize("options", [{"host": "http://a:b@c"}, {"host": "a b:c"}, {"num_ctx": 1}, {"think": "maybe"}])
def test_options_that_cannot_be_used(options: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        open_ollama("m", options)


def test_what_it_cannot_do_is_refused() -> None:
    with pytest.raises(CapabilityMissing, match="grammar"):
        complete(ask(grammar='root ::= "x"'))


def test_nobody_there() -> None:
    with refused() as address, pytest.raises(errors.ProviderError) as raised:
        complete(ask(), host=address)
    assert type(raised.value) is errors.Unreachable  # not one to try again
    assert raised.value.hint == "start it: ollama serve   then: ollama pull qwen3:8b"


@pytest.mark.parametrize(
    ("answer", "kind", "hint"),
    [
        (fault(404, "model 'qwen3:8b' not found"), errors.ModelMissing, "ollama pull qwen3:8b"),
        (fault(400, '"qwen3:8b" does not support thinking'), errors.Rejected, ""),
        (fault(400, "the prompt exceeds the context length"), errors.ContextOverflow, "shorten"),
        (fault(401, "unauthorized"), errors.KeyMissing, "OLLAMA_API_KEY"),
        (fault(500, "model requires more system memory (9 GiB) than is available"), errors.ProviderError, "smaller"),
        (fault(500, "model runner has unexpectedly stopped"), errors.Unavailable, ""),
        (fault(503, "server busy"), errors.Unavailable, ""),
        (Answer(502, b"<h1>Bad Gateway</h1>"), errors.Unavailable, ""),
        (ndjson(line("a"), {"error": "an error was encountered while running the model"}), errors.Unavailable, ""),
        (ndjson(line("a")), errors.Unavailable, ""),
        (ndjson(line("a"), "{not json"), errors.BadReply, ""),
        (ndjson("[1]"), errors.BadReply, ""),
        (ndjson({"done": True}), errors.BadReply, ""),
        (ndjson(), errors.BadReply, ""),
        (ndjson(line("a"), reset=True), errors.Unavailable, ""),
        (Answer(wait=1.0), errors.TimedOut, "timeout"),
    ],
)
def test_each_fault_has_its_error(answer: Answer, kind: type[errors.PromptkitError], hint: str) -> None:
    with stub(answer) as server, pytest.raises(errors.PromptkitError) as raised:
        complete(ask("hello"), host=server.address, timeout=0.5)
    assert type(raised.value) is kind
    assert hint in raised.value.hint
    gc.collect()


def test_a_run() -> None:
    with stub(reply("It is 4.\n", "Answer: 4"), check=is_a_chat) as server:
        outcome = pk.run(
            "cot", "2 + 2?", model="ollama:qwen3:8b", model_options={"host": server.address}, journal="memory"
        )
    assert (outcome.answer, outcome.cost_usd, outcome.usage.tokens) == ("4", 0.0, 10)
