"""A replay gives what the run gave, however the run ended and whatever was bought since, and makes no call."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from metered import Metered
from players import Player, player
from watching import Seen, facts, tree

from promptkit import api, errors
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.types import Request

pytestmark = pytest.mark.usefixtures("instant_retries")


def state_of(journal: Journal) -> Any:
    return [(row, journal.spent(row.id), len(journal.events(row.id)), journal.calls(row.id)) for row in journal.runs()]


def replayed(journal: Journal, run: str, sinks: Any = ()) -> Any:
    """The replay, after a look that nothing was written."""
    before = state_of(journal), journal.stats()["completions"]
    outcome = api.replay(run, journal=journal, sinks=sinks)
    assert (state_of(journal), journal.stats()["completions"]) == before, "a replay writes nothing"
    return outcome


@pytest.mark.parametrize(
    ("strategy", "pack", "params"),
    [("direct", "general", {}), ("cot", "game24", {}), ("sc", "general", {}), ("tot", "game24", {"b": 2})],
)
def test_a_run_that_ended_well(journal: Journal, strategy: str, pack: str, params: dict[str, Any]) -> None:
    whole = api.run(strategy, "1 2 3 4", pack=pack, model=player(Player()), journal=journal, **params)
    seen = Seen()
    again = replayed(journal, whole.run, [seen])
    assert facts(again) == facts(whole)
    assert again.usage.cached_calls == again.usage.calls
    assert tree([record.to_json() for record in seen.records]) == tree(journal.events(whole.run))


@pytest.mark.parametrize("buy_later", [False, True])
def test_a_run_with_failures(journal: Journal, buy_later: bool) -> None:
    def half(request: Request) -> str:
        if request.index in (0, 2, 5):
            raise errors.Unavailable("down")
        return f"Answer: {request.index % 3}"

    def well(request: Request) -> str:
        return "Answer: 9"

    run = api.run("sc", "which?", model=Scripted(half, name="replayed"), journal=journal, quorum=0.3)
    assert run.detail["failed"] == 3
    if buy_later:
        later = api.run("sc", "which?", model=Scripted(well, name="replayed"), journal=journal, quorum=0.3)
        assert facts(later) != facts(run)
    again = replayed(journal, run.run)
    assert facts(again) == facts(run)


@pytest.mark.parametrize("buy_later", [False, True])
@pytest.mark.parametrize("cap", [1, 4, 7])
@pytest.mark.parametrize(("strategy", "pack", "params"), [("sc", "general", {"n": 20}), ("tot", "game24", {"b": 2})])
def test_a_run_cut_by_its_budget(
    journal: Journal, cap: int, buy_later: bool, strategy: str, pack: str, params: dict[str, Any]
) -> None:
    how: dict[str, Any] = {"pack": pack, "model": Metered(3), "journal": journal, **params}
    cut = api.run(strategy, "1 2 3 4", max_calls=cap, **how)
    assert cut.status == "budget"
    if buy_later:
        assert api.run(strategy, "1 2 3 4", **how).status != "budget"
    assert facts(replayed(journal, cut.run)) == facts(cut)


@pytest.mark.parametrize("buy_later", [False, True])
@pytest.mark.parametrize("slow", [0, 3, 5])
def test_a_run_stopped_by_its_timeout(journal: Journal, slow: int, buy_later: bool) -> None:
    async def script(request: Request) -> str:
        if request.index == slow:
            await asyncio.sleep(30)
        return f"Answer: {'early' if request.index < 3 else 'late'}"

    cut = api.run("sc", "which?", model=Scripted(script, name="replayed"), journal=journal, timeout=0.3, n=10)
    assert cut.status == "budget"
    if buy_later:
        api.run("sc", "which?", model=Scripted(lambda _: "Answer: other", name="replayed"), journal=journal, n=10)
    again = replayed(journal, cut.run)
    assert (again.status, again.answer, again.confidence) == (cut.status, cut.answer, cut.confidence)


def test_a_run_that_failed(journal: Journal) -> None:
    def script(request: Request) -> str:
        if request.index > 0:
            raise errors.KeyMissing("no key")
        return "Answer: 1"

    with pytest.raises(errors.KeyMissing) as failed:
        api.run("sc", "which?", model=Scripted(script, name="replayed"), journal=journal)
    with pytest.raises(errors.KeyMissing, match="no key"):
        replayed(journal, failed.value.run)


def test_a_resume_of_a_run_that_is_done_buys_nothing(journal: Journal) -> None:
    script = Player()
    run = api.run("tot", "1 2 3 4", pack="game24", model=player(script), journal=journal, b=2)
    paid = len(script.asked)
    again = api.resume(run.run, model=player(script), journal=journal)
    assert len(script.asked) == paid
    assert facts(again) == facts(run)
