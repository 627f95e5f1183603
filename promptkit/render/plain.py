"""One plain line per event of note: for logs, pipes and terminals that cannot redraw.

How a run ended is not said here: the summary under the display says it, or the error does.
"""

from __future__ import annotations

from rich.console import Console

from promptkit import events as e
from promptkit.events import Record
from promptkit.render import amounts, frame
from promptkit.render.safe import clip, downgrade, one_line
from promptkit.render.state import RunState, Snapshot
from promptkit.render.votes import ruling, standing

_WIDE = 160  # a log line, not a screen line
_HEARTBEAT = 30.0  # seconds of silence after which a line says it is still at work
_RETRY_PAUSE = 5.0  # twenty calls refused at once are one line


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
        snapshot = self.state.snapshot()
        if isinstance(event, e.VotesCounted):
            # Every sample brings a tally; the news is that it is settled, and the last one.
            news = event.seen >= event.n or (event.decided and not self._sealed)
            self._sealed = self._sealed or event.decided
            if not news:
                return []
        said = self._news(event, snapshot)
        if not said:
            if record.at - self._said_at < _HEARTBEAT or not snapshot.in_flight:
                return []
            said = ", ".join(frame.tallies(snapshot, record.at)[:3])
        self._said_at = record.at
        return [f"{amounts.clock(snapshot.seconds(record.at))}  {clip(said, _WIDE)}"]

    def _news(self, event: e.Event, snapshot: Snapshot) -> str:
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


def note(event: e.Event, snapshot: Snapshot) -> str:
    """What an event means in one line; "" for those that are no news."""
    match event:
        case e.RunStarted():
            about = ", ".join(frame.settings(event.params))
            asked = f"{event.strategy}{': ' if about else ''}{about}"
            return one_line(f"{asked} · {amounts.model(event.model)} · {event.pack}")
        case e.LevelDone():
            of = f" of {snapshot.depth}" if snapshot.depth else ""
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
