"""A round of a million is begun block by block: a cap, an error or Ctrl-C ends it long before that."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from promptkit import api, sampling
from promptkit.algorithms.stopping.curtailment import next_batch
from promptkit.algorithms.voting.tally import Tally
from promptkit.errors import BadInput, Cut
from promptkit.journal import Journal
from promptkit.lazy import Lazy, joined
from promptkit.providers.scripted import Scripted
from promptkit.types import Capabilities, Completion, Problem, Request, message

MILLION = 1_000_000
ASKED = Request(messages=(message("user", "which?"),), temperature=0.7, max_tokens=8)


class Watched(Scripted):
    """Counts its calls, what is under way at once, and the samples of each call."""

    def __init__(self, *, fails_at: int = MILLION, error: Exception | None = None, native_n: int = 1) -> None:
        super().__init__(lambda request: f"Answer: {request.index % 3}", capabilities=Capabilities(native_n=native_n))
        self.asked = self.flying = self.widest = 0
        self.widths: list[int] = []
        self._fails_at, self._error = fails_at, error

    async def complete(self, request: Request, /) -> Completion:
        self.asked += 1
        self.flying += 1
        self.widest = max(self.widest, self.flying)
        try:
            await asyncio.sleep(0)
            if self._error and request.index >= self._fails_at:
                raise self._error
            return await super().complete(request)
        finally:
            self.flying -= 1

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        self.widths.append(len(requests))
        return await super().complete_many(requests)


@pytest.fixture(autouse=True)
def block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small blocks: what holds of them holds of those of the program, and is seen sooner."""
    monkeypatch.setattr(sampling, "BLOCK", 64)


def drawn(model: Watched, n: int, seen: list[int] | None = None) -> list[sampling.Sample]:
    heard = seen if seen is not None else []
    return asyncio.run(
        sampling.sample(model, ASKED, range(n), where="samples", each=lambda got: heard.append(got.index))
    )


def test_all_samples_come_in_order_and_few_are_begun_at_once() -> None:
    model, seen, n = Watched(), list[int](), 3 * sampling.BLOCK + 7
    assert [got.index for got in drawn(model, n, seen)] == seen == list(range(n))
    assert model.asked == n
    assert model.widest < 2 * sampling.BLOCK


def test_a_cut_begins_no_further_block_and_hands_over_what_came_before() -> None:
    model, seen = Watched(fails_at=5, error=Cut("enough")), list[int]()
    with pytest.raises(Cut) as stop:
        drawn(model, MILLION, seen)
    assert seen == [0, 1, 2, 3, 4]
    assert model.asked < 3 * sampling.BLOCK
    assert stop.value.begun == model.asked / MILLION


def test_any_other_error_stops_what_is_begun() -> None:
    model = Watched(fails_at=3, error=BadInput("no"))
    with pytest.raises(BadInput):
        drawn(model, MILLION)
    assert model.flying == 0
    assert model.asked < 3 * sampling.BLOCK


def test_a_request_that_cannot_be_made_ends_the_round() -> None:
    def request(at: int) -> Request:
        if at == sampling.BLOCK + 3:
            raise BadInput("no such request")
        return ASKED.at(at)

    model = Watched()
    with pytest.raises(BadInput, match="no such request"):
        asyncio.run(sampling.ask_all(model, Lazy(range(MILLION), request), where="samples"))
    assert model.flying == 0


@pytest.mark.parametrize("native_n", [128, 8])
def test_samples_of_one_prompt_travel_in_as_few_calls_as_ever(
    native_n: int, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "BLOCK", 256)
    n = 2 * sampling.BLOCK + 130
    model = Watched(native_n=native_n)
    api.run("knowledge", "which?", model=model, journal=journal, m=n)
    assert sorted(model.widths[: -(-n // native_n)])[1:] == [native_n] * (n // native_n)


@pytest.mark.parametrize("numbers", [{"n": MILLION}, {"n": 10**12}, {"n": MILLION, "of": "direct(temperature=1.0)"}])
def test_a_cap_ends_a_vote_of_a_million(numbers: dict[str, Any], journal: Journal) -> None:
    outcome = api.run("sc", "which?", model=Watched(), journal=journal, max_calls=3, **numbers)
    assert (outcome.status, outcome.usage.calls) == ("budget", 3)


@pytest.mark.parametrize(
    ("strategy", "numbers"),
    [
        ("tot", {"n_evaluate": MILLION}),
        ("tot", {"n_evaluate": MILLION, "evaluate": "vote"}),
        ("tot", {"k": MILLION}),
        ("sc", {"n": MILLION, "of": f"knowledge(m={MILLION})"}),
        ("debate", {"agents": MILLION}),
        ("moa", {"proposers": MILLION}),
        ("rstar", {"votes": MILLION}),
        ("best-first", {"depth": 10**9}),
    ],
)
def test_a_cap_ends_any_other_strategy_of_a_million(strategy: str, numbers: dict[str, Any], journal: Journal) -> None:
    said = api.plan(strategy, "which?", model=Watched(), journal=journal, **numbers)
    assert said.strategy.forecast(Problem(text="which?")).least >= 1  # type: ignore[attr-defined]
    outcome = api.run(strategy, "which?", model=Watched(), journal=journal, max_calls=8, **numbers)
    assert (outcome.status, outcome.usage.calls) == ("budget", 8)


def test_the_fewest_that_settle_a_vote_are_found_without_counting_to_them() -> None:
    assert next_batch(Tally(()), 10**8) == 5 * 10**7 + 1
    assert [next_batch(Tally((("a", 2), ("b", 1))), n) for n in range(3, 12)] == [0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_what_is_lazy_is_made_when_it_is_read() -> None:
    made: list[int] = []

    def make(number: int) -> int:
        made.append(number)
        return 10 * number

    few = Lazy(range(5, 9), make)
    assert (len(few), made) == (4, [])
    assert (few[0], few[-1], list(few[1:3]), made) == (50, 80, [60, 70], [5, 8, 6, 7])
    assert list(joined([few[:2], [], few[3:]])) == [50, 60, 80]
    assert len(joined([])) == 0


def test_a_journal_that_is_closed_takes_no_more_events_and_says_nothing() -> None:
    journal = Journal.open(None)
    journal.close()
    journal.append("r1", {"type": "Best"})
    journal.touch("r1", "key", "sc", False)
