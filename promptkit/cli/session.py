"""A run as a person sees it: the display while it goes, the answer and the exit code when it ends."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from promptkit import api, sync
from promptkit.cli.asking import AtTerminal, possible
from promptkit.cli.dry_run import dry_run
from promptkit.cli.exits import OF_STATUS, Exit
from promptkit.cli.form import as_json, printable, shown
from promptkit.cli.speak import abandon, err, err_json, out, out_json
from promptkit.errors import PromptkitError
from promptkit.events import Record, RunEnded, Sink, Warned
from promptkit.runtime.plan import Plan
from promptkit.runtime.run import execute
from promptkit.types import Outcome, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """How a run is shown."""

    as_json: bool = False
    events: bool = False
    dry_run: bool = False
    plain: bool = False
    quiet: bool = False

    def run(self, strategy: str, question: str, how: Mapping[str, Any]) -> int:
        """The exit code of a new run."""
        if self.dry_run:
            return dry_run(api.plan(strategy, question, **{**how, "journal": "memory"}), self.as_json)
        return self.show(api.plan(strategy, question, **how))

    def resume(self, run: str, changes: Mapping[str, Any]) -> int:
        """The exit code of a run that goes on."""
        return self.show(api.plan_resume(run, **changes))

    def replay(self, run: str) -> int:
        """The exit code of a run shown again from the journal."""
        return self.show(api.plan_replay(run))

    def show(self, plan: Plan) -> int:
        """Run it on the display, print what it gave, and return its exit code."""
        last = _Last()
        sinks: list[Sink] = [last]
        try:
            with self._display(plan.name) as display:
                if self.events:
                    sinks.append(lambda record: err_json(record.to_json()))
                elif display is not None:
                    sinks.append(display)
                desk = _desk(plan)
                asked = replace(plan, answers=AtTerminal(desk, display)) if desk else plan
                outcome = sync.run(execute(asked, sinks), desk)
        except (KeyboardInterrupt, asyncio.CancelledError):
            if not _recorded(plan):
                err("interrupted; nothing was done")
                return Exit.INTERRUPTED
            outcome = last.outcome(plan)
        return self._close(plan, outcome, last)

    def _display(self, strategy: str) -> Any:
        if self.events:
            return nullcontext(None)
        if self.quiet:
            return nullcontext(Warnings())
        from rich.console import Console

        from promptkit.render.live import open_display

        return open_display(Console(stderr=True), strategy, plain=self.plain, quiet=self.quiet)

    def _close(self, plan: Plan, outcome: Outcome, last: _Last) -> int:
        if not self.quiet and not self.events:
            self._summarise(outcome, last)
        elif outcome.status in ("budget", "cancelled") and plan.mode != "replay":
            then = outcome.detail.get("not_before")
            err(f"resume it: promptkit resume {outcome.run}" + (f", not before {then}" if then else ""))
        if self.as_json:
            out_json(as_json(outcome))
        elif outcome.answer is not None:
            out(printable(shown(outcome)))
        return OF_STATUS[outcome.status]

    def _summarise(self, outcome: Outcome, last: _Last) -> None:
        from rich.console import Console

        from promptkit.render.summary import closing

        try:
            Console(stderr=True).print(closing(outcome, last.state))
        except OSError:  # nobody reads it any more; the answer is still wanted
            abandon(sys.stderr)


def _desk(plan: Plan) -> sync.Desk | None:
    """Where the run's questions are answered at the terminal; None where it asks none, or somebody else answers."""
    wanted = plan.asks and plan.answers is None and plan.mode != "replay"
    return sync.Desk() if wanted and possible() else None


def _recorded(plan: Plan) -> bool:
    """Whether there is a run to resume; there is none when it was stopped early enough."""
    try:
        return bool(plan.journal.run(plan.run))
    except PromptkitError:
        return False


class Warnings:
    """The quiet display: the library that draws is not loaded before there is something to say."""

    deltas = False

    def __call__(self, record: Record) -> None:
        if isinstance(record.event, Warned):
            from rich.console import Console

            from promptkit.render.plain import PlainDisplay

            PlainDisplay(Console(stderr=True), quiet=True)(record)


class _Last:
    """The sink that remembers how far a run came."""

    deltas = False

    def __init__(self) -> None:
        from promptkit.render.state import RunState

        self.state = RunState()
        self.spent = Usage()
        self.ended: RunEnded | None = None

    def __call__(self, record: Record) -> None:
        self.state.feed(record)
        self.spent = record.spent
        if isinstance(record.event, RunEnded):
            self.ended = record.event

    def outcome(self, plan: Plan) -> Outcome:
        """The outcome of a run that was interrupted, a second time maybe: then it has not even ended."""
        ended, best = self.ended, self.state.snapshot().best
        answer = ended.answer if ended else best.answer if best else None
        checked = best is not None and best.verified and best.answer == answer
        return Outcome(
            answer=answer,
            detail={"verified": checked or None},
            status="cancelled",
            usage=ended.usage if ended else self.spent,
            cost_usd=ended.cost_usd if ended else None,
            seconds=ended.seconds if ended else 0.0,
            run=plan.run,
            strategy=plan.name,
            model=plan.provider.id,
        )
