"""What each form of a text is: its words for a prompt, how it is found in a reply, and how a model is held to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from promptkit.errors import BadInput
from promptkit.layering import grammar, markdown
from promptkit.layering.grammar import BYTES, literal
from promptkit.outputs import Form

_ROWS = 4  # rows or steps where there is little room
_STEPS = 20  # steps at most
_OPENING = re.compile(r"(?m)^([ \t]{0,3})(?=#|=+[ \t]*$|-+[ \t]*$|`{3}|~{3}|<|\[)")  # what would not be prose
_BLANK = "–"  # what a model left empty


class Shape(Protocol):
    """A form that a text can have."""

    @property
    def asks(self) -> str:
        """What a prompt says of it."""

    def find(self, reply: str) -> str:
        """The part of the reply that has the form; ValueError says what is wrong."""

    def grammar(self, room: int | None) -> str:
        """GBNF whose every sentence has the form; with `room`, none takes more than so many tokens."""

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the value that write() takes."""

    def write(self, value: Any) -> str:
        """The form, filled in."""


@dataclass(frozen=True, slots=True)
class Headings:
    """Headings in an order, and text below each that has none deeper behind it. None stands for any heading."""

    wanted: tuple[tuple[int, str | None], ...]  # level and text
    asks: str

    def find(self, reply: str) -> str:
        """From the first of the headings to the end, where they are the last ones of the reply."""
        body = markdown.without_answer(reply)
        deepest = max(level for level, _ in self.wanted)
        found = [each for each in markdown.headings(body) if each.level <= deepest]
        mine = found[-len(self.wanted) :]
        for at, (level, name) in enumerate(self.wanted):
            title = f"{'#' * level} {name or '…'}"
            if not any(_is(each, level, name) for each in found):
                raise ValueError(f"there is no heading “{title}” on a line of its own")
            if at >= len(mine) or not _is(mine[at], level, name):
                order = ", ".join(f"“{'#' * level} {name or '…'}”" for level, name in self.wanted)
                raise ValueError(f"the headings of the text must be {order} and no others of these levels")
        lines = markdown.lines(body)
        ends = [each.first for each in mine[1:]] + [len(lines)]
        for at, (each, end) in enumerate(zip(mine, ends, strict=True)):
            if self._leaf(at) and not "".join(lines[each.after : end]).strip():
                raise ValueError(f"nothing stands below the heading “{'#' * each.level} {each.text}”")
        return "\n".join(lines[mine[0].first :]).strip()

    def _leaf(self, at: int) -> bool:
        """Whether text must stand below a heading: not where a deeper one does."""
        return at + 1 == len(self.wanted) or self.wanted[at + 1][0] <= self.wanted[at][0]

    def grammar(self, room: int | None) -> str:
        fixed = sum(level + 5 + len((name or "").encode()) for level, name in self.wanted)
        texts = sum(self._leaf(at) + (name is None) for at, (_, name) in enumerate(self.wanted))
        each = None if room is None else (room - fixed) // BYTES // texts
        parts = []
        for at, (level, name) in enumerate(self.wanted):
            parts.append(literal("\n\n" * bool(at) + "#" * level + " "))
            parts.append(literal(name) if name is not None else grammar.line(each))
            parts += [literal("\n\n"), grammar.prose(each)] if self._leaf(at) else []
        return grammar.whole(" ".join(parts))

    def schema(self) -> dict[str, Any]:
        return _object({key: {"type": "string"} for key in self._keys()})

    def _keys(self) -> list[str]:
        """What is to be filled in, by names that differ."""
        keys: list[str] = []
        for at, (_, name) in enumerate(self.wanted):
            keys += ["title" if name is None else ""]
            keys += ["text" if name is None else name] if self._leaf(at) else []
        named = [key for key in keys if key]
        return [key if named.count(key) == 1 else f"{key} ({at})" for at, key in enumerate(named, start=1)]

    def write(self, value: Any) -> str:
        keys, parts = iter(self._keys()), []
        for at, (level, name) in enumerate(self.wanted):
            title = name if name is not None else _one_line(value[next(keys)]).strip("#") or _BLANK
            parts.append(f"{'#' * level} {title}")
            parts += [_inert(value[next(keys)])] if self._leaf(at) else []
        return "\n\n".join(parts)


def _is(found: markdown.Heading, level: int, name: str | None) -> bool:
    same = bool(found.text) if name is None else found.text.casefold() == markdown.bare(name).casefold()
    return found.level == level and same


@dataclass(frozen=True, slots=True)
class Steps:
    """A numbered list, counted from 1."""

    asks: str = "Write it as numbered steps, each on a line of its own: `1. …`, `2. …` and so on."

    def find(self, reply: str) -> str:
        body = markdown.without_answer(reply)
        found = markdown.numbered(body)
        if found is None:
            raise ValueError("there are no numbered steps, as in `1. …`, each on a line of its own")
        if list(found.numbers) != [str(at) for at in range(1, len(found.numbers) + 1)]:
            raise ValueError(f"the steps are numbered {', '.join(found.numbers)}, and must be 1, 2, 3 and so on")
        if not all(found.filled):
            raise ValueError(f"nothing stands behind step {found.filled.index(False) + 1}")
        return "\n".join(markdown.lines(body)[found.first : found.after]).strip()

    def grammar(self, room: int | None) -> str:
        count, each = (_STEPS, None) if room is None else (_ROWS, (room // _ROWS - 4) // BYTES)
        steps = [f"{literal(f'{n}. ')} {grammar.line(each)} {literal(chr(10))}" for n in range(1, count + 1)]
        return grammar.whole(" (".join(steps) + ")?" * (count - 1))

    def schema(self) -> dict[str, Any]:
        return _object({"steps": {"type": "array", "items": {"type": "string"}}})

    def write(self, value: Any) -> str:
        said = [_one_line(_inert(step)) for step in value["steps"]] or [_BLANK]
        return "\n".join(f"{number}. {step}" for number, step in enumerate(said, start=1))


@dataclass(frozen=True, slots=True)
class Tabular:
    """A Markdown table with given columns."""

    columns: tuple[str, ...]

    @property
    def asks(self) -> str:
        return f"Write it as a Markdown table with these columns, a line for each row:\n\n{self._head}"

    @property
    def _head(self) -> str:
        return f"| {' | '.join(self.columns)} |\n|{' --- |' * len(self.columns)}"

    def find(self, reply: str) -> str:
        body = markdown.without_answer(reply)
        found = markdown.table(body)
        if found is None:
            raise ValueError("there is no Markdown table")
        if [_name(each) for each in found.columns] != [_name(each) for each in self.columns]:
            raise ValueError(f"the columns are {', '.join(found.columns)}, and must be {', '.join(self.columns)}")
        if not found.rows:
            raise ValueError("the table has no rows")
        for number, row in enumerate(found.rows, start=1):
            if len(row) != len(self.columns):
                raise ValueError(f"row {number} has {len(row)} cells, and there are {len(self.columns)} columns")
        return "\n".join(markdown.lines(body)[found.first : found.after]).strip()

    def grammar(self, room: int | None) -> str:
        each = None
        if room is not None:
            fixed = len(self._head.encode()) + _ROWS * (3 * len(self.columns) + 2)
            each = (room - fixed) // BYTES // (_ROWS * len(self.columns))
        row = '"\\n| " ' + ' " | " '.join([grammar.cell(each)] * len(self.columns)) + ' " |"'
        more = f"({row})*" if room is None else f"({row}){{0,{_ROWS - 1}}}"
        return grammar.whole(f"{literal(self._head)} {row} {more}")

    def schema(self) -> dict[str, Any]:
        row = _object({name: {"type": "string"} for name in self.columns})
        return _object({"rows": {"type": "array", "items": row}})

    def write(self, value: Any) -> str:
        rows = value["rows"] or [dict.fromkeys(self.columns, _BLANK)]
        return "\n".join(
            [self._head, *(f"| {' | '.join(_cell(row[name]) for name in self.columns)} |" for row in rows)]
        )


@dataclass(frozen=True, slots=True)
class Free:
    """Any Markdown with a heading, and every code block closed."""

    asks: str = "Write it in Markdown, with at least one heading, as in `# Title`."

    def find(self, reply: str) -> str:
        body = markdown.without_answer(reply)
        found = markdown.headings(body)
        if markdown.open_fence(body):
            raise ValueError("a code block is begun and never closed")
        if not found:
            raise ValueError("there is no heading, as in `# Title`")
        return "\n".join(markdown.lines(body)[found[0].first :]).strip()

    def grammar(self, room: int | None) -> str:
        return _TITLED.grammar(room)

    def schema(self) -> dict[str, Any]:
        return _TITLED.schema()

    def write(self, value: Any) -> str:
        return _TITLED.write(value)


@dataclass(frozen=True, slots=True)
class Json:
    """JSON that satisfies a schema: what every strategy can be asked for as its output."""

    wanted: Form


def skeleton(text: str) -> Shape:
    """The headings of a text, whose prose says what belongs there; BadInput when it has none."""
    found = markdown.headings(text)
    if not found:
        raise BadInput("the skeleton has no headings", hint="e.g. # Title, and below it ## Summary")
    said = "Write it in Markdown, with the headings of this skeleton, in this order and with the same number of #. "
    said += "What stands below a heading there says what belongs below it: write that in its place.\n\n"
    return Headings(tuple((each.level, each.text) for each in found), said + text.strip())


_TITLED = Headings(((1, None),), "")


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _name(text: str) -> str:
    return markdown.bare(text).casefold()


def _one_line(text: object) -> str:
    return " ".join(str(text).split()) or _BLANK


def _inert(text: object) -> str:
    """Text in which nothing opens a heading, a rule or code."""
    return _OPENING.sub(r"\1\\", str(text).strip()) or _BLANK


def _cell(text: object) -> str:
    return _one_line(text).replace("\\", "\\\\").replace("|", "\\|")
