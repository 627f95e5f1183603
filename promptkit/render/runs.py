"""Finished runs: the list of them, one run as a timeline, its tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from promptkit import events as e
from promptkit.events import Record
from promptkit.render import amounts, frame, tree, votes
from promptkit.render.plain import note
from promptkit.render.safe import Legible, clip, one_line, parts, sides
from promptkit.render.state import Snapshot, rebuild
from promptkit.render.stored import restore
from promptkit.types import Usage

_STATUS_STYLES = {"done": "green", "running": "cyan", "undecided": "yellow", "budget": "yellow", "error": "red"}

Row = Mapping[str, Any]


def runs_table(rows: Iterable[Row], *, zone: tzinfo | None = None) -> Legible:
    """The runs, one a line, the question in what room is left."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), expand=False)
    for name in ("id", "when", "strategy", "model", "status"):
        table.add_column(name, no_wrap=True, overflow="ellipsis", max_width=28)
    table.add_column("calls", justify="right", no_wrap=True)
    table.add_column("question", no_wrap=True, overflow="ellipsis", ratio=1)
    for row in rows:
        status = _word(row, "status") or "running"
        usage = _usage(row)
        calls = f"{usage['calls']:,}" if usage else ""
        table.add_row(
            Text(_word(row, "id"), style="bold"),
            Text(_when(row, zone), style="dim"),
            Text(_word(row, "strategy")),
            Text(_word(row, "model")),
            Text(status, style=_STATUS_STYLES.get(status, "")),
            Text(calls),
            Text(clip(_word(row, "question"), 200)),
        )
    return Legible(table if table.row_count else Text("no runs yet", style="dim"))


def run_view(row: Row, events: Sequence[Row], *, zone: tzinfo | None = None) -> Legible:
    """A run's header, its spans with their calls, and how it ended."""
    records = [record for event in events if (record := restore(event))]
    return Legible(_Timeline(row, records, rebuild(events), zone))


def run_tree(events: Sequence[Row]) -> Legible:
    """A run's whole search tree, the dropped thoughts included."""
    return Legible(_WholeTree(rebuild(events)))


@dataclass(slots=True)
class _Part:
    """A span with what happened in it, in order."""

    path: str
    began: float
    ended: float | None = None
    error: str = ""
    calls: list[e.CallEnded] = field(default_factory=list)  # its own
    inside: list[_Part | tuple[float, str]] = field(default_factory=list)

    def all_calls(self) -> list[e.CallEnded]:
        below = [part.all_calls() for part in self.inside if isinstance(part, _Part)]
        return [*self.calls, *(call for calls in below for call in calls)]


@dataclass(frozen=True, slots=True)
class _Timeline:
    row: Row
    records: list[Record]
    snapshot: Snapshot
    zone: tzinfo | None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        yield self._head(width)
        asked = _word(self.row, "question")
        if asked:
            yield Text(clip(f"  {asked}", width), style="bold")
        yield Text()
        top = _parts_of(self.records)
        for item in top.inside:
            yield from self._lines(item, 0, width)
        if self.snapshot.votes:
            yield Text()
            yield Text(clip(f"  {votes.ruling(self.snapshot.votes)}", width))
        answer = _outcome(self.row).get("answer")
        yield Text()
        if isinstance(answer, str):
            yield Text("  answer ", style="dim").append(one_line(answer), style="bold")
        else:
            yield Text("  no answer", style="dim")

    def _head(self, width: int) -> Text:
        row = self.row
        usage = _usage(row)
        words = [_word(row, "strategy"), _word(row, "model"), _when(row, self.zone)]
        started, ended = row.get("started"), row.get("ended")
        if isinstance(started, (int, float)) and isinstance(ended, (int, float)):
            words.append(amounts.lasting(ended - started))
        if usage:
            words.append(amounts.calls(Usage(**usage)))
        status = _word(row, "status") or "running"
        line = Text(_word(row, "id"), style="bold").append("  ")
        line.append(parts([status, *filter(None, words)], max(1, width - line.cell_len)))
        return line

    def _lines(self, item: _Part | tuple[float, str], level: int, width: int) -> Iterable[Text]:
        narrow = width < 60
        if not isinstance(item, _Part):
            at, said = item
            lead = "" if narrow else f"{amounts.milliseconds(at, self.zone)}  "
            yield Text(clip(f"  {lead}{'  ' * level}{said}", width), style="dim")
            return
        calls = item.all_calls()
        lead = "" if narrow else f"{amounts.milliseconds(item.began, self.zone)}  "
        left = Text("  ").append(lead, style="dim").append("  " * level)
        left.append(one_line(item.path.rsplit("/", 1)[-1]) or "run")
        nested = any(isinstance(inner, _Part) for inner in item.inside)
        if len(calls) > 1 and not nested:
            left.append(f" ×{len(calls)}")
        if item.error:
            left.append(f"  {item.error}", style="red")
        yield sides(left, _measures(item, calls, nested, narrow), width)
        for inner in item.inside:
            yield from self._lines(inner, level + 1, width)


@dataclass(frozen=True, slots=True)
class _WholeTree:
    snapshot: Snapshot

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.snapshot.thoughts:
            yield from frame.indented(tree.whole(self.snapshot, max(1, options.max_width - 4)), 2)
        else:
            yield Text("  this run has no tree", style="dim")


def _measures(part: _Part, calls: list[e.CallEnded], nested: bool, narrow: bool) -> Text:
    """`182 → 96   1.1 s`; for a span with others in it, its calls."""
    lasted = amounts.lasting((part.ended if part.ended is not None else part.began) - part.began).rjust(8)
    if not calls:
        return Text(lasted, style="dim")
    cached, failed = sum(call.cached for call in calls), sum(bool(call.error) for call in calls)
    what = amounts.many(len(calls), "call") if nested else ""
    if not nested:
        tokens = sum(call.input_tokens for call in calls), sum(call.output_tokens for call in calls)
        what = f"{amounts.short(tokens[0])} → {amounts.short(tokens[1])}"
    notes = [f"{failed} failed"] if failed else []
    if cached:
        notes.append("cached" if cached == len(calls) else f"{cached} cached")
    return Text(" · ".join([what] if narrow else [*notes, what]) + lasted, style="dim")


def _parts_of(records: Sequence[Record]) -> _Part:
    """The spans as they lie in each other, found by their paths: concurrent ones interleave in time."""
    top = _Part("", records[0].at if records else 0.0)
    open_parts: dict[str, _Part] = {"": top}
    for record in records:
        here = open_parts.get(record.span) or _inside(open_parts, record.span, record.at)
        match record.event:
            case e.SpanEnded(error=error):
                here.ended, here.error = record.at, error
                open_parts.pop(record.span, None)
                open_parts.setdefault("", top)
            case e.CallEnded() as call:
                here.calls.append(call)
            case e.LevelDone() | e.Warned() | e.BudgetHit() | e.Stopped() | e.Retrying() as event:
                here.inside.append((record.at, note(event, Snapshot())))
            case _:
                pass
    return top if any(isinstance(part, _Part) for part in top.inside) or not top.calls else _Part("", 0.0, inside=[top])


def _inside(open_parts: dict[str, _Part], span: str, at: float) -> _Part:
    outer = span.rsplit("/", 1)[0] if "/" in span else ""
    parent = open_parts.get(outer) or _inside(open_parts, outer, at)
    part = _Part(span, at)
    parent.inside.append(part)
    open_parts[span] = part
    return part


def _word(row: Row, name: str) -> str:
    value = row.get(name)
    return one_line(value) if isinstance(value, str) else ""


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
