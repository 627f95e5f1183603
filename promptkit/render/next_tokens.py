"""What may come next, as bars: full ones for the tokens that can be drawn, hollow ones for those that were cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from promptkit.render.amounts import many
from promptkit.render.pieces import visible
from promptkit.render.safe import clip, wrap

_FULL, _HOLLOW = "▰", "▱"
_BAR = (4, 40)  # fewest and most cells of a whole bar


def share(p: float) -> str:
    """`0.42`, `0.0277`, `3e-05`: four places, and no more digits than there are."""
    if p and p < 0.00005:
        return f"{p:.0e}"
    return f"{p:.4f}".rstrip("0").rstrip(".") or "0"


def head(told: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the columns; what is drawn from is told where rules are in force."""
    return ("token", "p", "cumulative", *(("drawn", "") if _ruled(told) else ()))


def rows(told: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A row for each token: its probability, all up to it, and what the rules leave of it, with a word."""
    return [_row(told, each) for each in told["tokens"]]


def _row(told: Mapping[str, Any], each: Mapping[str, Any]) -> tuple[str, ...]:
    first = (visible(each["text"], each["id"]), share(each["p"]), share(each["cumulative"]))
    if not _ruled(told):
        return first
    return (*first, share(each["drawn"] or 0.0), "kept" if each["drawn"] else "cut")


def bars(told: Mapping[str, Any], width: int) -> list[Text]:
    """The distribution in at most `width` cells a line."""
    cells = rows(told)
    label = min(max(cell_len(row[0]) for row in cells), max(6, width // 3))
    numbers = [row[1:4] if _ruled(told) else row[1:3] for row in cells]
    names = ("p", "cumul.", "drawn")[: len(numbers[0])]
    if width < label + 7 * len(names) + 2 + _BAR[0]:  # the sums can be added up by who needs them
        numbers = [(row[0], *row[2:]) for row in numbers]
        names = (names[0], *names[2:])
    widths = [max(len(name), *(len(row[at]) for row in numbers)) for at, name in enumerate(names)]
    room = min(_BAR[1], width - label - sum(widths) - 2 * len(widths) - 2)
    top = " " * label + "".join("  " + name.rjust(size) for name, size in zip(names, widths, strict=True))
    lines = [Text(top, style="dim")]
    most = max(each["p"] for each in told["tokens"])
    for each, row, figures in zip(told["tokens"], cells, numbers, strict=True):
        kept = bool(each["drawn"])
        name = clip(row[0], label)
        line = Text(name + " " * (label - cell_len(name)), style="bold" if kept else "dim")
        for figure, size in zip(figures, widths, strict=True):
            line.append("  " + figure.rjust(size), style="" if kept else "dim")
        if room >= _BAR[0]:
            full = max(1, round(each["p"] / most * room)) if each["p"] else 0
            line.append("  " + (_FULL if kept else _HOLLOW) * full, style="green" if kept else "dim")
        lines.append(line)
    return [*lines, *(Text(piece, style="dim") for line in _left(told) for piece in wrap(line, width))]


def _left(told: Mapping[str, Any]) -> list[str]:
    """What is not among the rows."""
    more = told["more"]
    found = []
    if more["tokens"]:
        kept = f", {more['kept']:,} of them kept" if more["kept"] and _ruled(told) else ""
        found.append(f"… {many(more['tokens'], 'more token')} with {share(more['p'])} together{kept}")
    if told["rest"]:
        found.append(f"… {share(told['rest'])} on tokens that the model does not tell")
    return found


def summary(told: Mapping[str, Any]) -> list[str]:
    """What it comes to, in sentences: entropy, what is drawn from, ties."""
    least = "" if told["exact"] else "at least "
    said = [f"entropy {least}{told['entropy_bits']:.2f} bits" + ("" if told["exact"] else " (the rest is not told)")]
    if _ruled(told):
        beyond = any(cut["open"] for cut in told["cuts"].values())
        kept = many(told["kept"], "token") + (" that are told, and others" if beyond else "")
        said.append(f"{told['rules']}: drawn from {kept}, {told['drawn_entropy_bits']:.2f} bits")
    for name, cut in told["cuts"].items():
        if cut["tied"]:
            said.append(f"{name} cuts through a tie: {many(cut['tied'], 'token')} as probable as the last one kept")
    if told["tie"]:
        said.append(f"a tie for the likeliest: {' and '.join(visible(each) for each in told['tie'][:4])}")
    return said


def told_below(told: Mapping[str, Any]) -> Sequence[str]:
    """The lines below a plain table: what is not among its rows, then what it comes to."""
    return [*_left(told), *summary(told)]


def _ruled(told: Mapping[str, Any]) -> bool:
    return bool(told["rules"] != "as it is")
