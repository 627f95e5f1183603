"""One plain line per event of note: for logs, pipes and terminals that cannot redraw.

How a run ended is not said here: the summary under the display says it, or the error does.
"""

from __future__ import annotations

import re

from rich.cells import cell_len
from rich.console import Console

from promptkit import composition
from promptkit import events as e
from promptkit.events import Record
from promptkit.render import amounts, frame
from promptkit.render.safe import clip, downgrade, one_line, wrap
from promptkit.render.state import RunState, Snapshot
from promptkit.render.thoughts import NESTED
from promptkit.render.votes import ruling, standing

_WIDE = 160  # a log line, not a screen line
_HEARTBEAT = 30.0  # seconds of silence after which a line says it is still at work
_RETRY_PAUSE = 5.0  # twenty calls refused at once are one line
_NEWS = (e.RunStarted, e.RunEnded, e.LevelDone, e.VotesCounted, e.HumanAnswered, e.Retrying)


class PlainDisplay:
    """A sink that writes lines; `quiet` leaves only the warnings. A closed stream silences it."""

    deltas = False

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self.state = RunState()
        self._console = console
        self._quiet = quiet
        self._said_at = 0.0
        self._retried_at = float("-inf")
        self._sealed = False

    def __call__(self, record: Record) -> None:
        self.state.feed(record)
        for line in self._lines(record):
            self._write(line)

    def _lines(self, record: Record) -> list[str]:
        event = record.event
        if isinstance(event, e.Warned):
            hints = [f"  {one_line(hint)}" for hint in event.hint.splitlines() if hint.strip()]
            return [f"warning: {one_line(event.message)}", *hints]
        if self._quiet or isinstance(event, e.Delta):
            return []
        if isinstance(event, e.Retrying):
            if record.at - self._retried_at < _RETRY_PAUSE:
                return []
            self._retried_at = record.at
        if not isinstance(event, _NEWS) and record.at - self._said_at < _HEARTBEAT:
            return []  # a snapshot copies every tree
        snapshot = self.state.snapshot()
        if isinstance(event, e.VotesCounted) and NESTED not in record.span:
            # Every sample brings a tally; the news is that it is settled, and the last one.
            news = event.seen >= event.n or (event.decided and not self._sealed)
            self._sealed = self._sealed or event.decided
            if not news:
                return []
        said = self._news(record, snapshot)
        if not said:
            if record.at - self._said_at < _HEARTBEAT or not snapshot.in_flight:
                return []
            said = ", ".join(frame.tallies(snapshot, record.at)[:3])
        self._said_at = record.at
        at = f"{amounts.clock(snapshot.seconds(record.at))}  "
        if isinstance(event, e.RunStarted):  # what runs is told in full, in lines as wide as those of the summary
            rows = _filled(said, max(20, self._console.width - len(at)))
            return [f"{at if not number else ' ' * len(at)}{row}" for number, row in enumerate(rows)]
        return [f"{at}{clip(said, _WIDE)}"]

    def _news(self, record: Record, snapshot: Snapshot) -> str:
        event = record.event
        if NESTED in record.span and isinstance(event, (e.LevelDone, e.VotesCounted)):
            # One strategy inside is judged or counted over and over: its votes are no news of the run.
            levels = isinstance(event, e.LevelDone)
            return f"{one_line(_home(record.span, snapshot))} · {note(event, snapshot)}" if levels else ""
        match event:
            case e.BudgetHit() | e.Stopped() | e.Substituted() | e.ProgramEnded():
                return ""
            case e.HumanAnswered(by="terminal"):  # it stands there
                return ""
            case e.RunEnded():  # no summary follows an error, and what it took was paid for
                return note(event, snapshot) if event.status == "error" and event.usage.tokens else ""
            case e.VotesCounted(decided=False):
                return standing(event)
            case _:
                return note(event, snapshot)

    def _write(self, line: str) -> None:
        try:
            self._console.file.write(downgrade(line, self._console.encoding) + "\n")
            self._console.file.flush()
        except (OSError, ValueError):
            self._quiet = True  # nobody reads any more; the run goes on


def _home(span: str, snapshot: Snapshot) -> str:
    """The strategy inside another that a span is in, with where in the run it is."""
    return snapshot.place(span[: span.rindex(NESTED)] + span[span.rindex(NESTED) :].partition("/")[0])


def _filled(text: str, width: int) -> list[str]:
    """The text in lines, broken behind its commas and dots, and only where that is not enough between words."""
    rows: list[str] = []
    for piece in re.split(r"(?<=,) |(?= · )", text):
        longer = f"{rows[-1]}{'' if piece.startswith(' ') else ' '}{piece}" if rows else piece
        if cell_len(longer) <= width:
            rows[-1:] = [longer]
        else:
            rows += wrap(piece.removeprefix(" · "), width)
    return rows


def note(event: e.Event, snapshot: Snapshot) -> str:
    """What an event means in one line; "" for those that are no news."""
    match event:
        case e.RunStarted():
            about = ", ".join(frame.settings(event.strategy, event.params))
            asked = f"{composition.titled(event.strategy, event.params)}{': ' if about else ''}{about}"
            return one_line(f"{asked} · {amounts.model(event.model)} · {event.pack}")
        case e.LevelDone():
            depth = event.depth or snapshot.depth
            of = f" of {depth}" if depth else ""
            tied = f", {event.tied} tied at the cut" if event.tied else ""
            return f"level {event.level}{of}: kept {event.kept} of {event.seen}{tied}"
        case e.VotesCounted():
            return standing(event) if event.seen < event.n else f"{event.seen}/{event.n} in · {ruling(event)}"
        case e.ProgramEnded():
            how = f"status {event.status}" if event.ended == "exit" else f"ended by {one_line(event.ended)}"
            took = "cached" if event.cached else amounts.lasting(event.seconds)
            return f"program: {how} · {took} · {one_line(event.sandbox)}"
        case e.HumanAnswered():
            answer = "(no more questions)" if event.answer is None else one_line(event.answer) or "(nothing)"
            return f"asked: {one_line(event.question)} · answered: {answer}"
        case e.Retrying():
            return f"retry {event.attempt} in {event.wait:.3g} s: {one_line(event.error)}"
        case e.Warned():
            return f"warning: {one_line(event.message)}"
        case e.Substituted():
            return f"in place of {one_line(event.wanted)}: {one_line(event.by)}"
        case e.BudgetHit():
            return f"{frame.budget_words(snapshot)}; nothing more is sent"
        case e.Stopped():
            return f"stopped: {frame.reason(event.reason)}"
        case e.RunEnded():
            spent = f"{amounts.short(event.usage.input_tokens)} in, {amounts.short(event.usage.output_tokens)} out"
            cost = amounts.money(event.cost_usd, snapshot.run.model if snapshot.run else "")
            return f"{event.status} · {amounts.calls(event.usage)} · {spent} · {cost}"
        case _:
            return ""
