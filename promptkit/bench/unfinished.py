"""What was measured of the section under way, should it be stopped before its end."""

from __future__ import annotations

from dataclasses import replace

from promptkit.bench.section import Section, Table
from promptkit.render.amounts import many


class Unfinished:
    """The tables of one section after another, each as far as it has come."""

    def __init__(self) -> None:
        self.begin("")

    def begin(self, name: str) -> None:
        """The next section."""
        self._name = name
        self._tables: dict[str, tuple[Table, int]] = {}  # by title, with the rows it was to have

    def take(self, table: Table, rows: int) -> None:
        """A table that has grown, and how many rows it will have in the end."""
        self._tables[table.title] = (table, rows)

    def section(self) -> Section | None:
        """The tables, those that lack rows named so; None where there is no row."""
        tables = tuple(_titled(table, rows) for table, rows in self._tables.values())
        return Section(self._name, f"{self._name}, interrupted", tables) if tables else None

    def told(self) -> str:
        """Where it was stopped: `game24 after 5 of 14 rows`."""
        if not self._tables:
            return self._name
        return f"{self._name} after {_of(*list(self._tables.values())[-1])}"


def _titled(table: Table, rows: int) -> Table:
    return table if len(table.rows) == rows else replace(table, title=f"{table.title} (only {_of(table, rows)})")


def _of(table: Table, rows: int) -> str:
    return f"{len(table.rows)} of {many(rows, 'row')}"
