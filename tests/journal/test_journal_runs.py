"""Runs: leased, recorded in order, resumed, listed, removed; and the ledger of what was really sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from promptkit.errors import JournalError, RunLive, RunMissing
from promptkit.journal import Journal, NewRun, Spent
from promptkit.types import Completion, Usage


@pytest.fixture(params=["file", "memory"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal.db" if request.param == "file" else None) as journal:
        yield journal


def new(id: str, started: float = 1.0, question: str = "4 5 6 10") -> NewRun:
    return NewRun(
        id=id,
        strategy="tot",
        params={"width": 5, "of": None},
        model="builtin",
        question=question,
        pack="game24",
        seed=3,
        options={"max_calls": 10},
        source="abc",
        started=started,
    )


def store(journal: Journal, *keys: str) -> None:
    done = [(key, Completion(text=key, model="m")) for key in keys]
    asyncio.run(journal.store(f"call of {keys}", done, Usage(samples=len(keys))))


def test_a_run_is_read_as_it_was_written(journal: Journal) -> None:
    asyncio.run(journal.start_run(new("r1", question="lone \udcff")))
    row = journal.run("r1")
    assert (row.strategy, row.params, row.model, row.pack) == ("tot", {"width": 5, "of": None}, "builtin", "game24")
    assert (row.question, row.seed, row.options, row.source) == ("lone \udcff", 3, {"max_calls": 10}, "abc")
    assert (row.status, row.outcome, row.started, row.ended, row.attempt) == ("running", None, 1.0, None, 1)
    asyncio.run(journal.end_run("r1", "done", {"answer": "24"}))
    row = journal.run("r1")
    assert (row.status, row.outcome) == ("done", {"answer": "24"})
    assert row.ended is not None


def test_an_id_is_taken_once(journal: Journal) -> None:
    asyncio.run(journal.start_run(new("r1")))
    with pytest.raises(JournalError, match="there is a run r1 already"):
        asyncio.run(journal.start_run(new("r1")))


def test_events_and_uses_keep_their_order(journal: Journal) -> None:
    asyncio.run(journal.start_run(new("r1")))
    for number in range(600):
        journal.append("r1", {"type": "Best", "seq": number, "text": "\ud800" if number == 7 else "ü"})
        journal.touch("r1", f"key{number % 3}", f"tot/{number}", number % 3 == 0)
    assert [event["seq"] for event in journal.events("r1")] == list(range(600))
    assert journal.events("r1")[7]["text"] == "\ud800"
    assert journal.calls("r1") == [(f"key{n % 3}", f"tot/{n}", n % 3 == 0) for n in range(600)]
    assert (journal.run("r1").calls, journal.run("r1").cached_calls) == (600, 200)


def test_a_live_run_is_neither_resumed_nor_removed(journal: Journal) -> None:
    asyncio.run(journal.start_run(new("r1")))
    with pytest.raises(RunLive, match="still running"):
        asyncio.run(journal.resume_run("r1"))
    with pytest.raises(RunLive, match="still running"):
        asyncio.run(journal.remove("r1"))
    with pytest.raises(RunMissing):
        asyncio.run(journal.resume_run("nope"))


def test_a_resume_supersedes_the_events_of_earlier_attempts(journal: Journal) -> None:
    asyncio.run(journal.start_run(new("r1")))
    journal.append("r1", {"seq": 0, "of": "first"})
    journal.touch("r1", "a", "tot", False)
    asyncio.run(journal.end_run("r1", "budget", {"answer": None}))
    row = asyncio.run(journal.resume_run("r"))
    assert (row.id, row.status, row.attempt, row.outcome, row.ended) == ("r1", "running", 2, None, None)
    assert journal.events("r1") == []
    journal.append("r1", {"seq": 0, "of": "second"})
    journal.touch("r1", "a", "tot", True)
    asyncio.run(journal.end_run("r1", "done", {}))
    assert journal.events("r1") == [{"seq": 0, "of": "second"}]
    assert journal.calls("r1") == [("a", "tot", True)]


def test_a_run_whose_journal_was_closed_is_interrupted(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "j.db")
    asyncio.run(journal.start_run(new("r1")))
    journal.append("r1", {"seq": 0})
    journal.close()
    with Journal.open(tmp_path / "j.db") as journal:
        assert journal.run("r1").status == "interrupted"
        assert journal.events("r1") == [{"seq": 0}]
        assert asyncio.run(journal.resume_run("r1")).attempt == 2


def test_runs_are_listed_newest_first_and_found_by_prefix(journal: Journal) -> None:
    for id, started in (("abc1", 1.0), ("abd2", 3.0), ("xyz3", 2.0)):
        asyncio.run(journal.start_run(new(id, started)))
    assert [row.id for row in journal.runs()] == ["abd2", "xyz3", "abc1"]
    assert [row.id for row in journal.runs(limit=1)] == ["abd2"]
    assert journal.run("x").id == "xyz3"
    with pytest.raises(RunMissing, match="'ab' begins 2 runs") as ambiguous:
        journal.run("ab")
    assert "abd2 or abc1" in ambiguous.value.hint
    with pytest.raises(RunMissing, match="no run 'xyz4'") as missing:
        journal.run("xyz4")
    assert "did you mean xyz3?" in missing.value.hint
    for nothing in ("", "%", "\udcff"):
        with pytest.raises(RunMissing):
            journal.run(nothing)


def test_a_full_id_wins_over_longer_ones(journal: Journal) -> None:
    for id in ("r1", "r10"):
        asyncio.run(journal.start_run(new(id)))
    assert journal.run("r1").id == "r1"


def test_failures_belong_to_one_run_and_can_be_cleared(journal: Journal) -> None:
    async def failing() -> None:
        await journal.start_run(new("r1"))
        await journal.fail("r1", "a", {"type": "Rejected", "message": "first"})
        await journal.fail("r1", "a", {"type": "Cut", "message": "second \udcff"})

    asyncio.run(failing())
    assert journal.failures("r1") == {"a": {"type": "Cut", "message": "second \udcff"}}
    assert journal.failures("r2") == {}
    asyncio.run(journal.clear_failures("r1"))
    assert journal.failures("r1") == {}


def test_the_ledger_charges_what_is_not_settled_whole(journal: Journal) -> None:
    async def attempts() -> None:
        first = await journal.begin("r1", "call", 1000, 0.5)
        second = await journal.begin("r1", "call", 100, 0.25)
        await journal.begin("r2", "call", 7, None)
        journal.settle(first, input_tokens=10, output_tokens=20, reasoning_tokens=8, cost=0.125, samples=3)
        assert journal.spent("r1") == Spent(
            calls=2,
            input_tokens=10,
            output_tokens=20,
            reasoning_tokens=8,
            reserved_tokens=100,
            samples=3,
            cost=0.375,
            reserved_cost=0.25,
            unsettled=1,
        )
        assert journal.spent("r1").tokens == 130
        journal.settle(second, input_tokens=5, output_tokens=0, cost=0.0, samples=0, error="429 \udcff")
        assert journal.spent("r1") == Spent(
            calls=2, input_tokens=15, output_tokens=20, reasoning_tokens=8, samples=3, cost=0.125
        )

    asyncio.run(attempts())
    assert journal.spent("r2").cost is None
    assert journal.spent("never") == Spent()


def test_an_attempt_cancelled_before_it_was_sent_costs_nothing(journal: Journal) -> None:
    async def cancelled() -> None:
        beginning = asyncio.create_task(journal.begin("r1", "call", 1000, 0.5))
        await asyncio.sleep(0)
        beginning.cancel()
        with pytest.raises(asyncio.CancelledError):
            await beginning
        await journal.flush()
        await journal.flush()

    asyncio.run(cancelled())
    assert journal.spent("r1") == Spent()


def test_a_removed_run_takes_only_what_no_other_run_used(journal: Journal) -> None:
    store(journal, "mine", "shared")
    store(journal, "alone")
    store(journal, "nobody's")
    for id in ("r1", "r2"):
        asyncio.run(journal.start_run(new(id)))
        journal.append(id, {"seq": 0})
        asyncio.run(journal.begin(id, "call", 1, None))
    for id, name in (("r1", "mine"), ("r1", "shared"), ("r1", "alone"), ("r2", "shared")):
        journal.touch(id, name, "", False)
    for id in ("r1", "r2"):
        asyncio.run(journal.end_run(id, "done", {}))
    asyncio.run(journal.remove("r1"))
    assert [row.id for row in journal.runs()] == ["r2"]
    assert {name for name in ("mine", "shared", "alone", "nobody's") if journal.get(name)} == {"shared", "nobody's"}
    assert journal.spent("r1") == Spent()
    assert journal.events("r2") == [{"seq": 0}]
    assert journal.stats()["runs"] == 1
    assert journal.stats()["completions"] == 2
    with pytest.raises(RunMissing):
        asyncio.run(journal.remove("r1"))


def test_what_nobody_waited_for_is_reported_at_the_end(journal: Journal) -> None:
    async def lost() -> None:
        journal.append("no such run", {"seq": 0})
        with pytest.raises(RunMissing):
            await journal.flush()
        await journal.flush()
        with pytest.raises(RunMissing):
            await journal.end_run("no such run", "done", {})

    asyncio.run(lost())


def test_an_operation_that_fails_fails_alone(journal: Journal) -> None:
    async def mixed() -> None:
        good = [journal.store(f"c{n}", [(f"k{n}", Completion(text="x", model="m"))], Usage()) for n in range(100)]
        bad = [journal.end_run("no such run", "done", {}) for _ in range(100)]
        results = await asyncio.gather(
            *(each for pair in zip(good, bad, strict=True) for each in pair), return_exceptions=True
        )
        assert results[::2] == [None] * 100
        assert all(isinstance(result, RunMissing) for result in results[1::2])

    asyncio.run(mixed())
    assert all(journal.get(f"k{n}") for n in range(100))


def test_what_is_no_json_is_refused_where_it_is_written(journal: Journal) -> None:
    with pytest.raises(TypeError):
        journal.append("r1", {"a": object()})
