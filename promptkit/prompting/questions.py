"""Questions from a file: a text with one a line, or those of an examples file, whose answers are not looked at."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from promptkit import examples
from promptkit.errors import BadInput
from promptkit.textfile import text_of


def read(path: str | Path) -> tuple[str, ...]:
    """The questions of a .txt, .yaml, .jsonl or .csv file, each once, in order; BadInput says what is wrong with it."""
    path = Path(path).expanduser()
    if path.suffix.lower() != ".txt":
        return distinct(each.question for each in examples.read(path))
    text = text_of(path, hint="--questions FILE, one question a line")
    found = distinct(line.strip() for line in text.splitlines() if line.strip())
    if not found:
        raise BadInput(f"{path}:1: holds no questions", hint="one question a line")
    return found


def of_pack(pack: str) -> tuple[str, ...]:
    """The questions of the pack's own examples; BadInput when it has none."""
    try:
        held = examples.of_pack(pack)
    except BadInput as error:
        raise BadInput(error.message, hint="--questions FILE (.txt, .yaml, .jsonl or .csv)") from error
    return distinct(each.question for each in held)


def distinct(questions: Iterable[str]) -> tuple[str, ...]:
    """Each question once, where it stands first."""
    first: dict[str, str] = {}
    for question in questions:
        first.setdefault(examples.same(question), question)
    return tuple(first.values())
