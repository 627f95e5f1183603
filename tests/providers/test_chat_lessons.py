"""What a server refuses is learned: a strict stub, behind which the real built-in model answers."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from local_model import ask, draws
from wire_server import Answer, alone, fault, llama_cpp, said, served, stub

import promptkit as pk
from promptkit import errors, events
from promptkit.errors import CapabilityMissing
from promptkit.events import Record, Warned
from promptkit.providers.openai import open_openai
from promptkit.providers.openai_compatible import open_openai_compatible
from promptkit.types import Provider

STRICT = ("temperature", "max_tokens")


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, tmp_path)


@dataclass
class Strict:
    """A server that refuses some parameters, one at a time, and passes the rest on to llama.cpp."""

    address: str
    asked: list[dict[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@contextmanager
def strict(llama: str, *refuses: str) -> Iterator[Strict]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["content-length"]))
            body = json.loads(text)
            state.asked.append(body)
            wrong = next((name for name in refuses if name in body), None)
            if wrong:
                state.refused.append(wrong)
                error = {
                    "message": f"Unsupported parameter: '{wrong}'",
                    "code": "unsupported_parameter",
                    "param": wrong,
                }
                return self._say(400, json.dumps({"error": error}).encode(), "application/json")
            request = urllib.request.Request(f"{llama}/chat/completions", text, {"content-type": "application/json"})
            with urllib.request.urlopen(request) as reply:
                return self._say(200, reply.read(), reply.headers["content-type"])

        def _say(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with served(Handler) as address:
        state = Strict(f"{address}/v1")
        yield state


@pytest.fixture(scope="module")
def llama() -> Iterator[str]:
    with llama_cpp() as address:
        yield f"{address}/openai/v1"


def warnings(seen: Sequence[Record]) -> list[str]:
    return [record.event.message for record in seen if isinstance(record.event, Warned)]


HOW: dict[str, dict[str, Any]] = {
    "direct": {},
    "cot": {},
    "few-shot": {},
    "sc": {"n": 4},
    "tot": {"b": 1},
}


@pytest.mark.parametrize("strategy", list(HOW))
def test_every_strategy_on_a_server_that_takes_neither_temperature_nor_max_tokens(llama: str, strategy: str) -> None:
    seen: list[Record] = []
    with strict(llama, *STRICT) as server:
        model = open_openai_compatible("m", {"base_url": server.address})
        outcome = pk.run(
            strategy, "1 4 9 11", pack="game24", model=model, journal="memory", sinks=[seen.append], **HOW[strategy]
        )
        answered = [body for body in server.asked if not set(STRICT) & set(body)]
        assert outcome.usage.samples == len(answered) > 0
        assert all("max_completion_tokens" in body for body in answered)
    assert outcome.status in ("done", "undecided")
    assert len([said for said in warnings(seen) if "temperature" in said]) == 1
    assert len([said for said in warnings(seen) if "sent as max_completion_tokens" in said]) == 1


def test_what_was_learned_is_not_sent_again(llama: str) -> None:
    with strict(llama, *STRICT) as server:
        model = open_openai_compatible("m", {"base_url": server.address})

        async def main() -> None:
            await model.complete(ask())
            await model.complete(ask(seed=1))

        asyncio.run(main())
        assert server.refused == ["temperature", "max_tokens"]
        assert len(server.asked) == 4


def test_calls_at_once_learn_it_once(llama: str) -> None:
    seen: list[Record] = []

    async def main(model: Provider) -> None:
        await asyncio.gather(*(model.complete(ask(max_tokens=4, seed=seed)) for seed in range(8)))

    with strict(llama, *STRICT) as server, events.watch(seen.append):
        asyncio.run(main(open_openai_compatible("m", {"base_url": server.address})))
    assert len(warnings(seen)) == 2


def once(*answers: Answer, model: str = "m", **fields: Any) -> tuple[str, list[Any], list[str]]:
    """The text of one call, what was sent for it, and what was warned about."""
    seen: list[Record] = []

    async def main(address: str) -> str:
        return (await open_openai(model, {"base_url": address}).complete(ask(**fields))).text

    with stub(*answers) as server, events.watch(seen.append):
        text = asyncio.run(main(server.address))
        return text, server.bodies, warnings(seen)


@pytest.mark.parametrize(
    ("told", "name"),
    [
        (
            {"message": "Unsupported value: 'temperature' does not support 0.16. Only the default (1) does."},
            "temperature",
        ),
        ({"message": "Extra inputs are not permitted", "param": "top_p"}, "top_p"),
        ({"message": "property 'seed' is unsupported"}, "seed"),
        ({"message": "Unknown parameter: stop", "code": "unknown_parameter"}, "stop"),
        ({"message": "Unrecognized request argument supplied: frequency_penalty"}, "frequency_penalty"),
        ({"message": "`stream_options` is not supported"}, "stream_options"),
        ({"message": "the field `stream` is not allowed here"}, "stream"),
    ],
)
def test_words_that_name_a_parameter(told: dict[str, Any], name: str) -> None:
    fields: dict[str, Any] = {"top_p": 0.9, "frequency_penalty": 0.1, "stop": ("STOP",)}
    text, bodies, said_so = once(fault(400, **told), said("yes"), **fields)
    assert text == "yes"
    assert name in bodies[0]
    assert set(bodies[0]) - set(bodies[1]) >= {name}
    quiet = name in ("stop", "stream", "stream_options")  # the reply is the same without
    assert [name in warning for warning in said_so] == ([] if quiet else [True])


def test_a_framework_that_lists_what_it_forbids() -> None:
    detail = [
        {"type": "extra_forbidden", "loc": ["body", "min_p"], "msg": "Extra inputs are not permitted", "input": 0.1}
    ]
    refusal = Answer(422, json.dumps({"detail": detail}).encode(), {"content-type": "application/json"})
    text, bodies, _ = once(refusal, said("yes"), min_p=0.1)
    assert (text, "min_p" in bodies[1], "temperature" in bodies[1]) == ("yes", False, True)


def test_a_reply_is_cut_where_stop_was_left_out() -> None:
    text, _, _ = once(fault(400, "Unknown parameter: 'stop'"), said("one two STOP three"), stop=("STOP",))
    assert text == "one two "


def test_a_server_that_knows_the_old_name_only() -> None:
    refusal = fault(400, "Unrecognized request argument supplied: max_completion_tokens")
    _, bodies, _ = once(refusal, said("yes"), model="o3")
    assert "max_completion_tokens" in bodies[0]
    assert bodies[1]["max_tokens"] == 40


@pytest.mark.parametrize(
    "answer",
    [
        fault(400, "temperature must be between 0 and 2"),
        fault(400, "max_tokens is too large: 5000. This model supports at most 4096 completion tokens"),
        fault(400, "'model' is not supported", param="model"),
        fault(400, "I stop here: n is not what it was, and that is not supported"),
        fault(400, "bad"),
        fault(500, "Unsupported parameter: 'temperature'", param="temperature"),
    ],
)
def test_what_teaches_nothing_is_not_sent_twice(answer: Answer) -> None:
    with stub(answer) as server:
        with pytest.raises(errors.ProviderError):
            asyncio.run(open_openai("m", {"base_url": server.address}).complete(ask(stop=("x",))))
        assert len(server.requests) == 1


def test_a_server_that_refuses_whatever_it_is_asked_ends_it() -> None:
    names = ("temperature", "max_tokens", "max_completion_tokens", "seed", "stop")
    answers = [fault(400, f"Unsupported parameter: '{name}'", param=name) for name in names]
    with stub(*answers) as server:
        with pytest.raises(errors.Rejected, match="max_completion_tokens"):  # a reply without end breaks every budget
            asyncio.run(open_openai("m", {"base_url": server.address}).complete(ask()))
        assert len(server.requests) == 3


def test_an_effort_it_does_not_have_is_the_askers_to_change() -> None:
    told = "Unsupported value: 'reasoning_effort' does not support 'minimal'. Supported values are: 'low' and 'high'."
    with stub(fault(400, told, code="unsupported_value", param="reasoning_effort")) as server:
        with pytest.raises(errors.Rejected, match="Supported values are"):
            asyncio.run(open_openai("o3", {"base_url": server.address}).complete(ask(effort="minimal")))
        assert len(server.requests) == 1


def test_n_is_learned_to_be_one() -> None:
    seen: list[Record] = []

    async def main(address: str) -> None:
        model = open_openai("m", {"base_url": address, "native_n": 8})
        assert [reply.text for reply in await model.complete_many(draws(ask(), 3))] == ["yes"] * 3
        assert model.capabilities.native_n == 1

    with stub(fault(400, "'n' is not supported"), said("yes")) as server, events.watch(seen.append):
        asyncio.run(main(server.address))
        assert [body.get("n", 1) for body in server.bodies] == [3, 1, 1, 1]
        assert len({body["seed"] for body in server.bodies[1:]}) == 3


@pytest.mark.parametrize(("name", "fields"), [("response_format", {"schema": "{}"}), ("logprobs", {"logprobs": 2})])
def test_what_a_reply_cannot_do_without_is_a_capability_it_lacks(name: str, fields: dict[str, Any]) -> None:
    async def main(address: str) -> None:
        model = open_openai("m", {"base_url": address, "json_schema": True, "logprobs": True})
        for _ in range(2):
            with pytest.raises(CapabilityMissing):
                await model.complete(ask(**fields))
        capability = "json_schema" if name == "response_format" else name
        assert getattr(model.capabilities, capability) is False

    with stub(fault(400, f"Unknown parameter: '{name}'", param=name)) as server:
        asyncio.run(main(server.address))
        assert len(server.requests) == 1
