"""What a strategy says of itself, and how it is made as small as a budget asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from promptkit import api, events, registry
from promptkit.announced import ONE, UNKNOWN, About, Forecast, changed, exactly, forecast, within
from promptkit.errors import BadInput
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.sampling import sample
from promptkit.strategies.layers.persona import Persona
from promptkit.strategies.prompting.cot import ChainOfThought
from promptkit.strategies.search.tot import TreeOfThoughts
from promptkit.types import Model, Outcome, Problem, Request, message

PROBLEM = Problem(text="How many?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """So many samples, and says so."""

    n: int = 40  # samples
    stubborn: bool = False  # claims to be smaller than it is

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """How many came back."""
        got = await sample(model, Request(messages=(message("user", "x"),)), range(self.n), where="samples")
        return Outcome(answer=str(len(got)))

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes."""
        return exactly(self.n)

    def within(self, problem: Problem, samples: int) -> Many:
        """So many samples only."""
        return self if self.stubborn else replace(self, n=samples)


@dataclass(frozen=True)
class Silent:
    """Announces nothing."""

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """Nothing."""
        return Outcome(answer=None)


def run(strategy: Any, journal: Journal, **how: Any) -> tuple[Outcome, list[str]]:
    seen: list[events.Record] = []
    model = Scripted(lambda request: "42", name="many")
    outcome = api.run(strategy, "How many?", model=model, journal=journal, sinks=[seen.append], **how)
    return outcome, [each.event.message for each in seen if isinstance(each.event, events.Warned)]


def test_forecasts_add_up() -> None:
    two = Forecast(1, 1.5, 3) + ONE
    assert two == Forecast(2, 2.5, 4)
    assert two.times(3) == Forecast(6, 7.5, 12)
    assert (ONE + UNKNOWN, UNKNOWN.times(2)) == (Forecast(2, None, None), Forecast(2, None, None))


def test_a_strategy_that_announces_nothing_takes_at_least_one_sample() -> None:
    assert forecast(Silent(), PROBLEM) == UNKNOWN
    assert within(Silent(), PROBLEM, 1000) is None


def test_a_strategy_is_made_smaller_where_it_must_be() -> None:
    assert within(Many(n=5), PROBLEM, 5) == Many(n=5)
    assert within(Many(n=5), PROBLEM, 4) == Many(n=4)
    assert within(Many(n=5), PROBLEM, 0) is None
    assert within(Many(n=5, stubborn=True), PROBLEM, 4) is None  # what it says does not hold
    assert within(ChainOfThought(), PROBLEM, 1) == ChainOfThought()
    assert within(ChainOfThought(), PROBLEM, 0) is None


def test_a_layer_is_as_large_as_what_is_inside() -> None:
    layer = Persona(who="x", of=Many(n=9))
    assert forecast(layer, PROBLEM) == exactly(9)
    assert within(layer, PROBLEM, 3) == Persona(who="x", of=Many(n=3))
    assert changed(layer, Persona(who="x", of=Many(n=3))) == ["of.n 9 -> 3"]
    assert changed(layer, layer) == []
    assert changed(TreeOfThoughts(), TreeOfThoughts(nodes=3)) == ["nodes default -> 3"]


def test_fit_makes_the_run_as_small_as_its_cap_and_says_so(journal: Journal) -> None:
    outcome, told = run(Many(n=40), journal, max_calls=20, fit=True)
    assert (outcome.answer, outcome.status) == ("20", "done")
    assert told == ["n 40 -> 20: what --max-calls 20 lets through"]
    assert journal.run(outcome.run).params["n"] == 20


def test_without_fit_nothing_changes(journal: Journal) -> None:
    outcome, _ = run(Many(n=40), journal, max_calls=20)
    assert outcome.status == "budget"
    assert journal.run(outcome.run).params["n"] == 40


def test_what_fits_is_left_as_it_is(journal: Journal) -> None:
    outcome, told = run(Many(n=20), journal, max_calls=20, fit=True)
    assert (outcome.answer, told) == ("20", [])


def test_what_cannot_be_made_smaller_is_told(journal: Journal) -> None:
    outcome, told = run(Many(n=4, stubborn=True), journal, max_calls=2, fit=True)
    assert outcome.status == "budget"
    assert told[0].startswith("it cannot be made small enough for --max-calls 2: it goes on until the cap; calls that ")


def test_fit_needs_a_cap() -> None:
    with pytest.raises(BadInput, match="--fit makes a strategy small enough for --max-calls"):
        api.plan("cot", "Why?", fit=True)


@pytest.mark.parametrize("name", registry.BUILT_IN["strategy"])
def test_every_strategy_says_what_it_is(name: str) -> None:
    about = getattr(registry.load("strategy", name), "about", None)
    assert isinstance(about, About), f"{name} has no class variable `about`"
    assert about.calls
    assert about.helps
    assert about.fails
