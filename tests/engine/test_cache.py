"""Nothing is bought twice: not by a second run, not within one, not when more samples are wanted than before."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from players import Player, player
from watching import Seen, facts

from promptkit import api, events
from promptkit.exchange import put
from promptkit.journal import Journal
from promptkit.prompts import pack
from promptkit.providers.scripted import Scripted
from promptkit.sampling import ask, ask_all, fork, solve_each
from promptkit.strategies.voting.sc import SelfConsistency
from promptkit.types import Capabilities, Model, Outcome, Problem, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Nested:
    """Self-consistency over self-consistency, each inner vote on draws of its own."""

    name = "nested"
    of: SelfConsistency
    times: int = 3

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        models = [fork(model, i) for i in range(self.times)]
        inner = await solve_each(self.of, problem, models, where="inner")
        return Outcome(answer="|".join(str(outcome.answer) for outcome in inner))


@dataclass(frozen=True, slots=True, kw_only=True)
class Debate:
    """Two debaters with one prompt."""

    name = "debate"

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        request = put(problem, pack("general").template("solve"))
        said = [await ask(fork(model, side), request, where=f"side-{side}") for side in range(2)]
        return Outcome(answer=" / ".join(reply.text for reply in said))


@dataclass(frozen=True, slots=True, kw_only=True)
class Twice:
    """The same request five times: three at once, then one alone, then one through a fork and back."""

    name = "twice"

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        request = put(problem, pack("general").template("solve"))
        at_once = await ask_all(model, [request] * 3, where="at-once")
        alone = await ask(model, request, where="alone")
        return Outcome(answer="|".join([*(got.text or "" for got in at_once), alone.text]))


RUNS: list[tuple[Any, str, dict[str, Any]]] = [
    ("direct", "general", {}),
    ("cot", "game24", {}),
    ("sc", "general", {"n": 10}),
    ("tot", "general", {}),
    ("tot", "game24", {"b": 2}),
    (Nested(of=SelfConsistency(n=5)), "general", {}),
    (Debate(), "general", {}),
]


@pytest.mark.parametrize(("strategy", "pack_name", "params"), RUNS)
@pytest.mark.parametrize("capabilities", [None, Capabilities(native_n=4), Capabilities(native_n=4, batch=4)])
def test_the_second_identical_run_is_free_and_the_same(
    journal: Journal, strategy: Any, pack_name: str, params: dict[str, Any], capabilities: Capabilities | None
) -> None:
    script, trees, outcomes = Player(), [], []
    paid = []
    for _ in range(2):
        seen = Seen()
        outcome = api.run(
            strategy,
            "4 5 6 10",
            pack=pack_name,
            model=player(script, capabilities),
            journal=journal,
            sinks=[seen],
            **params,
        )
        paid.append(len(script.asked))
        trees.append(seen.tree)
        outcomes.append(outcome)
        assert journal.spent(outcome.run).calls <= outcome.usage.calls
    assert paid[1] == paid[0] > 0
    assert facts(outcomes[1]) == facts(outcomes[0])
    assert trees[1] == trees[0]
    assert outcomes[1].usage.cached_calls == outcomes[1].usage.calls == outcomes[0].usage.calls
    assert outcomes[0].usage.cached_calls == 0
    assert journal.spent(outcomes[1].run).calls == 0


def test_a_larger_vote_pays_only_for_the_samples_it_does_not_have(journal: Journal) -> None:
    script = Player()
    for n in (10, 20):
        api.run("sc", "which?", model=Scripted(tied(script), name="tied"), journal=journal, n=n)
    draws = [draw for _, draw in script.asked]
    assert sorted(draws) == [(i,) for i in range(20)]


@pytest.mark.parametrize(("first", "second", "drawn"), [(10, 20, 20), (10, 13, 16), (3, 4, 4), (1, 2, 4)])
def test_batches_are_whole_and_never_drawn_twice(journal: Journal, first: int, second: int, drawn: int) -> None:
    script = Player()
    capabilities = Capabilities(batch=4, native_n=4, local=True)
    for n in (first, second):
        model = Scripted(tied(script), name="tied", capabilities=capabilities)
        api.run("sc", "which?", model=model, journal=journal, n=n)
    draws = [draw for _, draw in script.asked]
    assert sorted(draws) == [(i,) for i in range(drawn)]


def tied(script: Player) -> Any:
    """Votes that stay tied until the end: every sample is needed."""

    def say(request: Request) -> str:
        script.asked.append(("", request.draw))
        return f"Answer: {request.index % 2}"

    return say


def test_fresh_pays_again_gets_other_draws_and_can_be_resumed(journal: Journal) -> None:
    script = Player()

    def go(**how: Any) -> Outcome:
        return api.run("sc", "which?", model=Scripted(tied(script), name="tied"), journal=journal, n=6, **how)

    go()
    old = {draw for _, draw in script.asked}
    for fresh_run in (1, 2):
        before = len(script.asked)
        cut = go(fresh=True, max_calls=4)
        assert cut.status == "budget"
        assert len(script.asked) == before + 4
        done = api.resume(cut.run, model=Scripted(tied(script), name="tied"), journal=journal, max_calls=100)
        assert done.status == "undecided"
        new = {draw for _, draw in script.asked[before:]}
        assert len(new) == len(script.asked) - before == 6, f"fresh run {fresh_run} bought a draw twice"
        assert not new & old
        old |= new
    before = len(script.asked)
    go()
    assert len(script.asked) == before, "the ordinary draws are still there"


def test_equal_requests_in_one_run_are_bought_once(journal: Journal) -> None:
    asked: list[Request] = []

    async def slow(request: Request) -> str:
        asked.append(request)
        await asyncio.sleep(0.01)
        return f"reply {len(asked)}"

    seen = Seen()
    outcome = api.run(Twice(), "what?", model=Scripted(slow, name="slow"), journal=journal, sinks=[seen])
    assert outcome.answer == "reply 1|reply 1|reply 1|reply 1"
    assert len(asked) == 1
    assert outcome.usage.calls == outcome.usage.samples == 1
    assert outcome.usage.cached_calls == 0
    assert [event.cached for event in seen.of(events.CallEnded)] == [False, True, True, True]


@pytest.mark.parametrize(("strategy", "samples"), [(Nested(of=SelfConsistency(n=4)), 12), (Debate(), 2)])
def test_forks_get_samples_of_their_own_and_share_them_with_a_rerun(
    journal: Journal, strategy: Any, samples: int
) -> None:
    script = Player()
    for _ in range(2):
        outcome = api.run(strategy, "which?", model=Scripted(tied(script), name="tied"), journal=journal)
        draws = [draw for _, draw in script.asked]
        assert len(set(draws)) == len(draws) == samples
        assert outcome.usage.samples == samples


def test_another_model_or_seed_shares_nothing(journal: Journal) -> None:
    script = Player()
    for identity, seed in [("one", 0), ("two", 0), ("one", 1), ("one", 0)]:
        model = Scripted(tied(script), identity=identity)
        api.run("sc", "which?", model=model, journal=journal, n=4, seed=seed)
    assert len(script.asked) == 12


def test_what_cannot_change_a_text_shares_everything(journal: Journal) -> None:
    script = Player()
    hows: list[dict[str, Any]] = [{}, {"concurrency": 1}, {"max_calls": 50}, {"timeout": 60.0}, {"max_tokens": 10**6}]
    for how in hows:
        api.run("sc", "which?", model=Scripted(tied(script), name="tied"), journal=journal, n=4, **how)
    assert len(script.asked) == 4
