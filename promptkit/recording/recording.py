"""`with pk.record():` around code that uses a model's SDK: every call journaled, capped, and free the second time."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from contextvars import Context, copy_context
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, ParamSpec, Self, TypeVar, cast

from promptkit import checked, sync
from promptkit.api import RECORDING, open_journal
from promptkit.errors import BadInput, Cut, PromptkitError
from promptkit.events import Delta, PromptUsed, Record, RunEnded, RunStarted, emit, metered_by, span, watch
from promptkit.journal import Journal, NewRun, Stored
from promptkit.recording import refusal, transports
from promptkit.recording.active import active, current
from promptkit.recording.asked import Asked
from promptkit.recording.caps import Caps
from promptkit.recording.exchange import Draws
from promptkit.recording.reply import Reply
from promptkit.runtime.budgeted import Limits
from promptkit.runtime.ledger import Nominal
from promptkit.runtime.plan import new_run_id
from promptkit.runtime.tidying import tidy
from promptkit.types import Outcome, Status, Usage, plain

P = ParamSpec("P")
R = TypeVar("R")
Replay = Literal["auto", "only", "off"]

SHOWN = 200  # characters of the first question, in lists of runs


@checked.arguments
def record(
    *,
    max_calls: int | None = None,
    max_tokens: int | None = None,
    max_cost: float | None = None,
    journal: str | Path | Journal | None = None,
    replay: Replay = "auto",
    name: str = "",
) -> Recording:
    """A block, or a function's decorator: calls of openai, groq, ollama or LangChain in it are kept and replayed.

    `replay`: "auto" makes the calls the journal does not have, "only" makes none, "off" makes them all anew.
    """
    limits = Limits(max_calls=max_calls, max_tokens=max_tokens, max_cost=max_cost)
    return Recording(limits, journal, replay, name)


class Recording:
    """What a block does with its models. `run` is its name in the journal; `cut` is the cap that was reached."""

    def __init__(self, limits: Limits, journal: str | Path | Journal | None, replay: Replay, name: str, /) -> None:
        self._given = (limits, journal, replay, name)
        self.run = new_run_id()
        self.replay = replay
        self.journal: Journal
        self.caps = Caps(limits)
        self.draws = Draws()
        self._limits = limits
        self._name = name
        self._model = ""
        self._nominal = Nominal()
        self._lock = threading.Lock()
        self._in_order = threading.RLock()
        self._stack: ExitStack | None = None
        self._context: Context
        self._starting: Future[None] | None = None
        self._held: list[Record] | None = []  # events from before the run is in the journal
        self._hidden: PromptkitError | None = None  # said through an SDK that would not let it pass
        self._lost: PromptkitError | None = None
        self._began = time.monotonic()
        self._ended: Outcome | None = None

    @property
    def calls(self) -> int:
        """Requests really sent, those that failed included."""
        return self.caps.usage().calls

    @property
    def cached_calls(self) -> int:
        """Calls that the journal answered."""
        return self.caps.usage().cached_calls

    @property
    def usage(self) -> Usage:
        """What was really sent and received."""
        return self.caps.usage()

    @property
    def cost_usd(self) -> float | None:
        """USD really spent; None when a price is unknown."""
        return self.caps.cost

    @property
    def cut(self) -> Cut | None:
        """The cap that was reached; None while there is room."""
        return self.caps.cut

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """The function with a recording of its own around each call."""
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise BadInput("a generator cannot be decorated", hint="with pk.record(): inside it, or around its use")
        given = self._given
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: P.args, **named: P.kwargs) -> Any:
                async with Recording(*given):
                    return await function(*args, **named)

            return cast(Callable[P, R], awaited)

        @functools.wraps(function)
        def called(*args: P.args, **named: P.kwargs) -> R:
            with Recording(*given):
                return function(*args, **named)

        return called

    def __enter__(self) -> Self:
        if self._stack is not None:
            raise BadInput("a recording is used once", hint="make another: with pk.record():")
        outer = active()
        self.journal = open_journal(self._given[1])
        transports.install()
        if outer:
            self.caps = Caps(self._limits, outer.caps)
        self._stack = ExitStack()
        token = current.set(self)
        self._stack.callback(current.reset, token)
        self._stack.enter_context(watch(self._keep, meter=self.caps.usage))
        self._stack.enter_context(span(RECORDING))
        self._context = copy_context()
        self._began = time.monotonic()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if self._leave(error):
            sync.run(self._end())
        self._tell(error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if self._leave(error):
            await asyncio.shield(asyncio.ensure_future(self._end()))
        self._tell(error)

    # what exchanges call, in any thread

    def answers_here(self) -> bool:
        """Whether a call from here is this recording's: none further inside, and no run of promptkit's."""
        return metered_by(self.caps.usage)

    async def started(self, asked: Asked) -> None:
        """Have the run in the journal, which it is from its first call on."""
        with self._lock:
            first = self._starting is None
            starting = self._starting = self._starting or Future()
            if first:
                starting.set_running_or_notify_cancel()  # a waiter that is cancelled must not cancel it
        if not first:
            return await asyncio.wrap_future(starting)
        self._model = asked.model
        question = self._name or asked.question
        question = question if len(question) <= SHOWN else f"{question[:SHOWN]}…"
        try:
            await self.journal.start_run(
                NewRun(
                    id=self.run,
                    strategy=RECORDING,
                    params={},
                    model=asked.model,
                    question=question,
                    options={"limits": plain(self._limits), "replay": self.replay, "name": self._name},
                    started=time.time(),
                )
            )
            self._context.run(emit, RunStarted(self.run, RECORDING, asked.model, question, "general", {}))
            with self._lock:
                held, self._held = self._held or [], None
                for each in held:
                    self._write_down(each)
            starting.set_result(None)
        except BaseException as error:
            starting.set_exception(error)
            raise
        return None

    def used(self, key: str, span: str, stored: Stored, tell: Callable[[], None]) -> None:
        """A call was answered: in the journal the uses stand in the order of their events."""
        with self._lock:
            self._nominal.used(key, stored, cached=stored.completion.cached)
        with self._in_order:
            self.journal.touch(self.run, key, span, stored.completion.cached)
            tell()

    def refused(self, error: PromptkitError, *, hidden: bool) -> Reply:
        """Raise it, or give the reply that an SDK which would not let it pass is told with."""
        error.run = self.run
        if not hidden:
            raise error
        self._hidden = error
        return refusal.disguised(error)

    def lost(self, error: PromptkitError) -> None:
        """Something could not be kept: it is raised where the block ends."""
        self._lost = self._lost or error

    async def noted(self) -> None:
        """A reply was kept; after the end of the block, it is told in the run's outcome, too."""
        if self._ended:
            await self._write(self._ended)

    # the end

    def _keep(self, record: Record) -> None:
        if isinstance(record.event, Delta) or not self.answers_here():
            return
        with self._lock:
            if self._held is not None:
                self._held.append(record)
                return
        self._write_down(record)

    def _write_down(self, record: Record) -> None:
        if isinstance(record.event, PromptUsed):
            self.journal.pin(self.run, record.event)
        else:
            self.journal.append(self.run, record.to_json())

    def _leave(self, error: BaseException | None) -> bool:
        """Leave the context, with the outcome made up; whether there is a run to end."""
        assert self._stack is not None
        if self._starting is None:
            self._stack.close()
            return False
        status, detail = self._status(error)
        self._ended = self._outcome(Outcome(answer=None, status=status, detail=detail))
        ended = self._ended
        emit(RunEnded(None, ended.status, ended.usage, ended.cost_usd, ended.seconds))
        self._stack.close()
        return True

    def _status(self, error: BaseException | None) -> tuple[Status, dict[str, Any]]:
        cut = self.caps.cut
        if isinstance(error, (KeyboardInterrupt, asyncio.CancelledError)):
            return "cancelled", {}
        if cut and (error is None or isinstance(error, Cut) or refusal.is_ours(error)):
            return "budget", {"cut": cut.message, "hint": cut.hint}
        if error is None:
            return "done", {}
        return "error", {"error": type(error).__name__}  # what it says may quote a key

    async def _end(self) -> None:
        assert self._ended is not None
        try:
            await self._write(self._ended)
        except PromptkitError as error:
            self.lost(error)
        tidy(self.journal)

    async def _write(self, ended: Outcome) -> None:
        self._ended = ended = self._outcome(ended)
        await self.journal.end_run(self.run, ended.status, plain(ended))

    def _outcome(self, outcome: Outcome) -> Outcome:
        seconds = outcome.seconds or round(time.monotonic() - self._began, 3)
        with self._lock:
            usage = self._nominal.usage()
        outcome = replace(outcome, usage=usage, cost_usd=self.caps.cost, seconds=seconds)
        return replace(outcome, run=self.run, strategy=RECORDING, model=self._model)

    def _tell(self, error: BaseException | None) -> None:
        """Raise what the caller has not heard yet."""
        hidden, lost = self._hidden, self._lost
        if hidden and (error is None or refusal.is_ours(error)):
            raise hidden from error
        if lost and error is None:
            raise lost
