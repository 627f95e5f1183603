"""Completions: bought once, found by everyone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from promptkit.errors import JournalError
from promptkit.journal import Journal, key
from promptkit.types import Completion, Request, ToolCall, Usage, message


@pytest.fixture(params=["file", "memory"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal.db" if request.param == "file" else None) as journal:
        yield journal


def said(text: str) -> Completion:
    return Completion(
        text=text, model="scripted:test", usage=Usage(calls=1, samples=1, input_tokens=3, output_tokens=5)
    )


def test_key_tells_draw_path_identity_and_seed_apart_and_nothing_else() -> None:
    request = Request(messages=(message("user", "2 + 2"),), draw=(7, 0))
    same = Request(messages=(message("user", "2 + 2"),), draw=(7, 0))
    keys = [
        key(request, "a"),
        key(request, "b"),
        key(request.at(1), "a"),
        key(Request(messages=request.messages, draw=(8, 0)), "a"),
        key(Request(messages=request.messages, draw=(7, 0), seed=1), "a"),
        key(Request(messages=(message("user", "2 + \ud800"),)), "a"),
    ]
    assert key(same, "a") == keys[0]
    assert len(set(keys)) == len(keys)
    assert all(len(name) == 64 for name in keys)


def test_a_stored_completion_comes_with_its_whole_call(journal: Journal) -> None:
    usage = Usage(calls=1, samples=3, input_tokens=10, output_tokens=60)
    asyncio.run(journal.store("call-1", [("a", said("one")), ("b", said("two")), ("c", said("three"))], usage))
    stored = journal.get("b")
    assert stored is not None
    assert stored.completion == said("two")
    assert (stored.call, stored.samples, stored.usage) == ("call-1", 3, usage)
    assert journal.get("d") is None


def test_samples_are_counted_where_usage_does_not_say(journal: Journal) -> None:
    asyncio.run(journal.store("call-1", [("a", said("one")), ("b", said("two"))], Usage()))
    stored = journal.get("a")
    assert stored is not None
    assert stored.samples == 2


def test_the_first_to_store_a_key_wins(journal: Journal) -> None:
    async def twice() -> None:
        await journal.store("call-1", [("a", said("first"))], Usage(samples=1))
        await journal.store("call-2", [("a", said("second")), ("b", said("new"))], Usage(samples=2))

    asyncio.run(twice())
    first, new = journal.get("a"), journal.get("b")
    assert first is not None
    assert new is not None
    assert (first.completion.text, first.call, first.samples) == ("first", "call-1", 1)
    assert (new.completion.text, new.call, new.samples) == ("new", "call-2", 2)


def test_what_the_journal_gives_is_never_marked_cached(journal: Journal) -> None:
    cached = Completion(text="x", model="m", cached=True)
    asyncio.run(journal.store("call-1", [("a", cached)], Usage()))
    stored = journal.get("a")
    assert stored is not None
    assert not stored.completion.cached


def test_a_claim_is_granted_once_and_again_after_release(journal: Journal) -> None:
    async def claims() -> None:
        assert await journal.claim(["a", "b", "b"], "r1") == {"a", "b"}
        assert await journal.claim(["a", "c"], "r2") == {"c"}
        await journal.release(["a"])
        assert await journal.claim(["a"], "r2") == {"a"}
        await journal.store("call-1", [("a", said("x"))], Usage())
        assert await journal.claim(["a"], "r1") == set()

    asyncio.run(claims())


def test_release_and_claim_in_one_batch_grant_a_key_to_one_task(journal: Journal) -> None:
    async def turns() -> None:
        assert await journal.claim(["a"], "r") == {"a"}
        _, *granted = await asyncio.gather(journal.release(["a"]), *(journal.claim(["a"], "r") for _ in range(50)))
        assert granted.count({"a"}) == 1
        assert await journal.claim(["a"], "r") == set()

    asyncio.run(turns())


def test_of_many_tasks_one_buys_and_all_get_it(journal: Journal) -> None:
    bought: list[int] = []

    async def task(number: int) -> str:
        while True:
            if await journal.claim(["a"], "r"):
                bought.append(number)
                await asyncio.sleep(0.02)
                await journal.store(f"call-{number}", [("a", said(f"by {number}"))], Usage())
            if stored := await journal.wait("a"):
                return stored.completion.text

    async def crowd() -> list[str]:
        return await asyncio.gather(*map(task, range(100)))

    texts = asyncio.run(crowd())
    assert len(bought) == 1
    assert set(texts) == {f"by {bought[0]}"}


def test_tasks_on_several_event_loops_share_one_purchase(journal: Journal) -> None:
    bought: list[str] = []
    texts: list[str] = []

    async def task() -> None:
        while True:
            if await journal.claim(["a"], "r"):
                bought.append("a")
                await asyncio.sleep(0.05)
                await journal.store("call", [("a", said("shared"))], Usage())
            if stored := await journal.wait("a"):
                texts.append(stored.completion.text)
                return

    threads = [threading.Thread(target=lambda: asyncio.run(task())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bought == ["a"]
    assert texts == ["shared"] * 8


def test_waiting_ends_with_none_when_the_buyer_gives_up(journal: Journal) -> None:
    async def give_up() -> None:
        await journal.claim(["a"], "r")
        waiting = asyncio.create_task(journal.wait("a"))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await journal.release(["a"])
        assert await asyncio.wait_for(waiting, 5) is None
        assert await journal.wait("never claimed") is None

    asyncio.run(give_up())


def test_a_cancelled_claim_is_not_held(journal: Journal) -> None:
    async def cancelled() -> None:
        claiming = asyncio.create_task(journal.claim(["a"], "r"))
        await asyncio.sleep(0)
        claiming.cancel()
        with pytest.raises(asyncio.CancelledError):
            await claiming
        await journal.flush()
        await journal.flush()  # the claim, then its return
        assert await journal.claim(["a"], "r") == {"a"}

    asyncio.run(cancelled())


def test_a_cancelled_store_is_stored(journal: Journal) -> None:
    async def cancelled() -> None:
        storing = asyncio.create_task(journal.store("call", [("a", said("paid for"))], Usage()))
        await asyncio.sleep(0)
        storing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await storing
        await journal.flush()

    asyncio.run(cancelled())
    assert journal.get("a") is not None


def test_a_cancelled_wait_leaves_nothing_behind(journal: Journal) -> None:
    async def cancelled() -> None:
        await journal.claim(["a"], "r")
        waiting = asyncio.create_task(journal.wait("a"))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not journal._claims._bells
        await journal.store("call", [("a", said("x"))], Usage())

    asyncio.run(cancelled())


def test_claims_of_a_closed_journal_are_free(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j.db") as other, Journal.open(tmp_path / "j.db") as journal:
        assert asyncio.run(other.claim(["a"], "r")) == {"a"}
        assert asyncio.run(journal.claim(["a"], "r")) == set()
        other.close()
        assert asyncio.run(journal.wait("a")) is None
        assert asyncio.run(journal.claim(["a"], "r")) == {"a"}


def test_two_journals_on_one_file_wait_for_each_other(tmp_path: Path) -> None:
    async def together() -> None:
        with Journal.open(tmp_path / "j.db") as buyer, Journal.open(tmp_path / "j.db") as other:
            await buyer.claim(["a"], "r")
            waiting = asyncio.create_task(other.wait("a"))
            await asyncio.sleep(0.05)
            await buyer.store("call", [("a", said("x"))], Usage())
            stored = await asyncio.wait_for(waiting, 5)
            assert stored is not None
            assert stored.completion.text == "x"

    asyncio.run(together())


def test_a_journal_in_memory_is_its_own(tmp_path: Path) -> None:
    with Journal.open(None) as one, Journal.open(None) as two:
        asyncio.run(one.store("call", [("a", said("x"))], Usage()))
        assert one.get("a") is not None
        assert two.get("a") is None
        assert one.path is None


def test_everything_is_there_after_opening_again(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j.db") as journal:
        asyncio.run(journal.store("call", [("a", said("x" * 100_000))], Usage()))
    assert [file.name for file in tmp_path.iterdir()] == ["j.db"]
    assert (tmp_path / "j.db").stat().st_size < 110_000  # compressed: the tables alone take nearly all of it
    with Journal.open(tmp_path / "j.db") as journal:
        stored = journal.get("a")
        assert stored is not None
        assert stored.completion.text == "x" * 100_000


def test_a_closed_journal_says_so(journal: Journal) -> None:
    journal.close()
    journal.close()
    with pytest.raises(JournalError, match="closed"):
        journal.get("a")
    with pytest.raises(JournalError, match="closed"):
        journal.runs()
    with pytest.raises(JournalError, match="closed"):
        asyncio.run(journal.claim(["a"], "r"))


texts = st.text(st.characters(codec=None), max_size=300) | st.text(min_size=1).map(lambda text: text * 1000)


def spelled(text: str) -> str:
    """JSON's reading: a high surrogate directly before a low one is the character they spell."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


@settings(max_examples=60, deadline=None, database=None)
@example("\ud800 \udfff \ud83d\ude00 \0", "\udcff" * 3000, [("\ud800", "", "{}")], 0.5)
@given(texts, st.none() | texts, st.lists(st.tuples(texts, texts, texts), max_size=2), st.floats(0, 1e6))
def test_any_completion_survives(text: str, reasoning: str | None, calls: list[tuple[str, str, str]], s: float) -> None:
    def made(read: Callable[[str], str]) -> Completion:
        return Completion(
            text=read(text),
            model="scripted:ü",
            usage=Usage(calls=1, samples=1, input_tokens=2**40, reasoning_tokens=7),
            finish="tool_calls",
            reasoning=None if reasoning is None else read(reasoning),
            calls=tuple(ToolCall(*map(read, call)) for call in calls),
            seconds=s,
        )

    with Journal.open(None) as journal:
        asyncio.run(journal.store("call", [("a", made(str))], Usage()))
        stored = journal.get("a")
        assert stored is not None
        assert stored.completion == made(spelled)
