"""Markdown as its parser sees it: headings, lists and tables that are really ones, not lines that look like it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from promptkit.answers.final import LABEL

if TYPE_CHECKING:
    from markdown_it.token import Token

_CELLS = re.compile(r"(?<!\\)\|")
_NEWLINE = re.compile(r"\r\n?|\n")
_MARKS = " \t*_`:"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading, and the lines it stands on."""

    level: int
    text: str
    first: int
    after: int


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its column names, the cells of its rows as they are written, and its lines."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    first: int
    after: int


@dataclass(frozen=True, slots=True)
class Numbered:
    """A numbered list: the numbers as they are written, whether each item says something, and its lines."""

    numbers: tuple[str, ...]
    filled: tuple[bool, ...]
    first: int
    after: int


def headings(text: str) -> list[Heading]:
    """The headings that stand in nothing else."""
    tokens = _parsed(text)
    return [
        Heading(int(token.tag[1:]), bare(tokens[at + 1].content), *_place(token))
        for at, token in enumerate(tokens)
        if token.type == "heading_open" and token.level == 0
    ]


def table(text: str) -> Table | None:
    """The last table that stands in nothing else."""
    opened = [token for token in _parsed(text) if token.type == "table_open" and token.level == 0]
    if not opened:
        return None
    first, after = _place(opened[-1])
    head, _, *rows = lines(text)[first:after]
    return Table(cells(head), tuple(map(cells, rows)), first, after)


def numbered(text: str) -> Numbered | None:
    """The last numbered list that stands in nothing else."""
    tokens = _parsed(text)
    at = max((i for i, each in enumerate(tokens) if each.type == "ordered_list_open" and each.level == 0), default=None)
    if at is None:
        return None
    end = next(i for i in range(at, len(tokens)) if tokens[i].type == "ordered_list_close" and tokens[i].level == 0)
    starts = [i for i in range(at, end) if tokens[i].type == "list_item_open" and tokens[i].level == 1]
    filled = [any(each.content.strip() for each in tokens[i:j]) for i, j in _between(starts, end)]
    return Numbered(tuple(tokens[i].info for i in starts), tuple(filled), *_place(tokens[at]))


def open_fence(text: str) -> bool:
    """Whether a code block is begun and never closed."""
    written = lines(text)
    for token in _parsed(text):
        if token.type == "fence" and token.map:
            last = written[token.map[1] - 1].strip(" >") if token.map[1] - token.map[0] > 1 else ""
            if not (last.startswith(token.markup) and not last.strip(token.markup[0])):
                return True
    return False


def cells(row: str) -> tuple[str, ...]:
    """The cells of a row as they are written, where an escaped bar parts nothing."""
    row = row.strip()
    row = row[1:] if row.startswith("|") else row
    parts = _CELLS.split(row)
    return tuple(part.strip() for part in (parts[:-1] if len(parts) > 1 and not parts[-1].strip() else parts))


def bare(text: str) -> str:
    """A name without the marks around it: equal for **Name:** and Name."""
    return text.strip(_MARKS)


def without_answer(text: str) -> str:
    """The text before a last line that begins "Answer:" and says what it is."""
    *before, last = lines(text.rstrip())
    label = LABEL.fullmatch(last)
    return "\n".join(before) if label and label["rest"].strip(" *_") else text


def lines(text: str) -> list[str]:
    """The lines of a text as the parser numbers them: a form feed ends none."""
    return _NEWLINE.split(text)


def _between(starts: Sequence[int], end: int) -> list[tuple[int, int]]:
    return list(zip(starts, [*starts[1:], end], strict=True))


def _place(token: Token) -> tuple[int, int]:
    first, after = token.map or (0, 0)
    return first, after


def _parsed(text: str) -> list[Token]:
    return list(_parser().parse(text))


@lru_cache(maxsize=1)
def _parser() -> Any:
    from markdown_it import MarkdownIt  # loaded where a form is looked for

    return MarkdownIt("commonmark").enable("table")
