"""One contract, every adapter: who stops listening stops the server. Measured on llama.cpp, which tells its slots."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from adapters import HERE, SDKS, Place, asking
from llama_http import busy, llama_http
from ollama_stub import ollama
from tiny_gguf import write_tiny
from wire_server import alone

import promptkit as pk
from promptkit.events import Delta, Record, watch
from promptkit.journal import Journal
from promptkit.sampling import ask
from promptkit.types import Model, Outcome, Problem

LONG = 30_000  # tokens: many seconds, were they all written
WIDE = 3.0  # seconds a loaded machine may take for what takes less than 0.1
ENDLESS = (("ignore_eos", True),)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    model = write_tiny(tmp_path_factory.mktemp("tiny") / "tiny.gguf", context=32_768)
    with llama_http(model, slots=2, context=32_768) as address:
        yield address


async def freed(address: str, wanted: int = 0) -> float:
    """Seconds until no more than so many slots are busy."""
    began = time.monotonic()
    while await asyncio.to_thread(busy, address) > wanted:
        assert time.monotonic() - began < WIDE, "the server goes on generating"
        await asyncio.sleep(0.002)
    return time.monotonic() - began


async def stopped(place: Place, call: Callable[[asyncio.Event], Any]) -> float:
    """Cancel a call as soon as it is being answered; seconds until the server is idle."""
    begun = asyncio.Event()
    task = asyncio.ensure_future(call(begun))
    try:
        await asyncio.wait_for(begun.wait(), 30)
        assert await asyncio.to_thread(busy, place.address) == 1
    finally:
        task.cancel()
    took = await freed(place.address)
    with pytest.raises(asyncio.CancelledError):
        await task
    return took


@pytest.mark.parametrize("name", [*SDKS, "langchain"])
def test_an_abandoned_stream_frees_the_slot(name: str, llama: str, capsys: pytest.CaptureFixture[str]) -> None:
    place = Place(name, llama)

    async def call(begun: asyncio.Event) -> None:
        def hear(record: Record) -> None:
            if isinstance(record.event, Delta):
                begun.set()

        with watch(hear):
            async with place.opened() as provider:
                await provider.complete(asking("a b c", max_tokens=LONG, extra=ENDLESS))

    took = asyncio.run(stopped(place, call))
    with capsys.disabled():
        print(f"\n{name}: the slot was free after {took * 1000:.0f} ms")
    assert took < WIDE


@pytest.mark.parametrize("name", SDKS)
def test_an_abandoned_call_that_nobody_watched_frees_the_slot(name: str, llama: str) -> None:
    place = Place(name, llama)

    async def call(begun: asyncio.Event) -> None:
        async def look() -> None:
            while not begun.is_set():
                if await asyncio.to_thread(busy, llama):
                    begun.set()

        looking = asyncio.ensure_future(look())
        async with place.opened() as provider:
            try:
                await provider.complete(asking("a b c", max_tokens=LONG, extra=ENDLESS))
            finally:
                looking.cancel()

    assert asyncio.run(stopped(place, call)) < WIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Long:
    """Asks for a reply that takes long."""

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        reply = await ask(model, asking("a b c", max_tokens=LONG, extra=ENDLESS), where="long")
        return Outcome(answer=reply.text)


@pytest.mark.parametrize("name", SDKS)
def test_a_run_that_is_out_of_time_frees_the_slot(name: str, llama: str, journal: Journal) -> None:
    async def main() -> None:
        async with Place(name, llama).opened() as provider:
            outcome = await pk.arun(Long(), "a", model=provider, journal=journal, timeout=1.0)
        assert outcome.status == "budget"
        await freed(llama)

    asyncio.run(main())


def test_an_abandoned_stream_stops_ollama() -> None:
    async def main() -> int:
        with ollama(endless=True, pause=0.01) as server:
            begun = asyncio.Event()

            def hear(record: Record) -> None:
                if isinstance(record.event, Delta):
                    begun.set()

            async def call() -> None:
                with watch(hear):
                    async with Place("ollama", server.address).opened() as provider:
                        await provider.complete(asking(max_tokens=400))

            task = asyncio.ensure_future(call())
            await asyncio.wait_for(begun.wait(), 30)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(server.gone.wait, 10)
            return int(server.generated)

    assert asyncio.run(main()) < 300  # of 400 pieces, one each 10 ms


@pytest.mark.parametrize("name", HERE)
def test_an_abandoned_call_leaves_a_local_model_free(name: str) -> None:
    async def main() -> float:
        async with Place(name).opened(replicas=1, batch=1) as provider:
            await provider.complete(asking())  # loaded
            task = asyncio.ensure_future(provider.complete(asking(max_tokens=900, extra=ENDLESS)))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            began = time.monotonic()
            await provider.complete(asking(max_tokens=1))
            return time.monotonic() - began

    assert asyncio.run(main()) < WIDE
