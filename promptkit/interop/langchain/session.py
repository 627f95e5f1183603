"""A run that stays open: what many calls of somebody else's code share, a budget and a place in the journal."""

from __future__ import annotations

import asyncio
import atexit
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from promptkit import api, sync
from promptkit.events import Delta, PromptUsed, Record, Sink, span, watch
from promptkit.journal import Journal, NewRun, Spent
from promptkit.runtime.budgeted import Budget, Limits, refuse_unpriced
from promptkit.runtime.ledger import Nominal
from promptkit.runtime.plan import new_run_id
from promptkit.types import Outcome, Provider, Status, Usage, plain

_GOODBYE = 5.0  # seconds that the end of a process waits for the journal


class Session:
    """One run in the journal for all calls made through it; everything happens on promptkit's own loop."""

    def __init__(self, name: str, limits: Limits, journal: str | Path | Journal | None, *, fresh: int = 0) -> None:
        self.name = name
        self.run = new_run_id()
        self.journal = api.open_journal(journal)
        self.budget = Budget(limits, Spent())
        self.nominal = Nominal()
        self.fresh = fresh
        self._limits = limits
        self._begun = False

    @property
    def usage(self) -> Usage:
        """What was really sent."""
        return self.budget.usage()

    @contextmanager
    def watched(self, *sinks: Sink) -> Iterator[None]:
        """Keep the events of the block in the run."""
        with watch(*sinks, self._keep, meter=self.budget.usage), span(self.name):
            yield

    async def begin(self, provider: Provider) -> None:
        """Record the run before its first call; BadInput when its caps cannot be kept."""
        if self._begun:
            return
        refuse_unpriced(self._limits, provider)
        self._begun = True  # on one loop, so nobody comes between
        await self.journal.start_run(
            NewRun(
                id=self.run,
                strategy=self.name,
                params={},
                model=provider.id,
                question="",
                options={"limits": plain(self._limits), "identity": provider.identity, "fresh": self.fresh},
                started=time.time(),
            )
        )
        end = weakref.finalize(self, _end, self.journal, self.run, self.budget)
        end.atexit = False
        atexit.register(end)  # now, so that it comes before the journal is closed

    def _keep(self, record: Record) -> None:
        if isinstance(record.event, PromptUsed):
            self.journal.pin(self.run, record.event)
        elif not isinstance(record.event, Delta):
            self.journal.append(self.run, record.to_json())


def _end(journal: Journal, run: str, budget: Budget) -> None:
    status: Status = "budget" if budget.cut else "done"
    outcome: Mapping[str, Any] = plain(Outcome(answer=None, status=status, run=run, usage=budget.usage()))
    with suppress(Exception):  # a journal that was closed before has ended its runs itself
        ending = sync.begin(journal.end_run(run, status, dict(outcome)))
        if not _in_a_loop():  # which waiting would hold up
            ending.result(_GOODBYE)


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
