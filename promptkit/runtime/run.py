"""A strategy as a recorded, budgeted, resumable run."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import secrets
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from promptkit.errors import Cut, PromptkitError, TimeUp
from promptkit.events import (
    Best,
    BudgetHit,
    Delta,
    Record,
    RunEnded,
    RunStarted,
    Sink,
    Stopped,
    Warned,
    emit,
    span,
    watch,
)
from promptkit.journal import Journal, NewRun, Spent
from promptkit.runtime.budgeted import Budget, Limits
from promptkit.runtime.ledger import Nominal
from promptkit.runtime.observed import Observed
from promptkit.runtime.open import stack
from promptkit.types import Outcome, Problem, Provider, Status, Strategy, plain

Mode = Literal["new", "resume", "replay"]

REAL_MODELS = """a real model answers any question; get one of these, then name it with -m:
  ollama pull qwen3:8b             then  -m ollama:qwen3:8b
  export GROQ_API_KEY=…            then  -m groq:llama-3.3-70b-versatile   (or OPENAI_API_KEY and openai:gpt-4.1-mini)
  any GGUF file you have           then  -m llamacpp:path/to/model.gguf"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a run is made; nothing here changes what a model would answer, except the seed."""

    seed: int = 0
    limits: Limits = field(default_factory=Limits)
    concurrency: int = 8
    fresh: int = 0  # above 0: draws that no earlier run has used


def new_run_id() -> str:
    """A short id nobody has yet, e.g. r7f3ac1."""
    return "r" + secrets.token_hex(3)


async def execute(
    name: str,
    strategy: Strategy,
    problem: Problem,
    provider: Provider,
    journal: Journal,
    options: RunOptions,
    *,
    run: str,
    mode: Mode = "new",
    sinks: Sequence[Sink] = (),
    more: dict[str, Any] | None = None,
) -> Outcome:
    """The outcome of the strategy, its every step in the journal under `run`.

    A cap ends it with the best answer so far (status "budget"); an error is recorded and raised. `more` is
    remembered with the run.
    """
    replaying = mode == "replay"
    problem = replace(problem, seed=options.seed)
    if mode == "new":
        await asyncio.to_thread(getattr, provider, "identity")  # the first look may read gigabytes of weights
        await leased(journal, run, journal.start_run(_row(run, name, strategy, problem, provider, options, more or {})))
    nothing = Spent()
    budget = Budget(Limits() if replaying else options.limits, journal.spent(run) if mode == "resume" else nothing)
    nominal = Nominal()
    model = stack(
        provider,
        journal,
        run,
        budget,
        nominal,
        concurrency=options.concurrency,
        fresh=options.fresh,
        replay=replaying,
    )
    best = _BestSoFar()
    kept = [] if replaying else [_keeper(journal, run)]
    started = time.monotonic()

    def close(outcome: Outcome) -> Outcome:
        usage = nominal.usage()
        outcome = replace(
            outcome,
            usage=usage,
            cost_usd=None if budget.unpriced else round(budget.cost, 6),
            seconds=round(time.monotonic() - started, 3),
            run=run,
            strategy=name,
            model=provider.id,
        )
        emit(RunEnded(outcome.answer, outcome.status, usage, outcome.cost_usd, outcome.seconds))
        return outcome

    async def end(outcome: Outcome) -> Outcome:
        outcome = close(outcome)
        if not replaying:
            await journal.end_run(run, outcome.status, plain(outcome))
        return outcome

    clock = asyncio.timeout(options.limits.timeout if not replaying else None)
    with watch(*sinks, best, *kept, meter=budget.usage), span(name):
        emit(RunStarted(run, name, provider.id, problem.text, problem.pack, plain(strategy)))
        try:
            if declined := decline(problem, provider):
                return await end(declined)
            async with clock:
                outcome = await strategy.solve(problem, Observed(model, options.seed))
            return await end(outcome)
        except Cut as cut:
            return await end(best.outcome("budget", cut))
        except asyncio.CancelledError:
            await model.aclose()
            await asyncio.shield(end(best.outcome("cancelled", None)))
            raise
        except BaseException as error:
            await model.aclose()
            if isinstance(error, TimeoutError) and clock.expired():  # any other is a bug's
                limit = options.limits.timeout or 0.0
                emit(BudgetHit("seconds", round(time.monotonic() - started, 3), limit))
                kept_hint = "raise --timeout and resume the run: what was paid for is kept"
                return await end(best.outcome("budget", TimeUp(f"time is up: {limit:g} s", hint=kept_hint)))
            reason = f"{type(error).__name__}: {error}"
            emit(Stopped(reason))
            await asyncio.shield(end(Outcome(answer=None, status="error", detail={"error": reason})))
            raise


async def leased(journal: Journal, run: str, taking: Coroutine[Any, Any, object]) -> None:
    """Take a run's lease; a cancellation in that very moment gives it back."""
    task = asyncio.ensure_future(taking)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        with suppress(PromptkitError):  # refused: the lease is somebody else's
            await task
            await journal.end_run(run, "cancelled", plain(Outcome(answer=None, status="cancelled", run=run)))
        raise


def decline(problem: Problem, provider: Provider) -> Outcome | None:
    """An undecided outcome when the model was not made for such questions; nothing is asked of it."""
    packs = provider.capabilities.packs
    if packs is None or problem.pack in packs:
        return None
    known = ", ".join(f"-P {pack}" for pack in packs)
    reason = f"{provider.id} is a tiny model that only knows {known}; it would answer this with noise"
    emit(Warned(reason, REAL_MODELS))
    return Outcome(answer=None, status="undecided", detail={"reason": reason})


class _BestSoFar:
    """The sink that keeps what the run would answer if it ended now."""

    def __init__(self) -> None:
        self.best: Best | None = None

    def __call__(self, record: Record) -> None:
        # A strategy inside another reports its own best under a span marked "~".
        if isinstance(record.event, Best) and "~" not in record.span:
            self.best = record.event

    def outcome(self, status: Status, cut: Cut | None) -> Outcome:
        """The best answer so far; None when there was none yet."""
        detail: dict[str, Any] = {"cut": cut.message, "hint": cut.hint} if cut else {}
        if self.best is None:
            return Outcome(answer=None, status=status, detail=detail)
        detail["verified"] = self.best.verified or None
        return Outcome(
            answer=self.best.answer, text=self.best.text, status=status, confidence=self.best.score, detail=detail
        )


def _keeper(journal: Journal, run: str) -> Sink:
    def keep(record: Record) -> None:
        if not isinstance(record.event, Delta):
            journal.append(run, record.to_json())

    return keep


def _row(
    run: str,
    name: str,
    strategy: Strategy,
    problem: Problem,
    provider: Provider,
    options: RunOptions,
    more: dict[str, Any],
) -> NewRun:
    return NewRun(
        id=run,
        strategy=name,
        params=plain(strategy),
        model=provider.id,
        question=problem.text,
        pack=problem.pack,
        seed=options.seed,
        options={
            **more,
            "problem": plain(problem),
            "limits": plain(options.limits),
            "concurrency": options.concurrency,
            "fresh": options.fresh,
            "identity": provider.identity,
            "capabilities": plain(provider.capabilities),
        },
        source=source_hash(strategy),
        started=time.time(),
    )


def source_hash(strategy: Strategy) -> str:
    """sha256 of the file the strategy is written in; "" where there is none (a notebook cell)."""
    try:
        return hashlib.sha256(Path(inspect.getfile(type(strategy))).read_bytes()).hexdigest()
    except (OSError, TypeError):
        return ""
