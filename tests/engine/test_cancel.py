"""A run that is cancelled, at any moment, ends as cancelled, takes its calls with it and blocks nobody."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from players import Player, player

from promptkit import api
from promptkit.events import CallStarted
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.types import Capabilities, Request


class Hanging:
    """Answers the first draws and hangs on the others; knows what became of each call."""

    def __init__(self, answered: int = 0, capabilities: Capabilities | None = None) -> None:
        self.started = self.cancelled = 0
        self.reached = asyncio.Event()
        self.model = Scripted(self._say, name="hanging", capabilities=capabilities)
        self._answered = answered

    async def _say(self, request: Request) -> str:
        self.started += 1
        if request.index < self._answered:
            return "Answer: 7"
        self.reached.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return ""


@pytest.mark.parametrize("capabilities", [None, Capabilities(native_n=8), Capabilities(batch=4)])
def test_cancelling_a_run_cancels_its_calls_and_is_recorded(
    journal: Journal, capabilities: Capabilities | None
) -> None:
    async def cancel() -> Hanging:
        hanging = Hanging(capabilities=capabilities)
        task = asyncio.create_task(api.arun("sc", "which?", model=hanging.model, journal=journal))
        await hanging.reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return hanging

    hanging = asyncio.run(cancel())
    assert hanging.cancelled == hanging.started > 0
    (row,) = journal.runs()
    assert row.status == "cancelled"
    assert row.outcome is not None
    assert row.outcome["answer"] is None


def test_a_cancelled_run_keeps_its_best_answer_and_can_go_on(journal: Journal) -> None:
    async def cancel() -> None:
        hanging = Hanging(answered=3)
        task = asyncio.create_task(api.arun("sc", "which?", model=hanging.model, journal=journal))
        await hanging.reached.wait()
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    (row,) = journal.runs()
    assert row.outcome is not None
    assert (row.status, row.outcome["answer"]) == ("cancelled", "7")
    asked: list[int] = []

    def say(request: Request) -> str:
        asked.append(request.index)
        return "Answer: 7"

    outcome = api.resume(row.id, model=Scripted(say, name="hanging"), journal=journal)
    assert (outcome.status, outcome.answer) == ("done", "7")
    assert asked == [3, 4, 5]


@pytest.mark.timeout(60)
def test_what_was_claimed_is_free_again(journal: Journal) -> None:
    async def cancel_then_run() -> None:
        hanging = Hanging()
        task = asyncio.create_task(api.arun("sc", "which?", model=hanging.model, journal=journal))
        await hanging.reached.wait()
        other = asyncio.create_task(
            api.arun("sc", "which?", model=Scripted(lambda _: "Answer: 1", name="hanging"), journal=journal)
        )
        await asyncio.sleep(0.05)
        assert not other.done(), "it waits for the samples the first run is buying"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await asyncio.wait_for(other, 30)).answer == "1"

    asyncio.run(cancel_then_run())


def test_cancelled_at_any_moment(journal_file: Journal) -> None:
    """Also before the run is recorded, and while it is being closed."""

    async def cancelled_after(turns: int) -> str:
        script = Player(shuffle=1, longest=0.001)
        how: dict[str, Any] = {"pack": "game24", "model": player(script), "journal": journal_file, "b": 2}
        task = asyncio.create_task(api.arun("tot", "1 2 3 4", fresh=True, **how))
        for _ in range(turns):
            await asyncio.sleep(0)
        await asyncio.sleep(turns / 100_000)
        task.cancel()
        ended = "cancelled"
        with suppress(asyncio.CancelledError):
            ended = (await task).status
        assert script.flying == 0, "no call is left behind"
        return ended

    async def sweep() -> None:
        for turns in [*range(20), *range(20, 400, 20)]:
            before = {row.id for row in journal_file.runs()}
            ended = await cancelled_after(turns)
            new = [row for row in journal_file.runs() if row.id not in before]
            assert len(new) <= 1
            for row in new:
                assert row.status == ended, f"cancelled after {turns} turns: recorded as {row.status}"
        for row in journal_file.runs()[:6]:
            outcome = await api.aresume(row.id, model=player(Player()), journal=journal_file)
            assert outcome.status in ("done", "undecided")

    asyncio.run(sweep())


def test_leaving_the_stream_cancels_the_run(journal: Journal) -> None:
    async def leave() -> Hanging:
        hanging = Hanging()
        async for record in api.stream("sc", "which?", model=hanging.model, journal=journal):
            if isinstance(record.event, CallStarted):
                await hanging.reached.wait()
                break
        async with asyncio.timeout(10):
            while not journal.runs() or journal.runs()[0].status == "running":  # noqa: ASYNC110  it tells nobody
                await asyncio.sleep(0.01)
        return hanging

    hanging = asyncio.run(leave())
    assert hanging.cancelled == hanging.started > 0
    assert journal.runs()[0].status == "cancelled"


def test_a_stream_ends_with_the_run_and_raises_its_error(journal: Journal) -> None:
    async def collect(model: Scripted) -> list[str]:
        names = []
        async for record in api.stream("cot", "which?", model=model, journal=journal):
            names.append(type(record.event).__name__)
        return names

    names = asyncio.run(collect(Scripted(lambda _: "Answer: 1")))
    assert (names[0], names[-1]) == ("SpanStarted", "SpanEnded")
    assert "RunEnded" in names

    def broken(_: Request) -> str:
        raise RuntimeError("a bug in the model")

    with pytest.raises(RuntimeError, match="a bug in the model"):
        asyncio.run(collect(Scripted(broken, name="broken")))


def test_a_resume_cancelled_at_any_moment_can_be_resumed(journal_file: Journal) -> None:
    async def sweep() -> None:
        hows: dict[str, Any] = {"model": player(Player(shuffle=1, longest=0.001)), "journal": journal_file}
        cut = await api.arun("sc", "which?", max_calls=1, n=30, **hows)
        for turns in range(60):
            task = asyncio.create_task(api.aresume(cut.run, max_calls=100, **hows))
            for _ in range(turns):
                await asyncio.sleep(0)
            await asyncio.sleep(turns / 10_000)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert journal_file.run(cut.run).status != "running", f"after {turns} turns"
        assert (await api.aresume(cut.run, max_calls=100, **hows)).status in ("done", "undecided")

    asyncio.run(sweep())
