"""What every live view shares: its head, its progress line, and how the rows of the terminal are dealt out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from promptkit import composition
from promptkit.render import amounts
from promptkit.render.safe import clip, one_line, parts, sides, wrap
from promptkit.render.state import Snapshot

_CLASS = re.compile(r"^[A-Z]\w*: (?=\S)")
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
FRAMES_PER_SECOND = 8
_VALUE = 60  # cells of a parameter's value that are shown
_TELLING = 24  # cells of a parameter that are worth showing, where there is no room for all of it

Body = Callable[[int, int], list[Text]]


def spinner(now: float) -> str:
    """The spinner as it stands at this moment."""
    return SPINNER[int(now * FRAMES_PER_SECOND) % len(SPINNER)]


def settings(strategy: str, params: Mapping[str, Any]) -> list[str]:
    """The parameters worth a word, of what is inside, too: `depth 3`, `width 5`, `few-shot temperature 0.7`."""
    words: list[str] = []
    said: set[str] = set()
    for name, held in composition.recorded(strategy, params):
        idle = {"of", *composition.idle(name, held)}
        found = [(field, word) for field, value in held.items() if field not in idle and (word := _word(field, value))]
        words += [one_line(f"{name} {word}" if field in said else word) for field, word in found]
        said.update(held)  # of two of one name, the inner one is told with its strategy
    return words


def _word(name: str, value: Any) -> str:
    """A parameter with its value; "" where that is nothing, or too much for a line."""
    match value:
        case bool():
            return name if value else ""
        case float():
            return f"{name} {value:g}" if value else ""
        case int():
            return f"{name} {value}" if value else ""
        case str():
            shown = clip(one_line(value), _VALUE)
            return f'{name} "{shown}"' if "," in shown else f"{name} {shown}" if shown else ""
        case {"strategy": str(held), "params": Mapping() as params}:
            return f"{name} {composition.titled(held, params)}"
        case [str(), *rest] if all(isinstance(each, str) for each in rest):
            return _word(name, " + ".join(value))
        case _:
            return ""


def header(snapshot: Snapshot, width: int) -> Text:
    """`tot  depth 3 · width 5                 ollama:qwen3:8b · game24`."""
    run = snapshot.run
    if run is None:
        return Text("starting", style="dim")
    # The model matters more than the parameters, so it is fitted first.
    where = [amounts.model(run.model), one_line(run.pack) if run.pack != "general" else ""]
    right = Text(parts(filter(None, where), max(8, width // 2)), style="cyan")
    left = Text(one_line(composition.titled(run.strategy, run.params)), style="bold")
    room = width - left.cell_len - right.cell_len - 4
    if (about := settings(run.strategy, run.params)) and min(cell_len(about[0]), _TELLING) <= room:
        left.append("  ").append(parts(about, room), style="dim")
    return sides(left, right, width)


def question(snapshot: Snapshot, width: int) -> Text:
    """The question in one line."""
    asked = one_line(snapshot.run.question) if snapshot.run else ""
    return Text(clip(asked or "the question", width), style="bold" if asked else "dim")


def tallies(snapshot: Snapshot, now: float) -> list[str]:
    """`22 samples (3 cached)`, `3 waiting`, `4.1k tokens`, `0:07`, `$0 local`: most telling first."""
    samples = amounts.samples(snapshot.calls, snapshot.cached)  # a call may bring several
    words = [samples]
    if snapshot.in_flight:
        words.append(f"{snapshot.in_flight} waiting")
    if snapshot.retry_until > now and not snapshot.ended:
        words.append(f"retrying in {snapshot.retry_until - now:.0f} s")
    if snapshot.failed:
        words.append(f"{snapshot.failed} failed")
    words += [f"{amounts.short(snapshot.tokens)} tokens", amounts.clock(snapshot.seconds(now))]
    if snapshot.run and amounts.local(snapshot.run.model):
        words.append(amounts.money(0, snapshot.run.model))
    return words


def bar(share: float, width: int) -> Text:
    """`▰▰▰▱▱▱▱▱▱▱`."""
    full = round(min(1.0, max(0.0, share)) * width)
    return Text("▰" * full, style="cyan").append("▱" * (width - full), style="dim")


def warning(snapshot: Snapshot, width: int) -> Text | None:
    """The latest thing the user should know, in one line."""
    if snapshot.budget:
        return Text(clip(f"! {budget_words(snapshot)}", width), style="yellow")
    if not snapshot.warnings:
        return None
    latest = next(reversed(snapshot.warnings))
    return Text(clip(f"! {one_line(latest.message)}", width), style="yellow")


def warnings(snapshot: Snapshot, width: int) -> list[Text]:
    """Everything the user should know, each once, with what to type."""
    lines = []
    for said, times in snapshot.warnings.items():
        often = f" (×{times})" if times > 1 else ""
        rows = wrap(f"! {one_line(said.message)}{often}", width)
        hints = [row for hint in said.hint.splitlines() if hint.strip() for row in wrap(one_line(hint), width - 2)]
        lines += [Text(row, style="yellow") for row in rows]
        lines += [Text(f"  {row}", style="dim") for row in hints]  # wrapped, not cut: they are there to be typed
    return fitted(lines, width)


def budget_words(snapshot: Snapshot) -> str:
    """`budget reached: 50 of 50 calls`."""
    hit = snapshot.budget
    if hit is None:
        return "budget reached"
    cap = one_line(hit.cap).removeprefix("max_").removeprefix("max-")
    if cap == "cost":
        words, held = f"{amounts.money(hit.used)} of {amounts.money(hit.limit)}", amounts.money(hit.reserved)
    else:
        words, held = f"{hit.used:,.6g} of {hit.limit:,.6g} {cap}", f"{hit.reserved:,.6g}"
    lost = f" · {held} reserved by {amounts.many(hit.unknown, 'interrupted call')}" if hit.unknown else ""
    return f"budget reached: {words}{lost}"


def reason(text: str) -> str:
    """Why something stopped, without the name of the error's class before it."""
    return _CLASS.sub("", one_line(text))


def indented(lines: list[Text], columns: int) -> list[Text]:
    """The lines, moved right."""
    return [Text(" " * columns).append_text(line) if line.plain else line for line in lines]


def fitted(lines: list[Text], width: int) -> list[Text]:
    """The lines, none wider than `width` cells."""
    for line in lines:
        line.truncate(max(1, width), overflow="ellipsis")
    return lines


def margin(width: int) -> int:
    """How far the body stands in; nothing where columns are few."""
    return 2 if width >= 40 else 0


def layout(snapshot: Snapshot, now: float, width: int, rows: int, body: Body, foot: Text) -> list[Text]:
    """Head, body and foot in at most `rows` lines of at most `width` cells; air goes first, then the head."""
    gap = margin(width)
    room = max(1, width - 2 * gap)
    airy, headed = rows >= 10, rows >= 5
    above: list[Text] = [header(snapshot, max(1, width - gap))] if headed else []
    said = warning(snapshot, room) if rows >= 7 else None
    below = indented([*([said] if said else []), foot], gap)
    if airy:
        above.append(Text())
        below.insert(0, Text())
    left = rows - len(above) - len(below)
    lines = fitted([*above, *(indented(body(room, left), gap) if left > 0 else []), *below], width)
    return lines[: max(1, rows)] if left >= 0 else lines[-max(1, rows) :]
