"""Tables and drawings on stdout: fitted and styled for a person, whole and plain into a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from promptkit.cli.speak import out

PIPE_WIDTH = 160  # of what is drawn, not tabulated, where no window tells


def columns(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; into a pipe no cell is cut."""
    from promptkit.render.safe import Legible, one_line

    cells = [[one_line(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
        for index, name in enumerate(head):
            table.add_column(name, no_wrap=index < len(head) - 1, overflow="fold")
        for row in cells:
            table.add_row(*(Text(cell, style="" if index else "bold") for index, cell in enumerate(row)))
        draw(Legible(table))
        return
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(head, *cells, strict=True)]
    for line in (head, *cells):
        out("  ".join(cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True)).rstrip())


def draw(renderable: Any) -> None:
    """Print a rich renderable; into a pipe without colour."""
    from rich.console import Console

    tty = sys.stdout.isatty()
    console = Console(file=sys.stdout, force_terminal=tty, width=None if tty else PIPE_WIDTH)
    with console.capture() as capture:  # printed by out(), which minds readers that leave
        console.print(renderable)
    out("\n".join(line.rstrip() for line in capture.get().split("\n")).rstrip("\n"))
