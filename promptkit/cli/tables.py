"""Tables and drawings on stdout: fitted and styled for a person, whole and plain into a pipe."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from promptkit.cli.speak import out

if TYPE_CHECKING:
    from rich.text import Text

PIPE_WIDTH = 1000  # of what is drawn, not tabulated, where no window tells; it takes no more than it needs
_COLUMN = 32  # the fewest cells a text is wrapped in beside the other columns; with fewer it goes below them

_APART = re.compile(r"[\s\-*#>|]|\d+[.)]")  # how a line begins that does not go on with the one above


def columns(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table: no name is ever cut; on a narrow terminal long columns go below the line they belong to."""
    from promptkit.render.safe import Legible, one_line

    cells = [[one_line(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        from rich.console import Console

        return draw(Legible(*fitted(head, cells, Console(file=sys.stdout).width)))
    widths = _widths(head, cells)
    for line in (head, *cells):
        out("  ".join(_padded(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip())
    return None


def fitted(head: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[Text]:
    """The table's lines, none wider than `width` unless one word is."""
    from rich.text import Text

    widths, last = _widths(head, rows), len(head) - 1
    beside = list(range(len(head)))  # the columns that stay next to each other

    def taken() -> int:
        return sum(widths[at] + 2 for at in beside) - 2

    while taken() > width and len(beside) > 1:
        widest = max(beside[1:], key=lambda at: widths[at])
        if widest == last and (room := width - taken() + widths[last]) >= _COLUMN:
            widths[last] = room
            break
        beside.remove(widest)
    below = [at for at in range(len(head)) if at not in beside]
    lines = [Text(_joined([head[at] for at in beside], [widths[at] for at in beside]), style="dim")]
    for row in rows:
        lines += _row(row, beside, [widths[at] for at in beside], width)
        for at in below:
            label = "" if at == last else f"{head[at]}: "
            lines += [Text(f"    {piece}") for piece in _wrapped(f"{label}{row[at]}", width - 4) if row[at]]
    return lines


def _row(row: Sequence[str], beside: Sequence[int], widths: Sequence[int], width: int) -> Iterator[Text]:
    """A row's line, its last cell wrapped where it stands."""
    from rich.text import Text

    *first, end = (row[at] for at in beside)
    indent = sum(room + 2 for room in widths[:-1])
    pieces = _wrapped(end, min(widths[-1], max(1, width - indent)))
    lead = "".join(_padded(cell, room) + "  " for cell, room in zip(first, widths, strict=False))
    line = Text(lead + pieces[0])
    line.stylize("bold", 0, len(row[beside[0]]))
    yield line
    yield from (Text(" " * indent + piece) for piece in pieces[1:])


def _wrapped(text: str, width: int) -> list[str]:
    from promptkit.render.safe import wrap

    return wrap(text, max(1, width)) or [""]


def _joined(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(_padded(cell, width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _widths(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    from rich.cells import cell_len

    return [max(map(cell_len, column)) for column in zip(head, *rows, strict=True)]


def _padded(cell: str, width: int) -> str:
    from rich.cells import cell_len

    return cell + " " * (width - cell_len(cell))


def prose(text: str, hang: int = 0) -> None:
    """Print a text; on a terminal its paragraphs are wrapped at words, further lines `hang` cells in."""
    if not sys.stdout.isatty():
        return out(text)
    from rich.console import Console

    width = Console(file=sys.stdout).width
    for paragraph in _paragraphs(text):
        first, *rest = _wrapped(paragraph, width)
        more = _wrapped(" ".join(piece.strip() for piece in rest), width - hang) if rest else []
        for line in (first, *(" " * hang + piece for piece in more)):
            out(line)
    return None


def _paragraphs(text: str) -> list[str]:
    """The lines, those that only go on joined to the one before; what is set in, listed or headed stands alone."""
    found: list[str] = []
    for line in text.split("\n"):
        if found and found[-1] and line and not _APART.match(line):
            found[-1] += f" {line.rstrip()}"
        else:
            found.append(line.rstrip())
    return found


def draw(renderable: Any) -> None:
    """Print a rich renderable; into a pipe without colour."""
    from rich.console import Console

    tty = sys.stdout.isatty()
    console = Console(file=sys.stdout, force_terminal=tty, width=None if tty else PIPE_WIDTH)
    with console.capture() as capture:  # printed by out(), which minds readers that leave
        console.print(renderable)
    out("\n".join(line.rstrip() for line in capture.get().split("\n")).rstrip("\n"))
