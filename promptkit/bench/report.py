"""Sections of a benchmark as a person reads them, and as JSON. No date and no machine is in either."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from promptkit.bench.section import Bench, Cell, Section, Table
from promptkit.types import plain

_INTERVAL = ("low %", "high %")  # side by side, they are shown as one column


def cells(table: Table) -> tuple[list[str], list[list[str]]]:
    """The table's head and rows as texts: shares as `74 %`, their intervals as `69–79`."""
    columns = list(_columns(table))
    return [column.name for column in columns], [[column.text(row) for column in columns] for row in table.rows]


def markdown(section: Section) -> str:
    """The section as Markdown."""
    parts = [f"## {section.title}"]
    for table in section.tables:
        head, rows = cells(table)
        marks = ["--:" if column.numeric(table) else "---" for column in _columns(table)]
        lines = (head, marks, *rows)
        parts += [f"### {table.title}", "\n".join(f"| {' | '.join(map(_escaped, line))} |" for line in lines)]
    if section.notes:
        parts.append("\n".join(f"- {note}" for note in section.notes))
    return "\n\n".join(parts) + "\n"


def as_json(
    bench: Bench, sections: Sequence[Section], *, complete: bool = True, unfinished: Section | None = None
) -> dict[str, Any]:
    """The document `promptkit.bench/1`; the model is named by the sha256 of all that makes its texts its own."""
    return {
        "schema": "promptkit.bench/1",
        "model": bench.model.id,
        "identity": hashlib.sha256(bench.model.identity.encode()).hexdigest(),
        "items": bench.items,
        "seeds": list(bench.seeds),
        "complete": complete,
        "sections": [plain(section) for section in sections],
        "unfinished": plain(unfinished),  # the section that was interrupted, as far as it came
    }


@dataclass(frozen=True, slots=True)
class _Column:
    """A column as it is shown: one of the table's, or the two bounds of an interval."""

    name: str
    at: int
    share: bool = False
    interval: bool = False

    def text(self, row: Sequence[Cell]) -> str:
        cell = row[self.at]
        if self.interval:
            return interval(cell, row[self.at + 1])
        return f"{percent(cell)} %" if self.share and isinstance(cell, (int, float)) else amount(cell)

    def numeric(self, table: Table) -> bool:
        return not self.interval and all(not isinstance(row[self.at], str) for row in table.rows)


def _columns(table: Table) -> Iterator[_Column]:
    names = table.columns
    for at, name in enumerate(names):
        if names[at : at + 2] == _INTERVAL:
            yield _Column("interval", at, interval=True)
        elif at == 0 or names[at - 1 : at + 1] != _INTERVAL:
            share = name.endswith("%")
            yield _Column(name.removesuffix("%").rstrip() if share else name, at, share)


def interval(low: Cell, high: Cell) -> str:
    """`69–79`, in per cent; `–` where a bound is not known."""
    if isinstance(low, (int, float)) and isinstance(high, (int, float)):
        return f"{percent(low)}–{percent(high)}"
    return "–"


def percent(share: float) -> str:
    """`74`; `0.4` and `99.6` near the ends, where a whole number would say all or nothing."""
    near_an_end = 0.0005 <= share < 0.01 or 0.99 < share < 0.9995
    return f"{share:.1%}"[:-1] if near_an_end else f"{share:.0%}"[:-1]


def amount(cell: Cell) -> str:
    """A text as it is, and a number with as many digits as mean something; `–` for none."""
    if cell is None:
        return "–"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int) or abs(cell) >= 100:
        return f"{cell:,.0f}"
    return f"{cell:.1f}" if abs(cell) >= 10 else f"{cell:.2f}"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
