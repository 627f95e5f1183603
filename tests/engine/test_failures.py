"""What fails is counted and shown; it is never dropped, never an answer, and one failure does not end a vote."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import pytest
from watching import Seen, facts

from promptkit import api, errors, events
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.runtime.retried import ATTEMPTS
from promptkit.types import Capabilities, Model, Outcome, Problem, Request

pytestmark = pytest.mark.usefixtures("instant_retries")


def failing(
    at: Collection[int], error: Callable[[], BaseException], say: Callable[[int], str] = lambda index: "Answer: 1"
) -> Scripted:
    """A model whose draws `at` fail, every time."""

    def script(request: Request) -> str:
        if request.index in at:
            raise error()
        return say(request.index)

    return Scripted(script, name="failing", capabilities=Capabilities(price=(1.0, 1.0)))


def down() -> errors.PromptkitError:
    return errors.Unavailable("Answer: 666")  # an error text that reads like an answer


def test_a_failed_sample_is_counted_and_shown(journal: Journal) -> None:
    seen = Seen()
    outcome = api.run("sc", "which?", model=failing({1, 4}, down), journal=journal, n=10, sinks=[seen])
    assert (outcome.status, outcome.answer) == ("done", "1")
    assert outcome.detail["failed"] == 2
    counted = seen.of(events.VotesCounted)[-1]
    assert (counted.failed, counted.seen, counted.counts) == (2, 7, (("1", 5),))
    assert outcome.confidence == pytest.approx(5 / 7), "a sample that failed did not vote for the winner"
    shown = {event.index: event.error for event in seen.of(events.SampleRead) if event.error}
    assert set(shown) == {1, 4}
    assert "666" not in str(outcome.answer) + str(outcome.detail["votes"])
    assert len(seen.of(events.Retrying)) == 2 * (ATTEMPTS - 1), "each of the two was tried as often as any"


@pytest.mark.parametrize("alone", range(6, 10))
def test_one_failure_among_many_samples_does_not_end_the_vote(journal: Journal, alone: int) -> None:
    """The later rounds of a vote are small: one failure there is not the failure of everything."""
    model = failing({alone}, down, say=lambda index: f"Answer: {1 if index != 2 else 2}")
    if alone > 6:
        model = failing({alone}, down, say=lambda index: f"Answer: {index % 2}")
    outcome = api.run("sc", "which?", model=model, journal=journal, n=10)
    assert outcome.status in ("done", "undecided")
    assert outcome.detail["failed"] <= 1
    assert sum(n for _, n in outcome.detail["votes"]) + outcome.detail["failed"] == outcome.detail["samples"]


def test_a_failure_in_a_search_is_a_thought_less_not_an_end(journal: Journal) -> None:
    def script(request: Request) -> str:
        prompt = request.messages[-1].text
        if "Write only the next step" in prompt and request.index == 1:
            raise down()
        if "The best choice is N" in prompt:
            if request.index == 1:
                raise down()
            return "The best choice is 1"
        return f"a step {request.index}" if "next step" in prompt else "Answer: 5"

    seen = Seen()
    outcome = api.run("tot", "which?", model=Scripted(script), journal=journal, k=3, sinks=[seen])
    assert (outcome.status, outcome.answer) == ("done", "5")
    assert all("666" not in event.thought for event in seen.of(events.NodeAdded))
    first_level = [event.node for event in seen.of(events.NodeAdded) if len(event.node) == 1]
    assert first_level == [(0,), (1,)]


def test_a_lost_quorum_is_an_error(journal: Journal) -> None:
    with pytest.raises(errors.QuorumLost, match="4 of 6 samples failed") as lost:
        api.run("sc", "which?", model=failing({0, 1, 3, 5}, down), journal=journal, n=10)
    assert lost.value.run
    (row,) = journal.runs()
    assert row.status == "error"
    assert row.outcome is not None
    assert row.outcome["answer"] is None
    assert "666" not in json.dumps([row.outcome["answer"], row.outcome["text"]])


def test_the_quorum_is_what_was_asked_for(journal: Journal) -> None:
    for failed, quorum, fine in [(5, 0.1, True), (5, 0.5, False), (3, 0.5, True), (1, 1.0, False), (0, 1.0, True)]:
        model = failing(range(failed), down)
        model.identity = f"failing {failed} {quorum}"
        how: dict[str, Any] = {"model": model, "journal": journal, "n": 10, "quorum": quorum}
        if fine:
            assert api.run("sc", "which?", **how).answer == "1"
        else:
            with pytest.raises(errors.QuorumLost):
                api.run("sc", "which?", **how)


def test_when_everything_fails_its_error_is_raised(journal: Journal) -> None:
    for strategy in ("direct", "cot", "sc", "tot"):
        with pytest.raises(errors.Unavailable, match="666") as failed:
            api.run(strategy, "which?", model=failing(range(100), down), journal=journal)
        row = journal.run(failed.value.run)
        assert (row.status, row.outcome["answer"] if row.outcome else "") == ("error", None)


@pytest.mark.parametrize(
    "error",
    [errors.KeyMissing("no key"), errors.BadInput("bad"), errors.ContextOverflow("long"), errors.Rejected("no")],
)
@pytest.mark.parametrize("strategy", ["direct", "sc", "tot"])
def test_what_no_retry_can_mend_ends_the_run_at_once(
    journal: Journal, strategy: str, error: errors.PromptkitError
) -> None:
    calls = cancelled = 0

    async def script(request: Request) -> str:
        nonlocal calls, cancelled
        calls += 1
        if request.index == 0:
            await asyncio.sleep(0.01)
            raise type(error)(error.message)
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled += 1
            raise
        return ""

    with pytest.raises(type(error)) as raised:
        api.run(strategy, "which?", model=Scripted(script), journal=journal, concurrency=3)
    assert calls <= 6, "nothing is tried again; what was on its way may still go out"
    assert cancelled == calls - 1
    if raised.value.run:
        assert journal.run(raised.value.run).status == "error"
    else:  # refused before anything went out: there is nothing to remember
        assert isinstance(error, errors.BadInput)
        assert (calls, journal.runs()) == (1, [])


BUGS = {kind.__name__: kind for kind in (ZeroDivisionError, TimeoutError, KeyError, AssertionError)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Buggy:
    """Fails after a call, with something that is no promptkit error."""

    name = "buggy"
    kind: str = "ZeroDivisionError"

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        events.emit(events.Best("a guess"))
        raise BUGS[self.kind]("a bug in the strategy")


@pytest.mark.parametrize("kind", BUGS)
def test_a_bug_in_a_strategy_ends_the_run_as_an_error(journal: Journal, kind: str) -> None:
    with pytest.raises(BUGS[kind]):
        api.run(Buggy(kind=kind), "which?", model=failing((), down), journal=journal)
    (row,) = journal.runs()
    assert row.status == "error"
    assert row.outcome is not None
    assert row.outcome["answer"] is None
    assert kind in row.outcome["detail"]["error"]


@pytest.mark.parametrize("kind", [ZeroDivisionError, TimeoutError, ConnectionResetError])
def test_a_bug_in_a_provider_reaches_the_caller(journal: Journal, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        api.run("sc", "which?", model=failing({2}, lambda: kind("a bug in the provider")), journal=journal)
    (row,) = journal.runs()
    assert row.status == "error"


def test_a_resume_tries_again_what_failed(journal: Journal) -> None:
    with pytest.raises(errors.QuorumLost) as lost:
        api.run("sc", "which?", model=failing(range(1, 6), down), journal=journal)
    asked: list[int] = []

    def well_again(request: Request) -> str:
        asked.append(request.index)
        return "Answer: 1"

    outcome = api.resume(lost.value.run, model=Scripted(well_again, name="failing"), journal=journal)
    assert (outcome.status, outcome.answer, outcome.detail["failed"]) == ("done", "1", 0)
    assert sorted(asked) == [1, 2, 3, 4, 5]


def test_a_failure_is_nobody_elses(journal: Journal) -> None:
    api.run("sc", "which?", model=failing({1}, down), journal=journal)
    asked: list[int] = []

    def well(request: Request) -> str:
        asked.append(request.index)
        return "Answer: 1"

    outcome = api.run("sc", "which?", model=Scripted(well, name="failing"), journal=journal)
    assert outcome.detail["failed"] == 0
    assert asked == [1]
    assert facts(outcome)["status"] == "done"
