"""The best answer so far: only the run's own counts, and it is told in the order of the samples."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from players import Player, player
from watching import Seen

from promptkit import api, events
from promptkit.events import Best, emit, span
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.sampling import ask_all, fork, solve_each
from promptkit.strategies.voting.sc import SelfConsistency
from promptkit.types import Model, Outcome, Problem, Request, message


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """Votes inside, one after the other; tells its own best only when asked to."""

    name = "over"
    tells: bool = False

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        def each(outcome: Outcome) -> None:
            if self.tells and outcome.answer:
                emit(Best(f"over {outcome.answer}"))

        models = [fork(model, i) for i in range(4)]
        inner = await solve_each(SelfConsistency(n=3), problem, models, where="inner", each=each)
        return Outcome(answer=f"all {len(inner)}")


@pytest.mark.parametrize(("tells", "answer"), [(False, None), (True, "over 1")])
def test_the_best_of_a_strategy_inside_another_is_not_the_runs(
    journal: Journal, tells: bool, answer: str | None
) -> None:
    seen = Seen()
    cut = api.run(
        Over(tells=tells),
        "which?",
        model=Scripted(lambda _: "Answer: 1"),
        journal=journal,
        max_calls=5,
        concurrency=1,
        sinks=[seen],
    )
    assert cut.status == "budget"
    assert "1" in seen.best, "the inner strategies did tell theirs"
    assert cut.answer == answer


def test_the_best_is_told_in_the_order_of_the_samples(journal: Journal) -> None:
    """The last sample arrives first."""
    said = ["a", "b", "b", "a", "a", "c"]

    async def script(request: Request) -> str:
        await asyncio.sleep(0.02 * (6 - request.index))
        return f"Answer: {said[request.index % 6]}"

    seen = Seen()
    api.run("sc", "which?", model=Scripted(script), journal=journal, n=7, sinks=[seen])
    read = [event.index for event in seen.of(events.SampleRead)]
    assert read == list(range(len(read)))
    assert seen.best[:5] == ["a", None, "b", None, "a"], "a shared lead is no best; nor does one that was lost stay"
    counted = [event.seen for event in seen.of(events.VotesCounted)]
    assert counted == list(range(1, len(counted) + 1))


def test_a_vote_that_is_cut_off_at_a_tie_has_no_answer(journal: Journal) -> None:
    said = ["a", "b", "a", "b"]
    model = Scripted(lambda request: f"Answer: {said[request.index % 4]}", name="torn")
    for calls, answer in ((1, "a"), (2, None), (3, "a"), (4, None)):
        cut = api.run("sc", "which?", model=model, journal=journal, n=9, concurrency=1, max_calls=calls, fresh=True)
        assert (cut.status, cut.answer, cut.verified) == ("budget", answer, None)


def test_samples_are_handed_over_as_soon_as_all_before_them_are_in(journal: Journal) -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Watching:
        name = "watching"

        async def solve(self, problem: Problem, model: Model, /) -> Outcome:
            handed: list[int] = []
            request = Request(messages=(message("user", "x"),), temperature=1.0)
            await ask_all(
                model, [request.at(i) for i in range(4)], where="all", each=lambda got: note(got.index, handed)
            )
            return Outcome(answer=str(handed))

    arrived: list[int] = []
    at_hand_over: dict[int, int] = {}

    def note(index: int, handed: list[int]) -> None:
        handed.append(index)
        at_hand_over[index] = len(arrived)

    async def script(request: Request) -> str:
        await asyncio.sleep({0: 0.0, 1: 0.1, 2: 0.05, 3: 0.4}[request.index])
        arrived.append(request.index)
        return "x"

    outcome = api.run(Watching(), "which?", model=Scripted(script), journal=journal)
    assert outcome.answer == "[0, 1, 2, 3]"
    assert arrived == [0, 2, 1, 3]
    assert at_hand_over[2] == 3, "the second waited for the first, not for the last"


def test_a_verified_answer_of_a_search_is_told_when_it_is_found(journal: Journal) -> None:
    seen = Seen()
    outcome = api.run(
        "tot", "1 2 3 4", pack="game24", model=player(Player()), journal=journal, b=2, n_evaluate=1, sinks=[seen]
    )
    (best,) = seen.of(Best)
    assert best.verified
    assert best.answer == outcome.answer
    assert outcome.detail["verified"] is True
    added = {event.node: event for event in seen.of(events.NodeAdded)}
    assert added[best.node].verified


def test_spans_are_paths_that_say_where() -> None:
    seen = Seen()
    with events.watch(seen), span("a"), span("b") as path:
        emit(Best("x"))
    assert path == "a/b"
    assert [record.span for record in seen.records] == ["a", "a/b", "a/b", "a/b", "a"]
    assert [record.seq for record in seen.records] == list(range(5))


def test_an_event_is_json_and_complete() -> None:
    seen = Seen()
    with events.watch(seen):
        emit(Best("x", score=0.5, node=(1, 2)))
    (record,) = seen.records
    body = record.to_json()
    assert body["type"] == "Best"
    assert (body["answer"], body["score"], body["node"]) == ("x", 0.5, [1, 2])
    assert body["spent"]["calls"] == 0
