from __future__ import annotations

import asyncio
import contextlib
import gc
import statistics
import threading
import time

import pytest
from local_model import ENDLESS, ask, draws, model_threads, opened, texts

from promptkit import events
from promptkit.errors import ProviderError
from promptkit.events import Delta, Record
from promptkit.providers.builtin import open_builtin
from promptkit.types import Completion


def test_a_cancelled_call_frees_its_slot() -> None:
    async def main() -> list[float]:
        waits = []
        async with opened(replicas=1) as provider:
            expected = texts(await provider.complete_many(draws(ask(max_tokens=8))))
            for _ in range(7):
                begun = asyncio.Event()

                def sink(record: Record, begun: asyncio.Event = begun) -> None:
                    if isinstance(record.event, Delta):
                        begun.set()

                with events.watch(sink):
                    long = asyncio.create_task(provider.complete(ask(max_tokens=900, extra=ENDLESS)))
                await begun.wait()
                cancelled = time.perf_counter()
                long.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await long
                replies = await provider.complete_many(draws(ask(max_tokens=8)))
                waits.append(time.perf_counter() - cancelled)
                assert texts(replies) == expected  # the slots of the cancelled call are gone, not still decoding
        return waits

    median = statistics.median(asyncio.run(main()))
    print(f"cancelled and answered the next call in {median * 1000:.0f} ms (median of 7)")
    assert median < 1  # 900 tokens take about as long; a loaded machine may be ten times slower than a free one
    assert not model_threads()


def test_a_cancelled_waiting_call_is_never_made() -> None:
    async def main() -> None:
        async with opened(replicas=1) as provider:
            busy = asyncio.create_task(provider.complete(ask(max_tokens=100)))
            waiting = asyncio.create_task(provider.complete(ask(max_tokens=900, extra=ENDLESS)))
            await asyncio.sleep(0)
            waiting.cancel()
            assert (await busy).text
            assert waiting.cancelled()

    asyncio.run(main())


def test_closing_twice_and_using_it_afterwards() -> None:
    async def main() -> None:
        unused = open_builtin("", {})
        await unused.aclose()
        async with opened() as provider:
            await provider.complete(ask())
            await provider.aclose()
            await provider.aclose()
            with pytest.raises(ProviderError, match="closed"):
                await provider.complete(ask())

    asyncio.run(main())
    assert not model_threads()


def test_closing_while_it_answers() -> None:
    async def main() -> None:
        provider = open_builtin("", {"replicas": 1})
        tasks = [asyncio.create_task(provider.complete(ask(max_tokens=900, extra=ENDLESS, seed=s))) for s in range(3)]
        await asyncio.sleep(0.2)
        await provider.aclose()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(ended, (ProviderError, Completion))

    asyncio.run(main())
    assert not model_threads()


def test_a_forgotten_model_frees_its_threads() -> None:
    async def main() -> None:
        await open_builtin("", {}).complete(ask())

    asyncio.run(main())
    for _ in range(200):  # the thread may still hold its last call for a moment
        gc.collect()
        if not model_threads():
            break
        time.sleep(0.05)
    assert not model_threads()


def test_several_loops_share_a_model() -> None:
    provider = open_builtin("", {})
    found: list[list[str]] = []

    async def one() -> list[str]:
        return texts(await provider.complete_many(draws(ask())))

    threads = [threading.Thread(target=lambda: found.append(asyncio.run(one()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asyncio.run(provider.aclose())
    assert len(found) == 4
    assert all(texts == found[0] for texts in found)


def test_a_second_copy_is_loaded_only_when_two_calls_wait() -> None:
    async def main() -> None:
        async with opened(replicas=2) as provider:
            for _ in range(3):
                await provider.complete(ask(max_tokens=4))
            assert len(model_threads()) == 1
            await asyncio.gather(*(provider.complete(ask(max_tokens=4, seed=seed)) for seed in range(6)))
            assert len(model_threads()) == 2

    asyncio.run(main())
