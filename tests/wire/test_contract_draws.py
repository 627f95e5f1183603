"""One contract, every adapter: draws are independent, are bought once, and stay what they are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from adapters import ALL, WIRE, Place, asking, standing, turns
from llama_http import llama_http
from local_model import BUILTIN
from wire_server import alone

import promptkit as pk
from promptkit.journal import Journal
from promptkit.sampling import sample
from promptkit.types import Model, Outcome, Problem, Provider

NATIVE = ("openai", "openai-compatible")  # draw several samples in one call, where their server does


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """So many draws of one request, as they are."""

    n: int = 4
    temperature: float = 0.8

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        request = asking(temperature=self.temperature)
        samples = await sample(model, request, range(self.n), where="drawn")
        return Outcome(answer=json.dumps([got.text for got in samples]))


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def llama() -> Iterator[str]:
    with llama_http(BUILTIN) as address:
        yield address


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with standing(request.param, lambda: request.getfixturevalue("llama")) as it:
        yield it


everywhere = pytest.mark.parametrize("place", ALL, indirect=True)


def drawn(model: Provider, journal: Journal, *, n: int = 4, **how: Any) -> tuple[list[str], Outcome]:
    """The texts, and the outcome of the run."""

    async def main() -> Outcome:
        try:
            return await pk.arun(Drawn(n=n), "4 5 6 10", pack="game24", model=model, journal=journal, **how)
        finally:
            await model.aclose()

    outcome = asyncio.run(main())
    return json.loads(outcome.answer or "[]"), outcome


@everywhere
def test_draws_are_independent_and_bought_once(place: Place, journal_file: Journal) -> None:
    texts, first = drawn(place.open(), journal_file)
    assert len(texts) == 4
    assert len(set(texts)) > 1
    spent = journal_file.spent(first.run)
    together = place.open().capabilities.batch  # all of an aligned batch, in one call
    assert (spent.calls, spent.samples, spent.unsettled) == (4 // together, 4, 0)
    assert (spent.input_tokens, spent.output_tokens) == (first.usage.input_tokens, first.usage.output_tokens)
    if place.name in WIRE:
        assert len(place.bodies()) == spent.calls
        assert len({json.dumps(turns(body)) for body in place.bodies()}) == 1

    again, second = drawn(place.open(), journal_file)
    assert again == texts
    assert journal_file.spent(second.run).calls == 0
    assert second.usage.cached_calls == second.usage.calls == first.usage.calls
    if place.name in WIRE:
        assert len(place.bodies()) == spent.calls  # the server was asked nothing more


@everywhere
def test_more_draws_pay_for_what_is_new(place: Place, journal_file: Journal) -> None:
    two, _ = drawn(place.open(), journal_file, n=2)
    six, outcome = drawn(place.open(), journal_file, n=6)
    assert six[:2] == two
    assert journal_file.spent(outcome.run).calls == (1 if place.open().capabilities.batch > 1 else 4)
    assert len(set(six)) > 2


@everywhere
def test_another_seed_draws_others(place: Place, journal_file: Journal) -> None:
    texts, _ = drawn(place.open(), journal_file)
    others, outcome = drawn(place.open(), journal_file, seed=1)
    assert journal_file.spent(outcome.run).calls > 0
    assert others != texts or place.name == "scripted"


@pytest.mark.parametrize("place", NATIVE, indirect=True)
@pytest.mark.parametrize("native_first", [True, False])
def test_native_n_and_fan_out_share_what_was_bought(place: Place, native_first: bool, journal_file: Journal) -> None:
    together, apart = place.open(native_n=4), place.open()
    one, other = (together, apart) if native_first else (apart, together)
    texts, first = drawn(one, journal_file)
    assert len(set(texts)) > 1
    spent = journal_file.spent(first.run)
    assert (spent.calls, spent.samples) == ((1, 4) if native_first else (4, 4))
    assert [body.get("n", 1) for body in place.bodies()] == ([4] if native_first else [1, 1, 1, 1])
    again, second = drawn(other, journal_file)
    assert again == texts
    assert journal_file.spent(second.run).calls == 0


@pytest.mark.parametrize("place", [*NATIVE, "groq"], indirect=True)
def test_a_draw_has_a_seed_of_its_own(place: Place, journal_file: Journal) -> None:
    drawn(place.open(), journal_file)
    seeds = sorted(body["seed"] for body in place.bodies())
    assert [seed - seeds[0] for seed in seeds] == [0, 1, 2, 3]  # as a native n counts them


@everywhere
def test_a_replay_asks_nothing(place: Place, journal_file: Journal) -> None:
    async def main() -> Outcome:
        async with place.opened() as model:
            return await pk.arun("sc", "4 5 6 10", pack="game24", n=3, model=model, journal=journal_file)

    outcome = asyncio.run(main())
    before = len(place.bodies())
    again = pk.replay(outcome.run, journal=journal_file)
    assert (again.answer, again.status, again.usage.samples) == (outcome.answer, outcome.status, outcome.usage.samples)
    assert again.usage.samples > 0
    assert len(place.bodies()) == before
