from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from promptkit.providers.remote.per_loop import PerLoop


@dataclass
class Client:
    """Remembers in which loop it was closed."""

    closed: list[asyncio.AbstractEventLoop] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def close(self) -> None:
        self.closed.append(asyncio.get_running_loop())
        self.gone.set()


made: list[Client] = []


def make() -> Client:
    made.append(Client())
    return made[-1]


def clients() -> PerLoop[Client]:
    return PerLoop(make, Client.close)


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    made.clear()
    yield
    made.clear()


def test_a_loop_has_one_and_closes_it() -> None:
    held = clients()

    async def main() -> asyncio.AbstractEventLoop:
        assert await held.get() is await held.get()
        assert len({id(client) for client in await asyncio.gather(*(held.get() for _ in range(5)))}) == 1
        assert made[-1].closed == []
        return asyncio.get_running_loop()

    loops = [asyncio.run(main()) for _ in range(2)]
    assert [client.closed for client in made] == [[loop] for loop in loops]


def test_closing_is_for_now() -> None:
    async def main() -> None:
        held = clients()
        await held.aclose()
        first = await held.get()
        await held.aclose()
        await held.aclose()
        assert len(first.closed) == 1
        assert await held.get() is not first

    asyncio.run(main())
    assert [len(client.closed) for client in made] == [1, 1]


def test_each_is_closed_in_its_own_loop() -> None:
    held, ready, leave = clients(), threading.Event(), threading.Event()

    async def elsewhere() -> None:
        client = await held.get()
        ready.set()
        await client.gone.wait()
        assert made[0].closed == [asyncio.get_running_loop()]
        leave.set()

    thread = threading.Thread(target=asyncio.run, args=(elsewhere(),))
    thread.start()
    assert ready.wait(5)
    asyncio.run(held.aclose())
    assert leave.wait(5)
    thread.join()
    assert len(made[0].closed) == 1


def test_one_that_is_garbage_with_its_owner_is_closed_before_it_is_collected() -> None:
    collected_open: list[bool] = []

    class Session(Client):
        def __del__(self) -> None:
            collected_open.append(not self.closed)

    class Owner:
        def __init__(self) -> None:
            self.myself = self  # only the collector frees it
            self.held: PerLoop[Session] = PerLoop(Session, Session.close)

    async def main() -> None:
        await Owner().held.get()
        gc.collect()
        await asyncio.sleep(0.01)
        gc.collect()

    asyncio.run(main())
    assert collected_open == [False]


def test_a_forgotten_one_is_closed_while_its_loop_runs() -> None:
    async def main() -> None:
        await clients().get()
        gc.collect()
        await asyncio.sleep(0.01)
        assert len(made[0].closed) == 1

    asyncio.run(main())
