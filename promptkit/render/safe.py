"""Text of a model as data: never markup, never an escape sequence, never a byte the terminal cannot write."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

# Whole sequences carry nothing a reader wants. An unterminated one loses only its introducer, so that
# no text can hide itself behind an opening that never ends.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS, SOS, PM, APC
    r"|(?:\x1b[\[\]PX^_]|[\x9b\x9d\x90\x98\x9e\x9f])"
    r"|\x1b[ -/]*[0-~]"
)
_NEWLINE = re.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_PLAIN = re.compile(r"[\n -~]*")  # the usual case needs no second look
_MARKS = 3  # more combining marks than any script stacks are there to overflow the line
_NON_JOINER = "\u200c"  # a spelling matter in Persian and others, between letters
_FAR = 120  # cells: what is longer does not push the column at the right away
_VISIBLE_FORMATS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f")  # category Cf, but printed

# Of the same width, so a frame keeps its shape where the encoding lacks the character.
_TWINS = dict(
    zip(
        "●★✗▸▰▱█├└│─━→←↳×·…–—−‘’“”⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏✓␣⏎⇥",
        "o*x>#.#|`|--><`x|~---''\"\"|/-\\|/-\\|/+_$>",
        strict=True,
    )
)


def clean(text: str) -> str:
    """The text without escape sequences and invisible characters; lone control bytes become their pictures."""
    if _PLAIN.fullmatch(text):
        return text
    text = _NEWLINE.sub("\n", _SEQUENCE.sub("", text)).expandtabs(4)
    return "".join(_legible(text))


def _legible(text: str) -> Iterator[str]:
    marks = 0
    for at, char in enumerate(text):
        kind = unicodedata.category(char)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if char == "\n":
            yield char
        elif kind == "Cc":
            yield chr(0x2400 + ord(char)) if char < " " else "\u2421" if char == "\x7f" else "\ufffd"
        elif kind == "Cs":
            yield "\ufffd"  # half a surrogate pair cannot be written in any encoding
        elif kind == "Cf":
            joins = char == _NON_JOINER and text[at - 1 : at].isalpha() and text[at + 1 : at + 2].isalpha()
            if joins or char in _VISIBLE_FORMATS:
                yield char
        elif "\ufe00" <= char <= "\ufe0f" or marks > _MARKS:
            continue  # presentation selectors change the width in some terminals only
        else:
            yield char


def one_line(text: str) -> str:
    """The cleaned text with every run of white space as one space."""
    return " ".join(clean(text).split())


def clip(text: str, width: int) -> str:
    """The text in at most `width` cells, ending in … where something was cut."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…"


def wrap(text: str, width: int) -> list[str]:
    """The cleaned text in lines of at most `width` cells, broken at spaces where there are any."""
    return [row for line in clean(text).split("\n") for row in _wrap_line(line, max(1, width))]


def _wrap_line(line: str, width: int) -> Iterator[str]:
    row = ""
    for word in re.findall(r" *[^ ]+", line.rstrip()):
        if cell_len(row + word) <= width:
            row += word
            continue
        if row:
            yield row
            word = word.lstrip()
        pieces = [word] if cell_len(word) <= width else chop_cells(word, width)
        # A wide character cannot be halved: in one column it is left out.
        yield from (piece for piece in pieces[:-1] if cell_len(piece) <= width)
        row = pieces[-1] if cell_len(pieces[-1]) <= width else ""
    yield row


def text(content: str, style: str | Style = "") -> Text:
    """A rich Text of someone else's words: cleaned, and never read as markup."""
    return Text(clean(content), style=style)


def sides(left: Text, right: Text, width: int) -> Text:
    """One line with `left` at its start and `right` at its end; the left is clipped, the right goes if it must."""
    if right.cell_len and right.cell_len + min(left.cell_len, 12) + 2 > width:
        right = Text()
    room = width - right.cell_len - 2 if right.cell_len else width
    line = left.copy()
    line.truncate(max(1, room), overflow="ellipsis")
    if right.cell_len:
        line.append(" " * (width - line.cell_len - right.cell_len)).append_text(right)
    line.truncate(max(1, width), overflow="ellipsis")
    return line


def beside(pairs: Sequence[tuple[Text, Text]], width: int) -> list[Text]:
    """A line for each pair, the right parts in a column of their own no further away than it must be."""
    rights = max((right.cell_len for _, right in pairs), default=0)
    near = min(width, _FAR)
    column = max((n for left, right in pairs if right and (n := left.cell_len + 2 + rights) <= near), default=near)
    lines = []
    for left, right in pairs:
        reach = max(column, left.cell_len + 2 + right.cell_len) if right else width
        lines.append(sides(left, right, min(width, reach)))
    return lines


def parts(items: Iterable[str], width: int) -> str:
    """The items joined by dots, as many from the front as fit; the first is clipped if even it does not."""
    chosen = ""
    for item in items:
        longer = f"{chosen} · {item}" if chosen else item
        if chosen and cell_len(longer) > width:
            break
        chosen = longer
    return clip(chosen, width)


def flow(line: str, width: int) -> list[str]:
    """The line's parts in as many lines as they need, broken at the dots between them."""
    rows = [""]
    for item in line.split(" · "):
        longer = f"{rows[-1]} · {item}" if rows[-1] else item
        if rows[-1] and cell_len(longer) > width:
            rows.append(item)
        else:
            rows[-1] = longer
    return [piece for row in rows for piece in wrap(row, width)]


@lru_cache(maxsize=4096)
def _writable(char: str, encoding: str) -> str:
    try:
        char.encode(encoding)
        return char
    except (UnicodeEncodeError, LookupError):
        return _TWINS.get(char) or "?" * cell_len(char)


def downgrade(content: str, encoding: str) -> str:
    """The text as `encoding` can write it, cell for cell: a twin in ASCII, or question marks."""
    if content.isascii() or encoding.lower().startswith("utf"):
        return content
    return "".join(_writable(char, encoding) for char in content)


class Legible:
    """The renderable, downgraded to what the console's encoding can write."""

    def __init__(self, *content: RenderableType) -> None:
        self.content = Group(*content)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self.content, options):
            yield Segment(downgrade(segment.text, options.encoding), segment.style, segment.control)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self.content)
