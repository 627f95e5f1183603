"""A provider that wants to be left alone for long ends the run, which keeps all it has and says when to go on."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from watching import Seen, facts
from wire_server import served

from promptkit import api, errors, events
from promptkit.cli.app import start
from promptkit.events import Record, Retrying
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.runtime import retried
from promptkit.runtime.limited import paused
from promptkit.types import Capabilities, Request

PRICED = Capabilities(price=(1.0, 1.0))


class Quota:
    """Answers so many calls, and asks to wait an hour after that."""

    def __init__(self, left: int) -> None:
        self.left, self.asked = left, 0

    async def __call__(self, request: Request) -> str:
        self.asked += 1
        if self.left <= 0:
            raise errors.RateLimited("the day's tokens are used up", retry_after=3600)
        self.left -= 1
        return f"Answer: {request.index % 2}"


def test_the_run_ends_with_what_it_has_and_says_when_to_go_on(journal: Journal) -> None:
    quota, seen = Quota(4), Seen()
    model = Scripted(quota, name="quota", capabilities=PRICED)
    how: dict[str, Any] = {"model": model, "journal": journal, "concurrency": 1, "sinks": [seen]}
    outcome = api.run("sc", "which?", n=9, **how)
    assert outcome.status == "budget"
    assert quota.asked == 5, "after a call was told to wait no other goes out"
    then = outcome.detail["not_before"]
    assert re.fullmatch(r"(\d{4}-\d\d-\d\d )?\d\d:\d\d", then)
    assert outcome.detail["hint"] == f"promptkit resume {outcome.run}, not before {then}"
    assert then in outcome.detail["cut"]
    assert seen.of(events.Retrying) == []
    assert journal.run(outcome.run).status == "budget"
    assert journal.stats()["completions"] == 4
    assert facts(api.replay(outcome.run, journal=journal)) == facts(outcome)

    quota.left = 100
    resumed = api.resume(outcome.run, model=model, journal=journal)
    assert resumed.status == "done" if resumed.answer else "undecided"
    assert quota.asked <= 5 + 5, "what was answered is not asked again"
    assert journal.spent(outcome.run).calls == quota.asked, "every attempt is counted, the refused one too"


def test_calls_of_other_runs_with_the_same_account_hear_of_it_too(journal: Journal) -> None:
    first, second = Quota(0), Quota(100)
    models = [Scripted(quota, name=str(n), capabilities=PRICED) for n, quota in enumerate((first, second))]
    for model in models:
        model.account = "the same key"  # type: ignore[attr-defined]
    refused = api.run("direct", "which?", model=models[0], journal=journal)
    too = api.run("direct", "which?", model=models[1], journal=journal)
    assert [refused.status, too.status] == ["budget", "budget"]
    assert second.asked == 0
    other = Scripted(second, name="2", capabilities=PRICED)
    other.account = "another key"  # type: ignore[attr-defined]
    assert api.run("direct", "which?", model=other, journal=journal).status == "done"


def test_a_model_that_stands_in_is_asked_instead(journal: Journal) -> None:
    quota, other = Quota(1), Scripted(lambda request: "Answer: 7", name="other", capabilities=PRICED)
    models = [Scripted(quota, name="quota", capabilities=PRICED), other]
    outcome = api.run("sc", "which?", model=models, n=5, journal=journal)
    assert (outcome.status, outcome.answer) == ("done", "7")
    spent = [Scripted(Quota(0), name=name, capabilities=PRICED) for name in "ab"]
    cut = api.run("sc", "which?", model=spent, n=5, journal=journal)
    assert cut.status == "budget"
    assert cut.detail["not_before"]
    assert facts(api.replay(cut.run, journal=journal)) == facts(cut)


def test_a_wait_within_the_deadline_is_waited_for_and_never_cut_short(journal: Journal) -> None:
    at: list[float] = []

    def script(request: Request) -> str:
        at.append(time.monotonic())
        if len(at) == 1:
            raise errors.RateLimited("a moment", retry_after=0.2)
        return "Answer: 1"

    outcome = api.run("direct", "which?", model=Scripted(script, capabilities=PRICED), journal=journal)
    assert outcome.status == "done"
    assert at[1] - at[0] >= 0.2


def test_a_wish_for_no_wait_is_no_wish(journal: Journal) -> None:
    tried: list[Request] = []

    def busy(request: Request) -> str:
        tried.append(request)
        if len(tried) < 3:
            raise errors.RateLimited("no", retry_after=0.0)
        return "4"

    model, seen = Scripted(busy, capabilities=PRICED), list[Record]()
    api.run("direct", "q?", model=model, journal=journal, sinks=[seen.append])
    waits = [record.event.wait for record in seen if isinstance(record.event, Retrying)]
    assert len(waits) == 2
    assert min(waits) >= retried.FIRST_WAIT  # all that were refused together are not back together at once


def test_the_deadline_is_over_all_tries_together(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTKIT_RETRY_DEADLINE", "0.5")
    monkeypatch.setenv("PROMPTKIT_RETRY_ATTEMPTS", "100")
    asked: list[errors.Transient] = []

    def failing(error: errors.Transient) -> Scripted:
        def script(request: Request) -> str:
            asked.append(error)
            raise error

        return Scripted(script, capabilities=PRICED)

    outcome = api.run("direct", "q?", model=failing(errors.RateLimited("no", retry_after=0.2)), journal=journal)
    assert outcome.status == "budget", "the third wait would end after the deadline"
    assert 2 <= len(asked) <= 3
    with pytest.raises(errors.Unavailable, match="down"):
        api.run("direct", "q?", model=failing(errors.Unavailable("down")), journal=journal)
    monkeypatch.setenv("PROMPTKIT_RETRY_ATTEMPTS", "2")
    asked.clear()
    with pytest.raises(errors.RateLimited):
        api.run("direct", "q?", model=failing(errors.RateLimited("no", retry_after=0.01)), journal=journal)
    assert len(asked) == 2


@pytest.mark.parametrize("value", ["soon", "0", "-1", "nan"])
def test_a_deadline_is_seconds(journal: Journal, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PROMPTKIT_RETRY_DEADLINE", value)
    with pytest.raises(errors.BadInput, match=r"PROMPTKIT_RETRY_DEADLINE: retry.deadline must be seconds above 0"):
        api.run("direct", "q?", model=Scripted(lambda request: "1"), journal=journal)


def test_the_time_named_is_never_too_early() -> None:
    for seconds in (0.5, 59, 61, 3600, 90_000):
        before = time.time()
        named = paused("who", seconds, "r1").not_before
        day, _, clock = named.rpartition(" ")
        moment = time.strptime(f"{day or time.strftime('%Y-%m-%d')} {clock}", "%Y-%m-%d %H:%M")
        assert 0 <= time.mktime(moment) - (before + seconds) <= 61


def test_a_wish_to_stop_ends_the_waiting(journal: Journal) -> None:
    """Interrupted in the middle of a Retry-After, a run ends at once and can go on."""
    waiting = asyncio.Event()

    async def script(request: Request) -> str:
        waiting.set()
        raise errors.RateLimited("a while", retry_after=100)

    async def go() -> None:
        model = Scripted(script, name="slow", capabilities=PRICED)
        run = asyncio.create_task(api.arun("sc", "q?", model=model, n=5, journal=journal))
        await waiting.wait()
        await asyncio.sleep(0.01)
        run.cancel()
        await asyncio.wait({run}, timeout=20)
        assert run.done()

    asyncio.run(go())
    assert journal.runs()[0].status == "cancelled"


@contextmanager
def refusing() -> Iterator[str]:
    """The address of a server that answers its first request and asks to wait an hour after it."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append(body)
            if len(asked) > 1:
                self.send_response(429)
                self.send_header("retry-after", "3600")
                self.end_headers()
                self.wfile.write(b'{"error": {"message": "come back later", "code": "rate_limit_exceeded"}}')
                return
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
            said = {"role": "assistant", "content": "Answer: 4"}
            reply = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "usage": usage}
            reply["choices"] = [{"index": 0, "finish_reason": "stop", "message": said, "delta": said}]
            if not body.get("stream"):
                self.wfile.write(json.dumps(reply).encode())
            else:
                self.wfile.write(f"data: {json.dumps(reply)}\n\ndata: [DONE]\n\n".encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    with served(Handler) as address:
        yield f"{address}/v1"


def test_the_command_line_exits_5_and_prints_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMPTKIT_JOURNAL", str(tmp_path / "journal.db"))
    with refusing() as address:
        words = ["run", "sc", "which?", "-m", "openai:m", "-o", f"base_url={address}", "--n", "5", "--concurrency", "1"]
        assert start([*words, "--plain"]) == 5
        said = capsys.readouterr()
        assert said.out == "4\n"
        assert re.search(r"promptkit resume r\w{8}, not before (\S+ )?\d\d:\d\d", " ".join(said.err.split()))
        assert "asks to wait until" in said.err
        assert start(["resume", "last", "-q"]) == 5, "it still wants to be left alone"
        said = capsys.readouterr()
        assert "not before" in said.err


@pytest.mark.parametrize("wait", [1e12, float("inf")])
def test_a_wait_that_no_clock_can_show_pauses_too(journal: Journal, wait: float) -> None:
    def say(_: Request) -> str:
        raise errors.RateLimited("come back some day", retry_after=wait)

    outcome = api.run("direct", "which?", model=Scripted(say), journal=journal)
    assert outcome.status == "budget"
    assert outcome.detail["not_before"]
