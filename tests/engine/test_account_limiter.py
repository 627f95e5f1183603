"""The limiter of an account: one line for everybody, in order, as fast as the provider bears it."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from players import dice

from promptkit.errors import RateLimited, TimeUp, Unavailable
from promptkit.runtime import limiter
from promptkit.runtime.limiter import Held, Limiter, Pace, Ticket

FOREVER = float("inf")


@pytest.fixture
def short_minute(monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(limiter, "MINUTE", 0.3)
    return 0.3


def untold(why: str) -> None:
    """Nobody listens."""


async def enter(line: Limiter, tokens: int = 0, patience: float = FOREVER) -> Ticket:
    return await line.enter(tokens, patience, untold)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def order(line: Limiter, first: Ticket, calls: int) -> list[int]:
    came: list[int] = []

    async def one(number: int) -> None:
        ticket = await enter(line)
        came.append(number)
        await asyncio.sleep(0)
        line.land(ticket)

    tasks = [asyncio.create_task(one(number)) for number in range(calls)]
    await settled()
    assert came == []
    line.land(first)
    await asyncio.gather(*tasks)
    return came


def test_first_come_first_served() -> None:
    async def go() -> None:
        line = Limiter(Pace(concurrency=1))
        assert await order(line, await enter(line), 20) == list(range(20))
        assert line.flying == 0

    asyncio.run(go())


def test_a_small_call_never_overtakes_a_large_one(short_minute: float) -> None:
    async def go() -> None:
        line = Limiter(Pace(tpm=100))
        came: list[int] = []

        async def one(tokens: int) -> None:
            ticket = await enter(line, tokens)
            came.append(tokens)
            line.land(ticket, tokens)

        await asyncio.gather(*(one(tokens) for tokens in (60, 90, 10, 20)))
        assert came == [60, 90, 10, 20]

    asyncio.run(go())


def test_no_minute_has_more_calls_than_allowed(short_minute: float) -> None:
    async def go() -> None:
        line = Limiter(Pace(rpm=3))
        at: list[float] = []

        async def one() -> None:
            ticket = await enter(line)
            at.append(ticket.at)
            line.land(ticket)

        await asyncio.gather(*(one() for _ in range(8)))
        assert all(later - earlier >= short_minute for earlier, later in zip(at, at[3:], strict=False))

    asyncio.run(go())


def test_tokens_are_reserved_and_what_was_not_used_is_free_at_once() -> None:
    async def go() -> None:
        line = Limiter(Pace(tpm=100))
        first = await enter(line, 80)
        second = asyncio.create_task(enter(line, 80))
        await settled()
        assert not second.done()
        line.land(first, 15)
        await asyncio.wait_for(second, 5)  # a minute has not passed
        line.land(second.result(), error=Unavailable("who knows what it took"))
        third = asyncio.create_task(enter(line, 20))
        await settled()
        assert not third.done(), "a call of unknown outcome counts whole"
        third.cancel()

    asyncio.run(go())


def test_a_call_larger_than_a_minute_goes_out_alone() -> None:
    async def go() -> None:
        line = Limiter(Pace(tpm=100))
        line.land(await asyncio.wait_for(enter(line, 5_000), 5), error=TimeUp("never sent"))
        line.land(await asyncio.wait_for(enter(line, 100), 5), 100)

    asyncio.run(go())


@pytest.mark.parametrize(("set_to", "flying", "halved"), [(8, 8, 4), (None, 6, 3), (8, 3, 1), (1, 1, 1), (None, 1, 1)])
def test_a_429_halves_what_is_in_force_once_for_calls_in_flight_together(
    set_to: int | None, flying: int, halved: int
) -> None:
    async def go() -> None:
        line = Limiter(Pace(concurrency=set_to))
        tickets = [await enter(line) for _ in range(flying)]
        for ticket in tickets:
            line.land(ticket, error=RateLimited("slow down"))
        assert line.allowed == halved
        again = await enter(line)
        line.land(again, error=RateLimited("slow down"))
        assert line.allowed == max(1, min(halved, 1) // 2), "a call sent since then says it once more"

    asyncio.run(go())


def test_answers_bring_the_pace_back_one_by_one_and_no_further_than_was_set() -> None:
    async def go() -> None:
        line = Limiter(Pace(concurrency=4))
        tickets = [await enter(line) for _ in range(4)]
        for ticket in tickets:
            line.land(ticket, error=RateLimited("slow down"))
        allowed = []
        for _ in range(10):
            line.land(await enter(line), 1)
            allowed.append(line.allowed)
        assert allowed == [2, 3, 3, 3, 4, 4, 4, 4, 4, 4]

    asyncio.run(go())


def test_when_one_is_asked_to_wait_nobody_goes_out_before() -> None:
    async def go() -> None:
        line = Limiter(Pace(concurrency=3))
        tickets = [await enter(line) for _ in range(3)]
        waiting = [asyncio.create_task(enter(line)) for _ in range(4)]
        await settled()
        line.land(tickets[0], error=RateLimited("slow down", retry_after=0.2))
        free = time.monotonic() + 0.2 - 0.01  # the clock was read after the call
        line.land(tickets[1], 5)
        late = asyncio.create_task(enter(line))
        line.land(tickets[2], 5)
        for task in [*waiting, late]:
            ticket = await task
            assert ticket.at >= free
            line.land(ticket, 5)

    asyncio.run(go())


def test_who_would_wait_too_long_hears_of_it_at_once_in_line_or_not() -> None:
    async def go() -> None:
        line = Limiter(Pace(concurrency=1))
        ticket = await enter(line)
        impatient = [asyncio.create_task(enter(line, patience=5)) for _ in range(3)]
        patient = asyncio.create_task(enter(line))
        await settled()
        line.land(ticket, error=RateLimited("tomorrow", retry_after=3600))
        for told in await asyncio.gather(*impatient, return_exceptions=True):
            assert isinstance(told, Held)
            assert 3590 < told.seconds <= 3600
        with pytest.raises(Held):
            await enter(line, patience=5)
        assert not patient.done()
        patient.cancel()

    asyncio.run(go())


@pytest.mark.parametrize("seed", range(10))
def test_whoever_stops_waiting_leaks_no_slot(seed: int) -> None:
    rng = dice("leaks", seed)

    async def go() -> None:
        line = Limiter(Pace(concurrency=3))
        most = 0

        async def one(pause: float) -> None:
            nonlocal most
            ticket = await enter(line)
            most = max(most, line.flying)
            error: BaseException | None = None
            try:
                await asyncio.sleep(pause)
            except asyncio.CancelledError as stopped:
                error = stopped
                raise
            finally:
                line.land(ticket, error=error)

        tasks = [asyncio.create_task(one(rng.random() * 0.003)) for _ in range(60)]
        for task in rng.sample(tasks, 40):
            await asyncio.sleep(rng.random() * 0.001)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (line.flying, most) == (0, 3)
        tickets = [await asyncio.wait_for(enter(line), 5) for _ in range(3)]  # all three are there
        assert len(tickets) == 3

    asyncio.run(go())


def test_loops_in_several_threads_stand_in_one_line() -> None:
    line = Limiter(Pace(concurrency=2))
    counting = threading.Lock()
    flying = most = done = 0

    async def one() -> None:
        nonlocal flying, most, done
        ticket = await enter(line)
        with counting:
            flying += 1
            most = max(most, flying)
        await asyncio.sleep(0.001)
        with counting:
            flying -= 1
            done += 1
        line.land(ticket)

    async def all_of_them() -> None:
        await asyncio.wait_for(asyncio.gather(*(one() for _ in range(20))), 30)

    threads = [threading.Thread(target=asyncio.run, args=(all_of_them(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, done, line.flying) == (2, 80, 0)


def test_a_loop_that_closed_holds_nobody_up() -> None:
    line = Limiter(Pace(concurrency=1))

    async def leave() -> Any:
        ticket = await enter(line)
        waiting = enter(line)
        task = asyncio.ensure_future(waiting)
        await settled()
        return ticket, task

    loop = asyncio.new_event_loop()
    ticket, task = loop.run_until_complete(leave())
    loop.close()  # with somebody in line

    async def go() -> None:
        waiting = asyncio.create_task(enter(line))
        await settled()
        line.land(ticket)
        await asyncio.wait_for(waiting, 5)

    asyncio.run(go())
    task._log_destroy_pending = False


def test_a_long_wait_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "LONG", 0.02)

    async def go() -> None:
        line = Limiter(Pace(rpm=1))
        monkeypatch.setattr(limiter, "MINUTE", 0.2)
        told: list[str] = []
        line.land(await line.enter(0, FOREVER, told.append))
        assert told == []
        line.land(await line.enter(0, FOREVER, told.append))
        assert told == ["rpm = 1"]

    asyncio.run(go())
