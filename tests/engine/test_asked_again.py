"""A call that is given up, or that goes wrong in an odd way, leaves nobody waiting and takes nobody with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from promptkit.errors import JournalUnusable, ProviderError, RateLimited
from promptkit.journal import Journal, Spent
from promptkit.providers.scripted import Scripted
from promptkit.runtime.budgeted import Budget, Limits
from promptkit.runtime.ledger import Nominal
from promptkit.runtime.open import stack
from promptkit.runtime.thinking_room import Roomy
from promptkit.types import Capabilities, Completion, Provider, Request, message

REQUEST = Request(messages=(message("user", "q?"),), temperature=1.0)
SOON = 5.0  # seconds: what does not come by then never will


def put(provider: Provider, journal: Journal, ask: Callable[[Roomy], Awaitable[list[str]]]) -> list[str]:
    """What is answered when a run's model is asked so."""
    model = stack(provider, journal, "r1", Budget(Limits(), Spent()), Nominal(), concurrency=8, attempts=1)
    return asyncio.run(asyncio.wait_for(ask(model), SOON))


def slow(begun: list[int], capabilities: Capabilities | None = None) -> Scripted:
    """Takes a moment for every reply; `begun` are the draws it was asked for."""

    async def say(request: Request) -> str:
        begun.append(request.index)
        await asyncio.sleep(0.005)
        return f"draw {request.index}"

    return Scripted(say, name="slow", capabilities=capabilities)


@pytest.mark.parametrize("ticks", range(14))
def test_what_is_given_up_and_asked_for_again_is_answered(journal: Journal, ticks: int) -> None:
    async def ask(model: Roomy) -> list[str]:
        first = asyncio.create_task(model.complete(REQUEST))
        for _ in range(ticks):  # at every moment of a call's beginning
            await asyncio.sleep(0)
        first.cancel()
        again = await asyncio.gather(*(model.complete(REQUEST) for _ in range(2)))
        return [got.text for got in again]

    begun: list[int] = []
    assert put(slow(begun), journal, ask) == ["draw 0", "draw 0"]
    assert len(begun) <= 2


def test_what_is_given_up_before_it_was_sent_is_not_sent(journal: Journal) -> None:
    async def ask(model: Roomy) -> list[str]:
        first = asyncio.create_task(model.complete(REQUEST))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0.02)
        await model.aclose()
        return []

    begun: list[int] = []
    put(slow(begun), journal, ask)
    assert begun == []


def test_a_draw_of_a_batch_that_is_given_up_takes_no_other_with_it(journal: Journal) -> None:
    async def ask(model: Roomy) -> list[str]:
        first = asyncio.create_task(model.complete(REQUEST))
        await asyncio.sleep(0.002)
        second = asyncio.create_task(model.complete(REQUEST.at(1)))  # of the same batch, which is under way
        await asyncio.sleep(0.002)
        second.cancel()
        return [(await first).text]

    assert put(slow([], Capabilities(batch=4, local=True)), journal, ask) == ["draw 0"]


def test_a_provider_that_gives_too_few_replies_leaves_nobody_waiting(journal: Journal) -> None:
    class Short(Scripted):
        async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
            return (await super().complete_many(requests))[1:]

    async def ask(model: Roomy) -> list[str]:
        with pytest.raises(ProviderError, match="gave 0 replies where 1 were asked for"):
            await model.complete(REQUEST)
        return []

    for _ in range(2):  # the second finds no claim on it that nobody will ever lift
        assert put(Short(lambda _: "a", name="short"), journal, ask) == []


def test_a_call_that_fails_while_the_journal_cannot_be_written_says_so(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(_: Request) -> str:
        raise RateLimited("slow down")

    async def full(*_: object) -> None:
        raise JournalUnusable("the disk is full")

    async def ask(model: Roomy) -> list[str]:
        with pytest.raises(JournalUnusable, match="the disk is full"):
            await model.complete(REQUEST)
        return []

    monkeypatch.setattr(journal, "fail", full)
    assert put(Scripted(busy), journal, ask) == []
