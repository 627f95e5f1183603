"""A worked example, and what is said of one that cannot be used."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptkit.errors import BadInput, UnknownName

FIELDS = ("question", "answer", "rationale", "label")
NEEDED = ("question", "answer")
FORM = "each example has a question, an answer and, if you like, a rationale and a label"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A question with its answer; `rationale` is the reasoning that leads there."""

    question: str
    answer: str
    rationale: str = ""
    label: str = ""  # the kind it is of, for balanced selection; none: its answer
    origin: str = ""  # file:line, for messages and for the record

    @property
    def kind(self) -> str:
        """What a balanced choice has as many of as of every other: its label, else its answer."""
        return same(self.label or self.answer)


Given = str | Path | Sequence[Example | Mapping[str, Any]] | None  # a file, the examples themselves, or the pack's


def same(question: str) -> str:
    """Equal for questions that differ in case, width, spacing and closing punctuation only."""
    return " ".join(unicodedata.normalize("NFKC", question).casefold().split()).rstrip(" .?!。？！؟")


def listed(given: Sequence[Example | Mapping[str, Any]]) -> tuple[Example, ...]:
    """Examples given in Python or kept in a journal; BadInput names the one that cannot be used."""
    return tuple(_listed(f"example {number}", each) for number, each in enumerate(given, start=1))


def _listed(where: str, given: Example | Mapping[str, Any]) -> Example:
    if isinstance(given, Example):
        return given
    if not isinstance(given, Mapping):
        raise BadInput(f"{where}: not a mapping", hint=FORM)
    fields = dict(given)
    return made(str(fields.pop("origin", "") or where), fields)


def made(where: str, fields: Mapping[str, Any]) -> Example:
    """One example of what a file says of it; None stands for a value that was left empty."""
    for name in fields:
        if name not in FIELDS:
            error = UnknownName("field", str(name), FIELDS)
            raise BadInput(f"{where}: {error.message}", hint=error.hint)
    texts = {name: "" if fields.get(name) is None else fields[name] for name in FIELDS}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise BadInput(f"{where}: {name} is not a text", hint=FORM)
        if text.encode("utf-8", "replace") != text.encode("utf-8", "surrogatepass"):
            raise BadInput(f"{where}: {name} holds half a character (a lone surrogate)", hint="write it out in UTF-8")
        if not text.strip() and name in NEEDED:
            raise BadInput(f"{where}: {'empty' if name in fields else 'no'} {name}", hint=FORM)
    return Example(**{name: text.strip() for name, text in texts.items()}, origin=where)
