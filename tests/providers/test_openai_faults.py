from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from local_model import ask, draws
from wire_server import KEY, Answer, alone, chunk, fault, refused, said, sse, stub

import promptkit as pk
from promptkit import errors, events
from promptkit.errors import KeyMissing
from promptkit.events import Record, Retrying
from promptkit.journal import Journal
from promptkit.providers.openai import open_openai
from promptkit.runtime import retried
from promptkit.types import Completion, Request


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, tmp_path)


def complete(requests: list[Request], name: str = "m", **options: object) -> list[Completion]:
    async def main() -> list[Completion]:
        with events.watch(lambda record: None):  # so it is streamed
            return list(await open_openai(name, options).complete_many(requests))

    return asyncio.run(main())


def failure(answer: Answer, name: str = "m", **options: object) -> errors.PromptkitError:
    """The error that the SDK meets when a server answers so."""
    with stub(answer) as server, pytest.raises(errors.PromptkitError) as raised:
        complete([ask("hello")], name, base_url=server.address, **options)
    assert KEY not in f"{raised.value} {raised.value.hint} {raised.value!r}"
    assert "\n" not in raised.value.message
    return raised.value


def test_no_key() -> None:
    with pytest.raises(KeyMissing, match="OPENAI_API_KEY is not set") as raised:
        complete([ask()], "gpt-4.1-mini")
    assert raised.value.exit_code == 4
    assert raised.value.hint.splitlines() == [
        "promptkit keys set openai",
        "export OPENAI_API_KEY=…",
        "get one at https://platform.openai.com/api-keys",
        "or try without a key: -m builtin",
    ]


def test_a_key_no_server_could_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\nTwo: lines")
    with pytest.raises(KeyMissing) as raised:
        complete([ask()], base_url="http://127.0.0.1:1")
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (fault(401, f"Incorrect API key provided: {KEY}"), errors.KeyMissing),
        (fault(403, f"not with {KEY}, nor sk-proj-****************cdef"), errors.KeyMissing),
        (fault(403, "no access", code="model_not_found"), errors.ModelMissing),
        (fault(404, "The model `m` does not exist", code="model_not_found"), errors.ModelMissing),
        (Answer(404, b"<h1>Not Found</h1>", {"content-type": "text/html"}), errors.ModelMissing),
        (fault(400, "too long", code="context_length_exceeded"), errors.ContextOverflow),
        (fault(400, "This model's maximum context length is 4096 tokens"), errors.ContextOverflow),
        (fault(400, "bad\nstop"), errors.Rejected),
        (fault(402, "pay"), errors.NoCredit),
        (fault(422, "bad"), errors.Rejected),
        (fault(408), errors.TimedOut),
        (fault(504), errors.TimedOut),
        (fault(409), errors.Unavailable),
        (fault(500), errors.Unavailable),
        (fault(503), errors.Unavailable),
        (Answer(502, b"<h1>Bad Gateway</h1>", {"content-type": "text/html"}), errors.Unavailable),
        (fault(429), errors.RateLimited),
        (fault(429, code="insufficient_quota"), errors.NoCredit),
        (sse(), errors.BadReply),
        (Answer(body=b"<html>"), errors.BadReply),
        (Answer(body=b'{"id": 1}', headers={"content-type": "application/json"}), errors.ModelMissing),
        (Answer(body=b"<html>", headers={"content-type": "text/html; charset=utf-8"}), errors.ModelMissing),
        (sse("{not json"), errors.BadReply),
        (sse("[1]"), errors.BadReply),
        (sse('"text"'), errors.BadReply),
        (sse({"choices": 3}), errors.BadReply),
        (sse(chunk(content=["a"])), errors.BadReply),
        (sse(chunk(index=7, content="a")), errors.BadReply),
        (sse({"error": {"message": "overloaded", "code": 503}}), errors.Unavailable),
        (sse(chunk(content="a"), {"error": {"message": "wait", "code": "rate_limit_exceeded"}}), errors.RateLimited),
        (sse(chunk(content="a"), done=False), errors.Unavailable),
        (sse(chunk(content="a"), chunk(finish="error")), errors.Unavailable),
        (sse(chunk(content="a"), done=False, reset=True), errors.Unavailable),
    ],
)
def test_each_fault_has_its_error(
    answer: Answer, kind: type[errors.PromptkitError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert type(failure(answer)) is kind


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(body=b'{"choices": [{"ind', headers=JSON), errors.BadReply),
        (Answer(body=b"[]", headers=JSON), errors.ModelMissing),
        (Answer(body=b"", headers=JSON), errors.BadReply),
        (Answer(body=b'{"choices": []}', headers=JSON), errors.BadReply),
        (Answer(body=b'{"choices": [{"ind', headers=JSON, reset=True), errors.Unavailable),
        (Answer(wait=1.0), errors.TimedOut),
    ],
)
def test_each_fault_of_a_reply_that_comes_whole(answer: Answer, kind: type[errors.PromptkitError]) -> None:
    with stub(answer) as server:
        model = open_openai("m", {"base_url": server.address, "timeout": 0.5 if answer.wait else 60})
        model._dialect = replace(model._dialect, whole=True)  # as OpenAI's own is asked
        with pytest.raises(errors.PromptkitError) as raised:
            asyncio.run(model.complete(ask()))
        assert "stream" not in server.bodies[0]
    assert type(raised.value) is kind


@pytest.mark.parametrize(
    ("headers", "low", "high"),
    [
        ({"retry-after": "3"}, 3, 3),
        ({"retry-after": "1", "retry-after-ms": "250"}, 0.25, 0.25),
        ({"retry-after": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 1000))}, 500, 1000),
        ({"retry-after": "-5"}, 0, 0),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], low: float, high: float) -> None:
    error = failure(fault(429, headers=headers))
    assert isinstance(error, errors.RateLimited)
    assert error.retry_after is not None
    assert low <= error.retry_after <= high
    unsaid = failure(fault(429, headers={"retry-after": "soon"}))
    assert isinstance(unsaid, errors.RateLimited)
    assert unsaid.retry_after is None


def test_a_slow_server() -> None:
    assert type(failure(Answer(wait=1.0), timeout=0.1)) is errors.TimedOut


def test_nobody_there() -> None:
    with refused() as address, pytest.raises(errors.ProviderError) as raised:
        complete([ask()], base_url=address)
    assert type(raised.value) is errors.Unreachable  # not one to try again
    assert address in str(raised.value)
    assert raised.value.hint


def test_a_server_that_ignores_n() -> None:
    with stub(said("one")) as server, pytest.raises(errors.Rejected, match="1 of 3 samples") as raised:
        complete(draws(ask(), 3), base_url=server.address, native_n=8)
    assert raised.value.hint == "-o native_n=1"


# Runs.


@pytest.mark.parametrize("answer", [None, Answer(404, b"<h1>Not Found</h1>"), fault(401, "no")])
def test_the_next_model_of_a_list_is_asked_where_no_server_helps(answer: Answer | None, journal: Journal) -> None:
    backup = pk.Scripted(lambda request: "Answer: b", name="b")
    with refused() if answer is None else stub(answer) as there:
        address = there if isinstance(there, str) else there.address
        model = open_openai("m", {"base_url": address})
        outcome = pk.run("sc", "which?", model=[model, backup], n=5, journal=journal)
        assert (outcome.answer, outcome.status) == ("b", "done")
    again = pk.replay(outcome.run, journal=journal)
    assert (again.answer, again.usage.samples) == ("b", outcome.usage.samples)


def test_the_next_model_of_a_list_is_not_asked_what_the_first_refused(journal: Journal) -> None:
    backup = pk.Scripted(lambda request: "Answer: b", name="b")
    with stub(fault(400, "bad")) as server:
        model = open_openai("m", {"base_url": server.address})
        with pytest.raises(errors.Rejected, match="bad"):
            pk.run("cot", "which?", model=[model, backup], journal=journal)


def test_a_run_waits_as_long_as_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr(retried, "FIRST_WAIT", 0.0)
    seen: list[Record] = []
    busy = fault(429, f"slow down, {KEY}", headers={"retry-after": "0.2"})
    with stub(busy, fault(500), said("It is 4.\nAnswer: 4")) as server, Journal.open(None) as journal:
        how: dict[str, Any] = {"model": "openai:m", "model_options": {"base_url": server.address}}
        outcome = pk.run("cot", "2 + 2?", journal=journal, sinks=[seen.append], **how)
        assert (outcome.answer, outcome.usage.input_tokens, outcome.usage.output_tokens) == ("4", 7, 3)
        assert len(server.requests) == 3
        retries = [record.event for record in seen if isinstance(record.event, Retrying)]
        assert [round(retry.wait, 1) for retry in retries][:1] == [0.2]
        assert KEY not in json.dumps([record.to_json() for record in seen])
        assert KEY not in json.dumps([list(journal.events(row.id)) for row in journal.runs()])
        again = pk.run("cot", "2 + 2?", journal=journal, **how)
        assert again.usage.cached_calls == 1
        assert len(server.requests) == 3


def test_a_refused_key_ends_a_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with stub(fault(401, f"Incorrect API key provided: {KEY}")) as server, Journal.open(None) as journal:
        with pytest.raises(KeyMissing, match="refused the key in OPENAI_API_KEY") as raised:
            pk.run(
                "cot",
                "2 + 2?",
                model="openai:m",
                model_options={"base_url": server.address, "timeout": 9},
                journal=journal,
            )
        assert len(server.requests) == 1
        (row,) = journal.runs()
        assert KEY not in f"{row} {list(journal.events(row.id))} {raised.value} {raised.value.hint}"
        assert row.status == "error"
