"""What a recording touches: model calls of the code in its block, in its tasks and `to_thread`, and nothing else."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import httpx2
import openai
import pytest
from wire_server import KEY, Answer, Stub, alone, said, stub

import promptkit as pk
from promptkit import api, events, prompts
from promptkit.errors import BadInput, JournalUnusable
from promptkit.events import CallEnded, Record, RunEnded, RunStarted
from promptkit.journal import Journal

ASKED: Any = {"model": "m", "messages": [{"role": "user", "content": "2 + 2"}], "max_tokens": 10}
CHOICE = {"index": 0, "message": {"role": "assistant", "content": "4"}, "finish_reason": "stop"}
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
BODY = json.dumps({"object": "chat.completion", "model": "m", "choices": [CHOICE], "usage": USAGE}).encode()


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, tmp_path)


@pytest.fixture
def server() -> Iterator[Stub]:
    with stub(Answer(body=BODY, headers={"content-type": "application/json"})) as running:
        yield running


@pytest.fixture
def client(server: Stub) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.address}/v1", api_key=KEY) as opened:
        yield opened


def ask(client: openai.OpenAI, **how: Any) -> str:
    return client.chat.completions.create(**ASKED, **how).choices[0].message.content or ""


def test_code_outside_the_block_is_not_touched(server: Stub, client: openai.OpenAI, journal: Journal) -> None:
    ask(client)
    with pk.record(journal=journal) as recording:
        ask(client)
        others = [threading.Thread(target=ask, args=(client,)) for _ in range(2)]  # of another context
        for other in others:
            other.start()
            other.join()
    ask(client)
    assert (recording.calls, len(server.requests)) == (1, 5)
    assert journal.stats()["completions"] == 1


def test_tasks_and_threads_of_the_block_are_in_it(server: Stub, client: openai.OpenAI, journal: Journal) -> None:
    async def main() -> Any:
        outside = asyncio.create_task(late())
        async with pk.record(journal=journal) as recording:
            ready.set()
            await asyncio.gather(*(asyncio.to_thread(ask, client) for _ in range(3)), asyncio.create_task(inside()))
            await outside
        return recording

    async def inside() -> None:
        async with openai.AsyncOpenAI(base_url=f"{server.address}/v1", api_key=KEY) as other:
            await other.chat.completions.create(**ASKED)

    async def late() -> None:
        await ready.wait()
        await inside()

    ready = asyncio.Event()
    recording = asyncio.run(main())
    assert (recording.calls, len(server.requests)) == (4, 5)


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_what_is_no_call_to_a_model_passes(library: Any, server: Stub, journal: Journal) -> None:
    with pk.record(max_calls=1, journal=journal) as recording, library.Client(base_url=server.address) as plain:
        for _ in range(3):
            assert plain.post("/orders", json={"messages": []}).content == BODY
            assert plain.post("/v1/moderations", json={"input": "x"}).status_code == 200
        assert plain.get("/v1/chat/completions").status_code == 501  # the stub knows no GET
    assert (recording.calls, len(server.requests)) == (0, 6)
    assert journal.runs() == []  # a block without a call leaves no run


def test_what_does_not_change_a_text_does_not_change_the_call(
    server: Stub, client: openai.OpenAI, journal: Journal
) -> None:
    with pk.record(journal=journal):
        ask(client, user="anna")
    with pk.record(journal=journal) as again:
        ask(client.with_options(timeout=5, max_retries=7), user="ben", extra_headers={"x-trace": "1"})
    assert again.calls == 0
    with pk.record(journal=journal) as changed:
        ask(client, seed=1)
    assert changed.calls == 1


def test_as_a_decorator_each_call_is_a_recording(server: Stub, client: openai.OpenAI, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"

    @pk.record(max_calls=2, journal=path)
    def both(client: openai.OpenAI) -> list[str]:
        """Asks twice."""
        return [ask(client), ask(client)]

    @pk.record(journal=path)
    async def one() -> str:
        return ask(client)

    assert both(client) == both(client) == ["4", "4"]
    assert asyncio.run(one()) == "4"
    assert (len(server.requests), both.__name__, both.__doc__) == (2, "both", "Asks twice.")
    assert [(run.calls, run.cached_calls) for run in pk.runs(journal=path)] == [(1, 1), (2, 2), (2, 0)]
    with pytest.raises(BadInput, match="generator"):
        pk.record()(lambda: (yield))


def test_a_recording_is_used_once(journal: Journal) -> None:
    recording = pk.record(journal=journal)
    with recording:
        pass
    with pytest.raises(BadInput, match="once"), recording:
        pass


def test_a_run_of_promptkit_inside_keeps_its_own_journal(journal: Journal) -> None:
    with stub(said("4")) as server, pk.record(journal=journal, max_calls=1) as recording:
        options = {"base_url": f"{server.address}/v1"}
        outcome = pk.run("direct", "2 + 2", model="openai:m", model_options=options, journal=journal)
        assert len(server.requests) == 1
    assert (recording.calls, outcome.status) == (0, "done")
    assert [run.strategy for run in journal.runs()] == ["direct"]


def test_a_recording_is_a_run(client: openai.OpenAI, journal: Journal) -> None:
    seen: list[Record] = []
    with events.watch(seen.append), pk.record(journal=journal, name="sums") as recording:
        ask(client)
        with events.span("later"):
            ask(client)
    (run,) = journal.runs()
    assert (run.id, run.strategy, run.model, run.question) == (recording.run, "record", "openai:m", "sums")
    assert (run.status, run.calls, run.outcome and run.outcome["usage"]["input_tokens"]) == ("done", 2, 14)
    kinds = [type(record.event) for record in seen]
    assert (kinds.count(RunStarted), kinds.count(CallEnded), kinds.count(RunEnded)) == (1, 2, 1)
    assert [event["type"] for event in journal.events(run.id)] == [kind.__name__ for kind in kinds if kind in KEPT]
    assert [span for _, span, _ in journal.calls(run.id)] == ["record", "record/later"]
    asked = journal.request(journal.calls(run.id)[0][0])
    assert asked
    assert asked["messages"][0]["content"] == [{"text": "2 + 2"}]
    for again in (api.plan_replay, api.plan_resume):
        with pytest.raises(BadInput, match="recording of other code"):
            again(run.id, journal=journal)


KEPT = {getattr(events, name) for name in "RunStarted RunEnded SpanStarted SpanEnded CallStarted CallEnded".split()}


def test_a_recording_travels(server: Stub, client: openai.OpenAI, journal: Journal, tmp_path: Path) -> None:
    with pk.record(journal=journal) as recording:
        ask(client)
    bundle = tmp_path / "run.jsonl"
    with bundle.open("w") as file:
        journal.export(recording.run, file)
    with Journal.open(None) as elsewhere:
        with bundle.open() as file:
            elsewhere.import_(file)
        with pk.record(journal=elsewhere, replay="only"):
            assert ask(client) == "4"
    assert len(server.requests) == 1


def test_an_error_in_the_block_is_told_and_passes(client: openai.OpenAI, journal: Journal) -> None:
    @pk.record(journal=journal)
    def code() -> None:
        ask(client)
        raise ZeroDivisionError("sk-0123456789abcdef0123 leaked")

    with pytest.raises(ZeroDivisionError):
        code()
    run = journal.runs()[0]
    assert run.status == "error"
    assert "sk-0123" not in json.dumps(run.outcome)


def test_an_unusable_journal_is_said_before_anything_is_sent(server: Stub, tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_text("no database, whatever it is called")
    with pytest.raises(JournalUnusable), pk.record(journal=tmp_path / "journal.db"):
        raise AssertionError("not reached")
    assert server.requests == []


def test_an_sdk_that_is_first_imported_inside_is_recorded(server: Stub, tmp_path: Path) -> None:
    code = f"""
import asyncio, sys
import promptkit as pk

async def main():
    import openai
    async with openai.AsyncOpenAI(base_url={server.address + "/v1"!r}, api_key={KEY!r},
                                  http_client=openai.DefaultAioHttpClient()) as client:
        await client.chat.completions.create(**{ASKED!r})

assert "openai" not in sys.modules and "httpx" not in sys.modules
with pk.record(journal={str(tmp_path / "journal.db")!r}) as recording:
    asyncio.run(main())
print(recording.calls, recording.cached_calls)
"""
    for shown in ("1 0\n", "0 1\n"):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
        assert (done.stdout, done.stderr) == (shown, "")
    assert len(server.requests) == 1


def test_a_template_is_pinned_and_no_event_of_the_recording(client: openai.OpenAI, journal: Journal) -> None:
    with pk.record(journal=journal) as recording:
        prompts.find("general", "cot").render(question="2 + 2")
        ask(client)
        prompts.find("general", "output").render(schema="{}")
    assert [pin.id for pin in journal.pinned(recording.run)] == ["general/cot", "general/output"]
    assert "PromptUsed" not in {event["type"] for event in journal.events(recording.run)}
