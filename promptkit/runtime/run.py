"""A strategy as a recorded, budgeted, resumable run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from promptkit import composition, outputs
from promptkit.errors import BadInput, Cut, Paused, PromptkitError, TimeUp, UsageError
from promptkit.events import (
    Best,
    BudgetHit,
    Delta,
    PromptUsed,
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
from promptkit.journal import Journal, Spent
from promptkit.redaction import redacted
from promptkit.runtime.budgeted import Budget, Limits, charged, refuse_unpriced
from promptkit.runtime.dialogue import Dialogue, conversing
from promptkit.runtime.domain import Foreign, decline
from promptkit.runtime.embedding import Embedding
from promptkit.runtime.executed import Executions, executing
from promptkit.runtime.ledger import Nominal
from promptkit.runtime.observed import Observed
from promptkit.runtime.open import Remembered, stack, stacks
from promptkit.runtime.plan import Plan
from promptkit.runtime.thinking_room import Roomy
from promptkit.runtime.tidying import tidy
from promptkit.runtime.unhurried import cancelled_once
from promptkit.types import Outcome, Problem, Provider, Status, plain

_ANSWERS = """in a terminal it asks you; elsewhere: --answers FILE, a YAML list of what you answer
from Python: answers=input, a function, a list, a mapping or a file"""


async def execute(plan: Plan, sinks: Sequence[Sink] = ()) -> Outcome:
    """The outcome of a plan, its every step in the journal under its run id.

    A cap ends it with the best answer so far (status "budget"); an error is recorded and raised, with `run` set.
    However often it is cancelled, it ends in peace, as "cancelled" with the best answer so far.
    """
    return await cancelled_once(_execute(plan, sinks))


async def _execute(plan: Plan, sinks: Sequence[Sink]) -> Outcome:
    journal, run = plan.journal, plan.run
    if plan.mode == "new" and plan.asks and plan.answers is None:
        raise BadInput(f"{plan.name} asks you questions, and nobody is there to answer", hint=_ANSWERS)
    if plan.mode != "replay":
        refuse_unpriced(plan.options.limits, plan.provider)  # before the run is recorded or leased
        await asyncio.to_thread(getattr, plan.provider, "identity")  # the first look may read gigabytes of weights
        await leased(journal, run, _take_up(plan))
    try:
        one = _Run(plan)
        outcome = await one.execute(sinks)
        if one.declined and plan.mode == "new":
            await journal.remove(run)  # nothing was asked: there is nothing to show, and a resume would be declined too
            outcome = replace(outcome, run="")
        return outcome
    except PromptkitError as error:
        if isinstance(error, UsageError) and plan.mode == "new" and journal.spent(run) == Spent():
            await journal.remove(run)  # bad input: there is nothing to show and nothing to resume
        else:
            error.run = run
        raise


async def _take_up(plan: Plan) -> None:
    if plan.mode == "new":
        await plan.journal.start_run(plan.row(), plan.attached())
    else:
        await plan.journal.resume_run(plan.run, anew=plan.mode == "resume")  # refused while another process runs it
        await plan.journal.clear_failures(plan.run)


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


class _Run:
    """One execution of a plan."""

    def __init__(self, plan: Plan) -> None:
        options, replaying = plan.options, plan.mode == "replay"
        spent = plan.journal.spent(plan.run) if plan.mode in ("resume", "extend") else Spent()
        spent = charged(spent, plan.provider.capabilities)
        self._plan = plan
        self._limits = Limits() if replaying else options.limits
        self._budget = Budget(self._limits, spent)
        self._nominal = Nominal()
        for key, _, cached in plan.journal.calls(plan.run) if plan.mode == "extend" else ():
            if stored := plan.journal.get(key):
                self._nominal.used(key, stored, cached=cached)
        self.declined = False  # nothing was asked: the model was not made for the question
        self._best = _BestSoFar()
        self._keep = () if replaying else (_Keeper(plan.journal, plan.run),)
        model = stacks(
            plan.provider,
            plan.problem.pack,
            plan.journal,
            plan.run,
            self._budget,
            self._nominal,
            concurrency=options.concurrency,
            attempts=options.attempts,
            deadline=options.deadline,
            fresh=options.fresh,
            replay=replaying,
        )
        self._model = Embedding(model, self._embedder)
        self._dialogue = Dialogue(plan.journal, plan.run, plan.answers, replay=replaying)
        self._executions = Executions(plan.journal, plan.run, replay=replaying, fresh=options.fresh)
        self._started = time.monotonic()

    async def _embedder(self, name: str) -> Roomy:
        """The stack of an embedding model beside the run's own, under the same caps; a replay has what it was."""
        from promptkit.providers.embedders import open_embedder
        from promptkit.providers.remote.embedding import EMBEDS

        plan, options = self._plan, self._plan.options
        if plan.mode == "replay":
            known = plan.journal.run(plan.run).options.get("embedders") or {}
            embedder: Provider = Remembered(name, known.get(name, ""), EMBEDS)
        else:
            embedder = open_embedder(name)
            identity = await asyncio.to_thread(getattr, embedder, "identity")
            await plan.journal.note_embedder(plan.run, name, identity)
        return stack(
            embedder,
            plan.journal,
            plan.run,
            self._budget,
            self._nominal,
            concurrency=options.concurrency,
            attempts=options.attempts,
            deadline=options.deadline,
            replay=plan.mode == "replay",
        )

    async def execute(self, sinks: Sequence[Sink]) -> Outcome:
        """The outcome, recorded; whatever ends the run, what was paid for is in the journal by then."""
        plan = self._plan
        watched = watch(*plan.sinks, *sinks, self._best, *self._keep, Foreign(plan.provider), meter=self._budget.usage)
        with watched, executing(self._executions), conversing(self._dialogue), span(plan.name):
            emit(
                RunStarted(
                    plan.run,
                    plan.name,
                    plan.provider.id,
                    plan.problem.text,
                    plan.problem.pack,
                    composition.remembered(plan.strategy),
                )
            )
            for each in plan.told:
                emit(each)
            if plan.answers is not None and not plan.asks:
                emit(Warned(f"{plan.name} asks nothing: the answers are not used"))
            if held := self._budget.told():
                emit(Warned(held, "raise the cap if there is no room for the rest"))
            try:
                return await self._end(await self._solve())
            except Cut as cut:
                if isinstance(cut, Paused):  # every other cap has an event of its own
                    emit(Stopped(cut.message))
                return await self._end(self._best.outcome(plan.cut_as, cut))
            except asyncio.CancelledError:
                await self._model.aclose()
                await asyncio.shield(self._end(self._best.outcome("cancelled")))
                raise
            except BaseException as error:
                await self._model.aclose()
                reason = redacted(f"{type(error).__name__}: {error}")
                emit(Stopped(reason))
                await asyncio.shield(self._end(Outcome(answer=None, status="error", detail={"error": reason})))
                raise

    async def _solve(self) -> Outcome:
        plan = self._plan
        problem = replace(plan.problem, seed=plan.options.seed)
        bare = getattr(plan.strategy, "bare", False)  # it asks nothing that a model could be too small for
        if not bare and (declined := decline(problem, plan.provider)):
            self.declined = True
            return declined
        clock = asyncio.timeout(self._limits.timeout)
        try:
            async with clock:
                self._dialogue.clock = clock
                outcome = await plan.strategy.solve(problem, Observed(self._model, plan.options.seed))
                return _valued(outcome, problem)
        except TimeoutError:
            if not clock.expired():  # a bug's, not ours
                raise
        await self._model.aclose()
        limit = self._limits.timeout or 0.0
        emit(BudgetHit("seconds", self._seconds(), limit))
        raise TimeUp(f"time is up: {limit:g} s", hint="raise --timeout and resume the run: what was paid for is kept")

    async def _end(self, outcome: Outcome) -> Outcome:
        plan, budget = self._plan, self._budget
        outcome = replace(
            outcome,
            usage=self._nominal.usage(),
            cost_usd=None if budget.unpriced else round(budget.cost, 6),
            seconds=self._seconds(),
            run=plan.run,
            strategy=plan.name,
            model=plan.provider.id,
        )
        emit(RunEnded(outcome.answer, outcome.status, outcome.usage, outcome.cost_usd, outcome.seconds))
        if plan.mode != "replay":
            await plan.journal.end_run(plan.run, outcome.status, plain(outcome))
            tidy(plan.journal)
        return outcome

    def _seconds(self) -> float:
        return round(time.monotonic() - self._started, 3)


def _valued(outcome: Outcome, problem: Problem) -> Outcome:
    """With its answer as canonical JSON and its value, when an output was asked for; OutputInvalid if it has none."""
    if problem.output_schema is None or outcome.answer is None:
        return outcome
    answer, value = outputs.settle(outcome.answer, problem.output_schema)
    return replace(outcome, answer=answer, value=value)


class _BestSoFar:
    """The sink that keeps what the run would answer if it ended now."""

    deltas = False

    def __init__(self) -> None:
        self.best: Best | None = None

    def __call__(self, record: Record) -> None:
        # A strategy inside another reports its own best under a span marked "~".
        if isinstance(record.event, Best) and "~" not in record.span:
            self.best = record.event if record.event.answer is not None else None

    def outcome(self, status: Status, cut: Cut | None = None) -> Outcome:
        """The best answer so far; None when there was none yet."""
        detail: dict[str, Any] = {"cut": cut.message, "hint": cut.hint} if cut else {}
        if isinstance(cut, Paused):
            detail["not_before"] = cut.not_before
        if self.best is None:
            return Outcome(answer=None, status=status, detail=detail)
        detail["verified"] = self.best.verified or None
        return Outcome(
            answer=self.best.answer, text=self.best.text, status=status, confidence=self.best.score, detail=detail
        )


class _Keeper:
    """The sink that writes a run's events into the journal; text as it is written is not kept."""

    deltas = False

    def __init__(self, journal: Journal, run: str) -> None:
        self._journal, self._run = journal, run

    def __call__(self, record: Record) -> None:
        if isinstance(record.event, PromptUsed):
            self._journal.pin(self._run, record.event)
        elif not isinstance(record.event, Delta):
            self._journal.append(self._run, record.to_json())
