"""The verbs strategies are written in, and the only place that fans out.

Results are handed over in index order, never in order of arrival. When a cap is reached nothing more is sent,
what is in flight is awaited and handed over, and only then does the cut end the strategy. A round is begun in blocks:
what it takes before a call does not grow with its size, and a cap that is reached in one block ends it there.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, TypeVar

from promptkit import registry
from promptkit.around import Around
from promptkit.errors import ContextOverflow, Cut, OutputInvalid, PromptkitError, QuorumLost, Transient
from promptkit.events import current_span, span
from promptkit.lazy import Lazy
from promptkit.types import Completion, Model, Outcome, Problem, Request, Strategy

NESTED = "~"  # marks the span of a strategy inside another: its Best is not the run's
# Begun at once, by position and never by what has arrived, so that the same draws travel in one call on every rerun:
# eight calls of 128 samples, the most that an API draws in one call, and whole batches of any usual width.
BLOCK = 1024
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
    requests = Lazy(draws, request.at)
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

    An error of the kind `losing` loses its sample only; any other ends the round. Where there may be very many, give
    them Lazy: a request is read when its turn has come.
    """
    home = current_span()
    with span(where):
        asked = enumerate(requests, start=first)
        draws = ((f"{home}/{where}/{index}", _draw(model, request, index, losing)) for index, request in asked)
        samples = await _in_order(draws, len(requests), each, BLOCK if NESTED not in home else BLOCK // 8)
    if quorum is not None:
        hold(samples, quorum)
    return samples


async def _in_order(
    work: Iterable[tuple[str | None, Coroutine[Any, Any, T]]], total: int, each: Callable[[T], None] | None, wide: int
) -> list[T]:
    """The results of all work, named for its tasks, in index order. A cut waits for what is begun, and begins no more.

    Any other error stops what is begun.
    """
    results: list[T] = []
    cut: Cut | None = None
    begun = 0
    coming = (asyncio.create_task(one, name=name) for name, one in work)
    tasks: deque[asyncio.Task[T]] = deque()
    try:
        while True:
            if cut is None and len(tasks) <= wide // 2 and begun < total:
                tasks.extend(islice(coming, wide))
                begun = min(begun + wide, total)
            if not tasks:
                break
            try:
                result = await tasks[0]
            except Cut as error:
                cut = cut or error
                continue
            finally:
                tasks.popleft()
            results.append(result)
            if each:
                each(result)
    except BaseException as stop:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if isinstance(stop, asyncio.CancelledError) and each:  # out of time: what did come back counts
            for task in tasks:
                if not task.cancelled() and not task.exception():
                    each(task.result())
        raise
    if cut:
        cut.begun *= begun / total
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
    tasks: Sequence[tuple[Strategy, Problem, Model]],
    *,
    where: str,
    each: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """The outcomes of several strategies inside another, in one round (give each model a fork), in order."""

    async def one(index: int, strategy: Strategy, problem: Problem, model: Model) -> Outcome:
        with span(f"{NESTED}{index}", called(strategy)):
            return await strategy.solve(problem, model)

    wide = BLOCK // 8 if NESTED not in current_span() else BLOCK // 64  # each of them begins rounds of its own
    with span(where):
        return await _in_order(((None, one(i, *task)) for i, task in enumerate(tasks)), len(tasks), each, wide)


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
