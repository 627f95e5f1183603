"""Programs in the sandbox, with the journal in front: what a program came to is kept, and nothing runs twice.

What a program sees in there is what it was asked with, so its result is everybody's, as a completion is. Not so

- where a limit ended it: whether the clock is reached depends on what else the machine does, and a watch looks now
  and then. It is a result all the same, and the model may have been told of it: this run and its resumes keep it,
  and any other run tries for itself.
- on the host, or where a wall was missing: such a program sees what nobody wrote down.

One that a crash or a stop broke off is no result. It is run again, which nothing outside the sandbox can tell.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptkit.errors import JournalError, PromptkitError, ReplayMiss, TimeUp
from promptkit.events import current_span
from promptkit.journal import Journal
from promptkit.journal.programs import name
from promptkit.runtime.journaled import record, revived
from promptkit.types import plain

if TYPE_CHECKING:
    from promptkit.sandbox import Limits, Ran

_Got = tuple[str, dict[str, Any], bool]  # the result's name, the result as JSON, whether the journal had it
OF_ITSELF = ("exit", "output")  # how a program ends that would end so anywhere: what it writes is counted to the byte


@dataclass(frozen=True, slots=True)
class Asked:
    """A program and all it is given: a folder with these files, these variables, and an empty stdin."""

    program: str | tuple[str, ...]  # Python code, or the words of a command
    limits: Limits
    files: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    unsafe_host: bool = False  # on this machine as it is

    def body(self) -> dict[str, Any]:
        """The same as JSON: what is said here and the sandbox's identity determine the result."""
        given = {"program": self.program, "files": self.files, "env": self.env, "unsafe_host": self.unsafe_host}
        return {**plain(given), "limits": self.limits.sent()}


class Executions:
    """The programs of one run. With `replay` none is run: the journal has what each came to, on any machine."""

    def __init__(self, journal: Journal, run: str, *, replay: bool = False, fresh: int = 0) -> None:
        self._journal = journal
        self._run = run
        self._replay = replay
        self._fresh = fresh
        self._failed = journal.failures(run) if replay else {}
        self._known: dict[str, str] | None = None
        # More at once than there are processors would be slow by each other, and reach their limits.
        self._turns = asyncio.Semaphore(os.cpu_count() or 1)

    @property
    def replaying(self) -> bool:
        """Whether it answers from the journal alone."""
        return self._replay

    @property
    def resumed(self) -> bool:
        """Whether the run has results from before: where they are all it needs, no sandbox is."""
        return bool(self._mine())

    async def have(self, asked: Asked) -> tuple[str, Ran, bool]:
        """The result's name, the result, and whether the journal had it."""
        body = asked.body()
        title = name(body)  # whatever the machine
        found = self._had(title)
        if self._replay and found is None:
            raise self._missing(title)
        key, ran, cached = (*found, True) if found else await self._noted(title, self._get(asked, body))
        if not self._replay:
            self._mine()[title] = key
            self._journal.touch(self._run, key, current_span(), cached)
        return key, _revived(ran), cached

    async def _noted(self, title: str, getting: Coroutine[Any, Any, _Got]) -> _Got:
        """What is being got; what keeps it from coming is recorded for a replay."""
        try:
            return await getting
        except PromptkitError as error:
            await self._journal.fail(self._run, title, record(error))
            raise
        except asyncio.CancelledError:
            stopped = record(TimeUp("stopped before this program ended"))
            await asyncio.shield(self._journal.fail(self._run, title, stopped))
            raise

    def _mine(self) -> dict[str, str]:
        """What this run had before, by what was asked: it holds on another machine, too."""
        if self._known is None:
            before = self._journal.programs(self._run, ever=True)
            self._known = {name(each.asked): each.key for each in before}
        return self._known

    def _had(self, title: str) -> tuple[str, dict[str, Any]] | None:
        key = self._mine().get(title)
        return (key, ran) if key and (ran := self._journal.program(key)) else None

    def _missing(self, title: str) -> PromptkitError:
        if failure := self._failed.get(title):
            return revived(failure)
        return ReplayMiss(
            "this run needs a program's result that the journal does not have: the code or the model has changed since",
            hint="make the run again without replay",
        )

    async def _get(self, asked: Asked, body: dict[str, Any]) -> _Got:
        """The journal's result, or that of running it, here or by whoever claimed it first."""
        identity = await _identity(asked)
        everybodys = name(body, identity, self._fresh)
        own = name(everybodys, self._run)
        while (had := self._stored(own, everybodys)) is None:
            if not await self._journal.claim([everybodys], self._run):
                await self._journal.wait(everybodys)
            elif had := self._stored(own, everybodys):  # it ended between the look and the claim
                await self._journal.release([everybodys])
                break
            else:
                return *await self._ran(asked, body, identity, everybodys, own), False
        return *had, True

    def _stored(self, *keys: str) -> tuple[str, dict[str, Any]] | None:
        return next(((key, ran) for key in keys if (ran := self._journal.program(key))), None)

    async def _ran(
        self, asked: Asked, body: dict[str, Any], identity: str, everybodys: str, own: str
    ) -> tuple[str, dict[str, Any]]:
        try:
            async with self._turns:
                done = await run(asked)
            key = everybodys if done.certificate.whole and done.ended in OF_ITSELF else own
            result: dict[str, Any] = plain(done)
            await asyncio.shield(self._journal.keep_program(key, result, body, identity, everybodys))
        except BaseException:  # nobody may wait for ever for what will not come
            await asyncio.shield(self._journal.release([everybodys]))
            raise
        return key, result


_executions: ContextVar[Executions | None] = ContextVar("promptkit_executions", default=None)


@contextmanager
def executing(executions: Executions) -> Iterator[None]:
    """Have the programs of the block journaled by these."""
    token = _executions.set(executions)
    try:
        yield
    finally:
        _executions.reset(token)


def executions() -> Executions | None:
    """Those of the surrounding run."""
    return _executions.get()


async def run(asked: Asked) -> Ran:
    """What became of it in a folder of its own, which is gone afterwards."""
    from promptkit.sandbox import run, scratch

    folder = await asyncio.to_thread(scratch.made)
    try:
        await asyncio.to_thread(_put_down, folder, asked.files)
        how: dict[str, Any] = {"limits": asked.limits, "env": asked.env, "unsafe_host": asked.unsafe_host}
        return await run(asked.program, workspace=folder, **how)
    finally:  # off the loop: it may hold thousands of entries
        await asyncio.shield(asyncio.to_thread(scratch.removed, folder))


def _put_down(folder: str, files: Mapping[str, str]) -> None:
    for title, text in files.items():
        Path(folder, title).write_bytes(text.encode("utf-8", "replace"))


async def _identity(asked: Asked) -> str:
    """What a result depends on beside what is asked: the interpreter, and what the rung holds a program to."""
    from promptkit.sandbox import available
    from promptkit.sandbox.promise import held_by

    python = f"{platform.python_implementation()} {platform.python_version()}"
    held: dict[str, Any] = {"rung": "host", "holds": []}
    if not asked.unsafe_host:
        rung = (await asyncio.to_thread(available)).best()
        held = {"rung": rung.name, "holds": sorted(held_by(rung))}
    return json.dumps({"python": python, **held}, sort_keys=True)


def _revived(ran: dict[str, Any]) -> Ran:
    from promptkit.sandbox.ran import Ran

    try:
        return Ran.revived(ran)
    except ValueError as error:
        raise JournalError(f"the journal holds no result of a program where it says so: {error}") from error
