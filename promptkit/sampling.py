"""The verbs strategies are written in, and the only place that fans out.

Results are handed over in index order, never in order of arrival. When a cap is reached nothing more is sent,
what is in flight is awaited and handed over, and only then does the cut end the strategy.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from promptkit import registry
from promptkit.around import Around
from promptkit.errors import ContextOverflow, Cut, OutputInvalid, PromptkitError, QuorumLost, Transient
from promptkit.events import current_span, span
from promptkit.types import Completion, Model, Outcome, Problem, Request, Strategy

NESTED = "~"  # marks the span of a strategy inside another: its Best is not the run's
LOSING = (Transient, QuorumLost, OutputInvalid, ContextOverflow)  # of a strategy inside: loses its answer, not the run


@dataclass(frozen=True, slots=True)
class Sample:
    """One draw of one request: a completion, or the error that was left after all retries."""

    index: int
    request: Request
    completion: Completion | None = None
    error: PromptkitError | None = None

    @property
    def text(self) -> str | None:
        """What the model said; None when it failed."""
        return self.completion.text if self.completion else None


Each = Callable[[Sample], None]
T = TypeVar("T")


async def ask(model: Model, request: Request, *, where: str) -> Completion:
    """One completion; its errors are raised."""
    with span(where):
        return await model.complete(request)


async def sample(
    model: Model, request: Request, draws: range, *, where: str, each: Each | None = None, quorum: float | None = 0.0
) -> list[Sample]:
    """Independent draws of one request. `quorum` is the part that must succeed, or QuorumLost is raised.

    Whoever draws in several rounds gives None, and calls hold() on all of them.
    """
    requests = [request.at(index) for index in draws]
    return await ask_all(model, requests, where=where, each=each, quorum=quorum, first=draws.start)


async def ask_all(
    model: Model,
    requests: Sequence[Request],
    *,
    where: str,
    each: Each | None = None,
    quorum: float | None = 0.0,
    first: int = 0,
    losing: type[PromptkitError] = Transient,
) -> list[Sample]:
    """All requests in one round, results in order; `each` sees every sample as soon as all before it are in.

    An error of the kind `losing` loses its sample only; any other ends the round.
    """
    home = current_span()
    with span(where):
        tasks = [
            asyncio.create_task(_draw(model, request, index, losing), name=f"{home}/{where}/{index}")
            for index, request in enumerate(requests, start=first)
        ]
        samples = await _in_order(tasks, each)
    if quorum is not None:
        hold(samples, quorum)
    return samples


async def _in_order(tasks: Sequence[asyncio.Task[T]], each: Callable[[T], None] | None) -> list[T]:
    """The results in index order. A cut waits for the tasks in flight; any other error stops them."""
    results: list[T] = []
    cut: Cut | None = None
    waiting = iter(tasks)
    try:
        for task in waiting:
            try:
                result = await task
            except Cut as error:
                cut = cut or error
                continue
            results.append(result)
            if each:
                each(result)
    except BaseException as stop:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if isinstance(stop, asyncio.CancelledError) and each:  # out of time: what did come back counts
            for task in waiting:
                if not task.cancelled() and not task.exception():
                    each(task.result())
        raise
    if cut:
        raise cut
    return results


async def _draw(model: Model, request: Request, index: int, losing: type[PromptkitError]) -> Sample:
    with span(str(index)):
        try:
            return Sample(index, request, await model.complete(request))
        except losing as error:
            return Sample(index, request, error=error)


def hold(samples: Sequence[Sample], quorum: float) -> None:
    """Raise when they all failed, or so many that the quorum is lost."""
    failed = [got.error for got in samples if got.error]
    if failed and len(failed) == len(samples):
        raise failed[0]
    if len(samples) - len(failed) < quorum * len(samples):
        raise QuorumLost(
            f"{len(failed)} of {len(samples)} samples failed: {failed[0]}",
            hint="run the command again: samples that came back are kept and cost nothing",
        )


def fork(model: Model, index: int) -> Model:
    """The model with its own draws: equal requests to two forks are independent samples."""
    return _Fork(model, index)


@dataclass(frozen=True, slots=True)
class _Fork(Around):
    inner: Model
    branch: int

    async def complete(self, request: Request, /) -> Completion:
        return await self.inner.complete(replace(request, draw=(self.branch, *request.draw)))


async def solve_each(
    strategy: Strategy,
    problem: Problem,
    models: Iterable[Model],
    *,
    where: str,
    each: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """The outcomes of a strategy inside another, once on each model (give each a fork), in order."""
    return await solve_all([(strategy, problem, model) for model in models], where=where, each=each)


async def solve_all(
    tasks: Iterable[tuple[Strategy, Problem, Model]],
    *,
    where: str,
    each: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """The outcomes of several strategies inside another, in one round (give each model a fork), in order."""

    async def one(index: int, strategy: Strategy, problem: Problem, model: Model) -> Outcome:
        with span(f"{NESTED}{index}", called(strategy)):
            return await strategy.solve(problem, model)

    with span(where):
        return await _in_order([asyncio.create_task(one(i, *task)) for i, task in enumerate(tasks)], each)


@dataclass(frozen=True, slots=True)
class Losing:
    """The strategy, whose failure loses its own outcome and nothing else: `loss()` of it is the error."""

    held: Strategy

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """Its outcome; one of status "error" for an error that must not end the run."""
        try:
            return await self.held.solve(problem, model)
        except LOSING as error:
            return Outcome(answer=None, status="error", value=error, detail={"error": str(error)})


def loss(outcome: Outcome) -> PromptkitError | None:
    """What lost the outcome of a strategy that was `Losing`; None where it has one."""
    return outcome.value if isinstance(outcome.value, PromptkitError) else None


def called(strategy: Strategy) -> str:
    """Its name, or that of the one it holds; "" for what is no strategy to anybody but us."""
    held = getattr(strategy, "held", strategy)
    name = registry.name_of("strategy", held)
    return "" if name.startswith("_") else name


async def solve_one(strategy: Strategy, problem: Problem, model: Model, *, where: str) -> Outcome:
    """The outcome of a strategy inside another. Its Best is not the run's: whoever takes its answer emits it again."""
    return (await solve_each(strategy, problem, [model], where=where))[0]


def rng(problem: Problem, name: str) -> random.Random:
    """A generator that depends on the run seed and the span alone, so a rerun makes the same choices."""
    place = f"{problem.seed}|{current_span()}|{name}"
    return random.Random(int.from_bytes(hashlib.sha256(place.encode()).digest()[:8], "big"))
