from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from local_model import ask
from ollama_stub import OllamaStub, ollama
from wire_server import Answer, alone, ndjson, refused

import promptkit as pk
from promptkit import errors, events
from promptkit.errors import BadInput, CapabilityMissing
from promptkit.events import Delta, Record
from promptkit.providers.ollama import open_ollama
from promptkit.types import Completion, Request, message


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, tmp_path)


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[OllamaStub]:
    """One for all tests that do not turn its knobs: the model is loaded once."""
    with ollama() as server:
        yield server


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


def complete(request: Request, server: OllamaStub | str, name: str = "m", **options: object) -> Completion:
    address = server if isinstance(server, str) else server.address

    async def main() -> Completion:
        model = open_ollama(name, {"host": address, **options})
        try:
            return await model.complete(request)
        finally:
            await model.aclose()

    return asyncio.run(main())


def test_the_built_in_model_answers_over_the_wire(server: OllamaStub) -> None:
    heard: list[Record] = []
    with events.watch(heard.append):
        got = complete(ask(seed=3).at(3), server)
    pieces = [record.event for record in heard if isinstance(record.event, Delta)]
    assert len(pieces) > 2
    assert "".join(piece.text for piece in pieces) == got.text != ""
    assert {piece.draw for piece in pieces} == {(3,)}
    assert (got.model, got.finish in ("stop", "length")) == ("ollama:m", True)
    assert got.usage.input_tokens > 4 < got.usage.output_tokens


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
    with ollama() as server:
        complete(request, server, num_ctx="8192", think=False)
        (body,) = server.bodies()
    assert body == {
        "model": "m",
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}],
        "stream": True,
        "truncate": False,
        "shift": False,
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
    with ollama(answers=[reply("yes")]) as server:
        request = Request(messages=(message("user", "hello"),))
        complete(request, server)
        assert server.bodies()[0]["options"] == {"seed": request.wire_seed}
        assert set(server.bodies()[0]) == {"model", "messages", "stream", "options", "truncate", "shift"}


def test_a_reply() -> None:
    seen: list[Record] = []
    lines = [line(thinking="2 and"), line(thinking=" 2"), line("fo"), line("ur")]
    end = line(done=True, done_reason="length", prompt_eval_count=7, eval_count=4)
    with ollama(answers=[ndjson(*lines, end)]) as server, events.watch(seen.append):
        got = complete(ask().at(3), server)
    assert (got.text, got.reasoning, got.finish, got.model) == ("four", "2 and 2", "length", "ollama:m")
    assert (got.usage.input_tokens, got.usage.output_tokens, got.usage.reasoning_tokens) == (7, 4, 2)
    pieces = [record.event for record in seen if isinstance(record.event, Delta)]
    assert [(piece.text, piece.reasoning) for piece in pieces] == [
        ("2 and", True),
        (" 2", True),
        ("fo", False),
        ("ur", False),
    ]


def test_what_it_says_of_itself_before_it_has_asked() -> None:
    model = open_ollama("qwen3:8b", {})
    assert (model.id, model.capabilities.local, model.capabilities.native_n) == ("ollama:qwen3:8b", True, 1)
    assert model.capabilities.images
    assert open_ollama("qwen3:8b", {"num_ctx": 8192}).capabilities.context == 8192
    assert not open_ollama("gpt-oss:120b-cloud", {}).capabilities.local
    with pytest.raises(BadInput, match="names no model"):
        open_ollama("", {})


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
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
    assert open_ollama("m", {}).host == meant


@pytest.mark.parametrize("options", [{"host": "http://a:b@c"}, {"host": "a b:c"}, {"num_ctx": 1}, {"think": "maybe"}])
def test_options_that_cannot_be_used(options: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        open_ollama("m", options)


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (ask(grammar='root ::= "x"'), CapabilityMissing),
        (ask(logprobs=21), CapabilityMissing),
        (ask("\ud800"), BadInput),
        (ask(temperature=float("nan")), BadInput),
        (ask(schema="{"), BadInput),
        (ask(extra=(("num_ctx", 1),)), BadInput),
        (Request(messages=()), BadInput),
    ],
)
def test_what_cannot_be_asked_is_refused_before_the_call(
    server: OllamaStub, request_: Request, kind: type[Exception]
) -> None:
    before = len(server.bodies())
    with pytest.raises(kind):
        complete(request_, server)
    assert len(server.bodies()) == before


def test_nobody_there() -> None:
    with refused() as address:
        with pytest.raises(errors.ProviderError) as raised:
            complete(ask(), address, "qwen3:8b")
        assert type(raised.value) is errors.Unreachable  # not one to try again
        assert raised.value.hint == "start it: ollama serve   then: ollama pull qwen3:8b"
        with pytest.raises(errors.Unreachable):
            _ = open_ollama("qwen3:8b", {"host": address}).identity


def test_a_server_that_went_away() -> None:
    async def main() -> None:
        with ollama(answers=[reply("yes")]) as short:
            model = open_ollama("m", {"host": short.address})
            assert (await model.complete(ask())).text == "yes"
        await asyncio.sleep(0.05)  # the end of the connection is heard
        with pytest.raises(errors.Unreachable, match="nothing answers"):
            await model.complete(ask())
        await model.aclose()

    asyncio.run(main())


def test_a_model_that_was_not_pulled(server: OllamaStub) -> None:
    with pytest.raises(errors.ModelMissing) as raised:
        complete(ask(), server, "qwen3:8b")
    assert raised.value.hint == "promptkit models pull ollama:qwen3:8b\nollama pull qwen3:8b"


@pytest.mark.parametrize(
    ("answer", "kind", "hint"),
    [
        (fault(404, "model 'm' not found"), errors.ModelMissing, "ollama pull m"),
        (fault(400, '"m" does not support thinking'), errors.CapabilityMissing, "--effort"),
        (fault(400, "registry.ollama.ai/library/m does not support tools"), errors.CapabilityMissing, "that can"),
        (fault(400, "the prompt exceeds the context length"), errors.ContextOverflow, "shorten"),
        (fault(401, "unauthorized"), errors.KeyMissing, "OLLAMA_API_KEY"),
        (fault(500, "model requires more system memory (9 GiB) than is available"), errors.ProviderError, "smaller"),
        (fault(500, "model runner has unexpectedly stopped"), errors.Unavailable, ""),
        (fault(503, "server busy"), errors.Unavailable, ""),
        (Answer(502, b"<h1>Bad Gateway</h1>"), errors.Unavailable, ""),
        (ndjson(line("a"), {"error": "an error was encountered while running the model"}), errors.Unavailable, ""),
        (ndjson(line("a")), errors.Unavailable, ""),
        (ndjson(line("a"), "{not json"), errors.BadReply, ""),
        (ndjson("[1]"), errors.ModelMissing, "OLLAMA_HOST"),
        (ndjson({"done": True}), errors.ModelMissing, "OLLAMA_HOST"),
        (ndjson(), errors.BadReply, ""),
        (ndjson(line("a"), reset=True), errors.Unavailable, ""),
        (Answer(wait=1.0), errors.TimedOut, "timeout"),
    ],
)
def test_each_fault_has_its_error(answer: Answer, kind: type[errors.PromptkitError], hint: str) -> None:
    with ollama(answers=[answer]) as server, pytest.raises(errors.PromptkitError) as raised:
        complete(ask("hello"), server, timeout=0.5 if kind is errors.TimedOut else 20.0)
    assert type(raised.value) is kind
    assert hint in raised.value.hint
    gc.collect()


def test_an_abandoned_answer_stops_at_once() -> None:
    with ollama(endless=True, pause=0.05) as server:

        async def main() -> None:
            model = open_ollama("m", {"host": server.address})
            begun = asyncio.Event()

            async def asked() -> None:
                with events.watch(lambda record: begun.set()):
                    await model.complete(ask())

            task = asyncio.create_task(asked())
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(server.gone.wait, 5)
            told = server.generated
            await asyncio.sleep(0.2)
            assert server.generated == told  # nothing more was written
            await model.aclose()

        asyncio.run(main())


def test_many_at_once_are_all_answered() -> None:
    with ollama(answers=[reply("yes")]) as server:

        async def main() -> None:
            model = open_ollama("m", {"host": server.address})
            got = await asyncio.gather(*(model.complete(ask().at(index)) for index in range(64)))
            assert [each.text for each in got] == ["yes"] * 64
            await model.aclose()

        asyncio.run(main())
        assert len({body["options"]["seed"] for body in server.bodies()}) == 64
        assert len(server.bodies("/api/show")) == 1


def test_a_run() -> None:
    with ollama(answers=[reply("It is 4.\n", "Answer: 4")]) as server:
        options = {"host": server.address}
        outcome = pk.run("cot", "2 + 2?", model="ollama:m", model_options=options, journal="memory")
    assert (outcome.answer, outcome.cost_usd, outcome.usage.tokens) == ("4", 0.0, 10)


def test_the_sdk_has_what_is_built_upon() -> None:
    from ollama import AsyncClient, ChatResponse

    assert callable(AsyncClient("http://127.0.0.1:1")._request)
    assert {"message", "done", "logprobs"} <= set(ChatResponse.model_fields)
