"""A ladder of strategies on one task: each beside the vote that writes as many tokens.

A vote over chains is what more tokens buy without any idea; a strategy is worth its name where it beats that one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from promptkit.algorithms.stats.paired import paired_difference
from promptkit.bench.equal import Fitted
from promptkit.bench.measured import Measured, apart, measured
from promptkit.bench.section import Bench, Cell, Chart, Point, Table
from promptkit.bench.shares import RIGHT, bounds, share
from promptkit.bench.task import Task
from promptkit.render.amounts import many
from promptkit.runtime.open import open_provider

CURVE = (1, 2, 5, 10, 20, 40)  # chains of the votes that are always measured
COLUMNS = ("strategy", *RIGHT, "calls", "tokens out", "vote of", "vote right %", "ahead of the vote, points")
_ALIKE = 0.05  # a vote whose size differs by no more stands for another


@dataclass(frozen=True, slots=True)
class Rung:
    """A strategy as it is measured; with `size`, that parameter is chosen so that it writes the budget's tokens."""

    label: str
    strategy: str
    how: Mapping[str, Any] = field(default_factory=dict)
    size: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A rung that was measured, and the vote of equal tokens; None where the rung is a vote itself."""

    measured: Measured
    n: int
    vote: Measured | None


@dataclass(frozen=True, slots=True)
class Ladder:
    """All steps in their order, and votes over n chains."""

    steps: tuple[Step, ...]
    curve: Mapping[int, Measured]
    budget: float  # output tokens a validation question, of the rung that sets it

    def table(self, title: str) -> Table:
        """A row a strategy."""
        return Table(title, COLUMNS, tuple(_row(step) for step in self.steps))

    def votes(self, title: str) -> Table:
        """A row a number of chains."""
        rows = tuple((n, *share(vote.right), vote.tokens) for n, vote in sorted(self.curve.items()))
        return Table(title, ("chains", *RIGHT, "tokens out"), rows)

    def chart(self, title: str) -> Chart:
        """Right answers against tokens: strategies as points, votes as the line that they should be above."""
        return Chart(
            title,
            "output tokens a question",
            "right",
            points=tuple(_point(step.measured) for step in self.steps if step.vote),
            line=tuple(_point(vote) for _, vote in sorted(self.curve.items())),
            line_label="self-consistency, n chains",
        )

    def ahead(self, one: str, other: str) -> str:
        """A sentence on two rungs, by their labels."""
        found = {step.measured.label: step.measured for step in self.steps}
        return apart(found[one], found[other])

    def saved(self, one: str, other: str) -> str:
        """A sentence: how many of the other's tokens the one saves, and what becomes of the answers."""
        found = {step.measured.label: step.measured for step in self.steps}
        part = 1 - found[one].tokens / found[other].tokens
        return f"{one} writes {part:.0%} fewer tokens than {other}. {apart(found[one], found[other])}"


async def climb(bench: Bench, task: Task, rungs: Sequence[Rung], budget: Rung, title: str) -> Ladder:
    """Every rung measured, those with a `size` at the budget's tokens, each with its vote; votes have one seed."""
    bench = _one_by_one(bench)
    fitted = Fitted(bench, task)
    bench.say(f"{task.section}: sizes, on {many(len(task.fitting), 'validation question')}")
    allowed = await fitted.tokens(budget.strategy, budget.how)
    steps: list[Step] = []
    curve: dict[int, Measured] = {}

    async def vote(n: int) -> Measured:
        if n not in curve:
            curve[n] = await measured(bench, task, f"sc n={n}", "sc", bench.seeds[:1], n=n)
        return curve[n]

    for rung in rungs:
        label, how = rung.label, dict(rung.how)
        if rung.size:
            how[rung.size] = await fitted.size(rung.strategy, how, rung.size, allowed)
            label += f" {rung.size}={how[rung.size]}"
        found = await measured(bench, task, label, rung.strategy, bench.seeds, **how)
        n = await fitted.size("sc", {}, "n", found.tokens)
        n = next((known for known in curve if abs(known - n) <= _ALIKE * n), n)
        steps.append(Step(found, n, None if rung.strategy == "sc" else await vote(n)))
        # The table that `title` will stand over, as far as it has come.
        bench.partly(Ladder(tuple(steps), curve, allowed).table(title), len(rungs))
    for n in CURVE:
        await vote(n)
    return Ladder(tuple(steps), curve, allowed)


def _one_by_one(bench: Bench) -> Bench:
    """With a model that generates each draw by itself: in batches, tokens of draws that nobody wanted count as well."""
    if bench.model.capabilities.batch == 1:
        return bench
    return replace(bench, model=open_provider(bench.model.id, {"batch": 1}))


def _row(step: Step) -> tuple[Cell, ...]:
    found, vote = step.measured, step.vote
    beside: tuple[Cell, ...] = (None, None, None)
    if vote:
        beside = (step.n, share(vote.right)[0], bounds(paired_difference(found.right, vote.right)))
    return found.label, *share(found.right), found.calls, found.tokens, *beside


def _point(found: Measured) -> Point:
    right, low, high = share(found.right)
    return Point(found.label, found.tokens, right or 0.0, low, high)
