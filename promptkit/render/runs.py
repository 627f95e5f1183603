"""Finished runs: the list of them, one run as a timeline, its tree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from promptkit import composition, conversation
from promptkit import events as e
from promptkit.events import Record
from promptkit.render import amounts, frame, tree, votes
from promptkit.render.plain import note
from promptkit.render.safe import Legible, beside, clip, flow, one_line, parts, wrap
from promptkit.render.state import Snapshot, rebuild
from promptkit.render.stored import restore
from promptkit.render.talk import lines
from promptkit.render.thoughts import NESTED
from promptkit.types import Usage

_STATUS_STYLES = {"done": "green", "running": "cyan", "undecided": "yellow", "budget": "yellow", "error": "red"}

Row = Mapping[str, Any]


def runs_table(rows: Iterable[Row], *, zone: tzinfo | None = None) -> Legible:
    """The runs, one a line, the question in what room is left."""
    return Legible(_Table([_cells(row, zone) for row in rows]))


def run_view(row: Row, events: Sequence[Row], *, every_call: bool = False, zone: tzinfo | None = None) -> Legible:
    """A run's header, its spans with their calls, and how it ended; calls made at once are one line or each its own."""
    records = [record for event in events if (record := restore(event))]
    talk = conversation.read(events) if row.get("strategy") == conversation.CHAT else None
    return Legible(_Timeline(row, records, rebuild(events), every_call, zone, talk))


def run_tree(events: Sequence[Row]) -> Legible:
    """A run's whole search trees, the dropped thoughts included."""
    return Legible(_WholeTree(rebuild(events)))


_COLUMNS = ("id", "when", "strategy", "model", "status", "calls", "question")
_DISPENSABLE = (1, 5, 3, 2)  # columns to leave out, in this order, where the question has no room
_QUESTION_ROOM = 12
_BARS = 76  # cells that bars fill at most


def _cells(row: Row, zone: tzinfo | None) -> tuple[str, ...]:
    usage = _usage(row)
    words = [_word(row, "id"), _when(row, zone), _titled(row), amounts.model(_word(row, "model"))]
    calls = f"{usage['calls']:,}" if usage else ""
    return (*(clip(word, 28) for word in words), _word(row, "status") or "running", calls, _word(row, "question"))


@dataclass(frozen=True, slots=True)
class _Table:
    rows: list[tuple[str, ...]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not self.rows:
            yield Text("no runs yet", style="dim")
            return
        widths = [max(cell_len(row[at]) for row in (_COLUMNS, *self.rows)) for at in range(len(_COLUMNS) - 1)]
        shown = list(range(len(_COLUMNS) - 1))
        for at in _DISPENSABLE:
            if sum(widths[kept] + 2 for kept in shown) + _QUESTION_ROOM <= options.max_width:
                break
            shown.remove(at)
        for row in (_COLUMNS, *self.rows):
            line = Text(style="dim" if row is _COLUMNS else "")
            for at in shown:
                gap = " " * (widths[at] - cell_len(row[at]))
                style = "bold" if at == 0 else _STATUS_STYLES.get(row[at], "") if at == 4 else ""
                line.append(gap if at == 5 else "").append(row[at], "" if row is _COLUMNS else style)
                line.append("  " if at == 5 else gap + "  ")
            line.append(clip(row[-1], max(0, options.max_width - line.cell_len)))
            line.truncate(options.max_width, overflow="ellipsis")
            yield line


@dataclass(slots=True)
class _Part:
    """A span with what happened in it, in order."""

    path: str
    began: float
    ended: float  # when anything last happened in it
    error: str = ""
    strategy: str = ""  # the one inside another that it is
    calls: list[e.CallEnded] = field(default_factory=list)  # its own
    inside: list[_Part | tuple[float, str]] = field(default_factory=list)

    @property
    def one_round(self) -> bool:
        """Whether it is nothing but calls made at once."""
        inner = [part for part in self.inside if isinstance(part, _Part)]
        return bool(inner) and len(inner) == len(self.inside) and all(part.name.isdigit() for part in inner)

    @property
    def name(self) -> str:
        return one_line(self.path.rsplit("/", 1)[-1]) or "run"

    @property
    def nested(self) -> bool:
        """Whether it is a strategy inside another."""
        return self.name.startswith(NESTED)

    def shown(self, several: bool) -> tuple[_Part, str]:
        """What stands for it in the tree, and how it is called there: a strategy of one step is that step."""
        if not self.nested:
            return self, f"sample {self.name}" if self.name.isdigit() else self._over(self.name)
        (only,) = self.inside if len(self.inside) == 1 else (None,)
        step = only if isinstance(only, _Part) and not self.error and self.strategy in ("", only.name) else None
        called = self.strategy or (step.name if step else "inside")
        called = f"{called} {self.name.removeprefix(NESTED)}" if several else called
        return (step, step._over(called)) if step else (self, called)

    def _over(self, called: str) -> str:
        """A layer with the strategy that it is around."""
        return f"{called} of {self.strategy}" if self.strategy else called

    def all_calls(self) -> list[e.CallEnded]:
        below = [part.all_calls() for part in self.inside if isinstance(part, _Part)]
        return [*self.calls, *(call for calls in below for call in calls)]


@dataclass(frozen=True, slots=True)
class _Timeline:
    row: Row
    records: list[Record]
    snapshot: Snapshot
    every_call: bool
    zone: tzinfo | None
    talk: conversation.Conversation | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        yield self._head(width)
        asked = _word(self.row, "question")
        if asked:
            yield Text(clip(f"  {asked}", width), style="bold")
        yield Text()
        top = _parts_of(self.records)
        yield from beside([pair for item in top.inside for pair in self._lines(item, 0, width)], width)
        if self.snapshot.votes:
            yield Text()
            yield from frame.indented(votes.bars(self.snapshot.votes, max(1, min(width - 4, _BARS)), 12, over=True), 2)
            yield from (Text(f"  {row}") for row in flow(votes.ruling(self.snapshot.votes), max(1, width - 2)))
        answer = _outcome(self.row).get("answer")
        yield Text()
        if self.talk:
            yield from (Text(f"  {line}".rstrip()) for line in lines(self.talk, max(1, width - 2)))
        elif isinstance(answer, str):
            yield Text("  answer ", style="dim").append(one_line(answer), style="bold")
            yield from self._right()
        else:
            yield Text("  no answer", style="dim")

    def _right(self) -> Iterable[Text]:
        """Whether the program found the answer right."""
        detail = _outcome(self.row).get("detail")
        right = detail.get("verified") if isinstance(detail, Mapping) else None
        if isinstance(right, bool):
            yield (
                Text("  checked by program: right", "green")
                if right
                else Text("  ✗ checked by program: wrong", "bold red")
            )

    def _head(self, width: int) -> Text:
        row = self.row
        usage = _usage(row)
        words = [_titled(row), amounts.model(_word(row, "model"))]
        if answered := row.get("answered"):
            words.append(f"answered by {', '.join(map(amounts.model, answered))}")
        words.append(_when(row, self.zone))
        started, ended = row.get("started"), row.get("ended")
        if isinstance(started, (int, float)) and isinstance(ended, (int, float)):
            words.append(amounts.lasting(ended - started))
        if usage:
            words.append(amounts.calls(Usage(**usage)))
        status = _word(row, "status") or "running"
        line = Text(_word(row, "id"), style="bold").append("  ")
        line.append(parts([status, *filter(None, words)], max(1, width - line.cell_len)))
        return line

    def _lines(
        self, item: _Part | tuple[float, str], level: int, width: int, several: bool = False
    ) -> Iterable[tuple[Text, Text]]:
        narrow = width < 60
        if not isinstance(item, _Part):
            at, said = item
            lead = "" if narrow else f"{amounts.milliseconds(at, self.zone)}  "
            yield Text(clip(f"  {lead}{'  ' * level}{said}", width), style="dim"), Text()
            return
        item, called = item.shown(several)
        calls = item.all_calls()
        lead = "" if narrow else f"{amounts.milliseconds(item.began, self.zone)}  "
        left = Text("  ").append(lead, style="dim").append("  " * level)
        left.append(called)
        folded = item.one_round and not self.every_call
        nested = not folded and any(isinstance(inner, _Part) for inner in item.inside)
        if len(calls) > 1 and not nested:
            left.append(f" ×{len(calls)}")
        if item.error:
            left.append(f"  {_plainly(item.error)}", style="red")
        yield left, _measures(item, calls, nested, narrow)
        many = sum(isinstance(inner, _Part) and inner.nested for inner in item.inside) > 1
        for inner in item.inside if not folded else ():
            yield from self._lines(inner, level + 1, width, many)


@dataclass(frozen=True, slots=True)
class _WholeTree:
    snapshot: Snapshot

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(1, options.max_width - 4)
        if self.snapshot.thoughts:
            yield from frame.indented(tree.whole(self.snapshot, width), 2)
            return
        run = self.snapshot.run
        there = f"; what it did: promptkit runs show {run.run}" if run else ""
        rows = wrap(f"this run has no search tree{there}", width)
        yield from frame.indented([Text(row, style="dim") for row in rows], 2)


def _plainly(error: str) -> str:
    """`key missing` of KeyMissing: a class's name is no word for a reader."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", one_line(error).removesuffix("Error")).lower() or "error"


def _measures(part: _Part, calls: list[e.CallEnded], nested: bool, narrow: bool) -> Text:
    """`182 → 96   1.1 s`; for a span with others in it, its calls."""
    lasted = amounts.lasting(part.ended - part.began).rjust(8)
    if not calls:
        return Text(lasted, style="dim")
    cached, failed = sum(call.cached for call in calls), sum(bool(call.error) for call in calls)
    notes = [f"{failed} failed"] if failed and not narrow else []
    if nested:
        notes.append(amounts.samples(len(calls), 0 if narrow else cached))
    else:
        tokens = sum(call.input_tokens for call in calls), sum(call.output_tokens for call in calls)
        if cached and not narrow:
            notes.append("cached" if cached == len(calls) else f"{cached} cached")
        notes.append(f"{amounts.short(tokens[0])} → {amounts.short(tokens[1])}")
    return Text(" · ".join(notes) + lasted, style="dim")


def _parts_of(records: Sequence[Record]) -> _Part:
    """The spans as they lie in each other, found by their paths: concurrent ones interleave in time."""
    top = _Part("", records[0].at if records else 0.0, 0.0)
    open_parts: dict[str, _Part] = {"": top}
    for record in records:
        here = _inside(open_parts, record.span, record.at)
        match record.event:
            case e.SpanStarted(strategy=strategy) if strategy:
                here.strategy = one_line(strategy)
            case e.SpanEnded(error=error):
                here.error = error
                if here is not top:
                    del open_parts[record.span]
            case e.CallEnded() as call:
                here.calls.append(call)
            case e.ProgramEnded() | e.HumanAnswered() as event:
                here.inside.append((record.at, note(event, Snapshot())))
            case e.LevelDone() | e.Warned() | e.Substituted() | e.BudgetHit() | e.Stopped() | e.Retrying() as event:
                here.inside.append((record.at, note(event, Snapshot())))
            case _:
                pass
    return _Part("", top.began, top.ended, inside=[top]) if top.calls else top


def _inside(open_parts: dict[str, _Part], span: str, at: float) -> _Part:
    """The open part of that path, made if need be, with the time noted all the way up."""
    part = open_parts.get(span)
    parent = _inside(open_parts, span.rpartition("/")[0], at) if span else None
    if part is None:
        part = open_parts[span] = _Part(span, at, at)
        if parent:
            parent.inside.append(part)
    part.ended = max(part.ended, at)
    return part


def _word(row: Row, name: str) -> str:
    value = row.get(name)
    return one_line(value) if isinstance(value, str) else ""


def _titled(row: Row) -> str:
    """Its strategy, with those inside it."""
    params = row.get("params")
    return one_line(composition.titled(_word(row, "strategy"), params if isinstance(params, Mapping) else {}))


def _when(row: Row, zone: tzinfo | None) -> str:
    started = row.get("started")
    return amounts.day_time(started, zone) if isinstance(started, (int, float)) else ""


def _outcome(row: Row) -> Mapping[str, Any]:
    outcome = row.get("outcome")
    return outcome if isinstance(outcome, Mapping) else {}


def _usage(row: Row) -> dict[str, int]:
    """The counts of the outcome's usage; empty while there is none."""
    usage = _outcome(row).get("usage")
    if not isinstance(usage, Mapping):
        return {}
    return {name: value if isinstance(value := usage.get(name), int) else 0 for name in ("calls", "cached_calls")}
