"""A person is asked, with the journal in front: an answer is kept the moment it is given, and none is asked for twice.

What somebody answers is this run's alone: its resumes and its replays have it, no other run does.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from promptkit.errors import PromptkitError, ReplayMiss, TimeUp, Unanswered
from promptkit.events import HumanAnswered, HumanAsked, current_span, emit
from promptkit.journal import Journal
from promptkit.journal.answers import name
from promptkit.runtime.answering import Question, Source
from promptkit.runtime.journaled import record, revived

# What a terminal acts on; a tab and a new line stay.
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Dialogue:
    """The questions of one run to a person, one at a time. With `replay` nobody is asked."""

    def __init__(self, journal: Journal, run: str, source: Source | None, *, replay: bool = False) -> None:
        self._journal = journal
        self._run = run
        self._source = source
        self._replay = replay
        self._failed = journal.failures(run) if replay else {}
        self._number = 0
        self._times: Counter[tuple[str, str]] = Counter()
        self._turn = asyncio.Lock()
        self.clock: asyncio.Timeout | None = None  # the run's; it stands still while somebody thinks

    async def have(self, text: str) -> str | None:
        """The answer, from the journal or from whoever answers; None when they end the questions."""
        self._number += 1
        question, span = Question(self._number, text), current_span()
        self._times[span, text] += 1
        key = name(self._run, span, text, self._times[span, text])
        emit(HumanAsked(question.number, text))
        if found := self._journal.answer(key):
            (answer,), by = found, "journal"
            if not self._replay:
                self._journal.touch(self._run, key, span, True)
        elif self._replay:
            raise self._missing(key)
        else:
            answer, by = await self._noted(key, question)
            await asyncio.shield(self._journal.keep_answer(self._run, key, span, text, answer))
        emit(HumanAnswered(question.number, text, answer, by))
        return answer

    async def _noted(self, key: str, question: Question) -> tuple[str | None, str]:
        """The answer and where it is from; what keeps it from coming is recorded for a replay."""
        try:
            return await self._asked(question)
        except PromptkitError as error:
            await self._journal.fail(self._run, key, record(error))
            raise
        except asyncio.CancelledError:
            stopped = record(TimeUp("stopped before this question was answered"))
            await asyncio.shield(self._journal.fail(self._run, key, stopped))
            raise

    async def _asked(self, question: Question) -> tuple[str | None, str]:
        if self._source is None:
            raise Unanswered(
                f"nobody is there to answer question {question.number}: {question.line}",
                hint=f"in a terminal: promptkit resume {self._run}\n"
                f"elsewhere: promptkit resume {self._run} --answers FILE, or answers=… from Python",
            )
        async with self._turn:
            with self._off_the_clock():
                answer = await self._source.answer(question)
        return None if answer is None else data(answer), self._source.by

    @contextmanager
    def _off_the_clock(self) -> Iterator[None]:
        when = self.clock.when() if self.clock else None
        if self.clock is None or when is None:
            yield
            return
        loop = asyncio.get_running_loop()
        left = when - loop.time()
        self.clock.reschedule(None)
        try:
            yield
        finally:
            self.clock.reschedule(loop.time() + left)

    def _missing(self, key: str) -> PromptkitError:
        if failure := self._failed.get(key):
            return revived(failure)
        return ReplayMiss(
            "this run needs an answer of yours that the journal does not have: the code or the model has changed since",
            hint="make the run again without replay",
        )


def data(text: str) -> str:
    """The text as data: without what a terminal would act on, and such that any journal and any server takes it."""
    whole = text.replace("\r\n", "\n").encode("utf-8", "replace").decode("utf-8", "replace")
    return _CONTROL.sub("", whole).strip()


_dialogue: ContextVar[Dialogue | None] = ContextVar("promptkit_dialogue", default=None)


@contextmanager
def conversing(dialogue: Dialogue) -> Iterator[None]:
    """Have the questions of the block answered there."""
    token = _dialogue.set(dialogue)
    try:
        yield
    finally:
        _dialogue.reset(token)


def dialogue() -> Dialogue | None:
    """That of the surrounding run."""
    return _dialogue.get()
