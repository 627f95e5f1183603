"""Who or what answers the questions of a run: a function, or answers that are written down, in a file maybe."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from promptkit.errors import BadInput, Unanswered
from promptkit.textfile import text_of

_LINE = 200  # characters shown of a question
_FORM = '- "the answer to the first question"\nor by a number or a part of the question: budget: "500 euros"'


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked; `number` counts the questions of the run from 1."""

    number: int
    text: str

    @property
    def line(self) -> str:
        """The text on one line, cut where it is long."""
        line = " ".join(self.text.split())
        return line if len(line) <= _LINE else f"{line[:_LINE]}…"


class Source(Protocol):
    """Where answers come from."""

    @property
    def by(self) -> str:
        """What it is called in events: terminal, file or caller."""

    @property
    def file(self) -> str:
        """The whole path of the file they are written in; "" where there is none."""

    async def answer(self, question: Question, /) -> str | None:
        """The answer; None when whoever answers ends the questions, Unanswered where there is none."""


def source(given: Any) -> Source | None:
    """What answers as it is given in Python: a function, a list, a mapping, a path; BadInput for anything else."""
    if given is None or (hasattr(given, "answer") and hasattr(given, "by")):
        found: Source | None = given
        return found
    if isinstance(given, (str, Path)):
        return read(given)
    if callable(given):
        return Called(given)
    entries = given.items() if isinstance(given, Mapping) else enumerate(given, 1) if _listed(given) else None
    if entries is None:
        what = f"answers is a {type(given).__name__}, which answers nothing"
        raise BadInput(what, hint="answers=input, a list, a mapping, the path of a file, or a function of the question")
    pairs = [("answers", str(name), answer) for name, answer in entries]
    if wrong := [answer for _, _, answer in pairs if not isinstance(answer, str)]:
        raise BadInput(f"an answer is text, not a {type(wrong[0]).__name__}", hint=f"e.g. {str(wrong[0])!r}")
    return Written(_checked(pairs), listed=_listed(given))


def remembered(given: Any, file: Any) -> Source | None:
    """The same for a run that goes on: without anything given, the file it began with, if that is still there."""
    return source(given if given is not None else file if file and Path(file).is_file() else None)


def called(answers: Source | None, here: Callable[[Callable[[], Any]], Awaitable[Any]]) -> Source | None:
    """The same; where it is a function, one that is called there."""
    return replace(answers, here=here) if isinstance(answers, Called) else answers


def _listed(given: Any) -> bool:
    return isinstance(given, Sequence) and not isinstance(given, (bytes, bytearray))


def read(path: str | Path) -> Written:
    """The answers of a YAML or JSON file, texts as they stand there; BadInput names the line that cannot be used."""
    import yaml

    path = Path(path).expanduser()
    text = text_of(path, hint="--answers FILE reads a YAML list, or a mapping")
    try:
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or " ".join(str(error).split())
        raise BadInput(f"{path}:{mark.line + 1 if mark else 1}: {what}", hint=_FORM) from error
    if not isinstance(root, (yaml.SequenceNode, yaml.MappingNode)) or not root.value:
        raise BadInput(f"{path}:1: holds no list of answers", hint=_FORM)
    listed = isinstance(root, yaml.SequenceNode)
    pairs: list[tuple[str, str, str]] = []
    for number, entry in enumerate(root.value, 1):
        name, value = (None, entry) if listed else entry
        at = f"{path}:{value.start_mark.line + 1}"
        if not isinstance(value, yaml.ScalarNode) or not (name is None or isinstance(name, yaml.ScalarNode)):
            raise BadInput(f"{at}: not a text", hint=_FORM)
        pairs.append((at, name.value if name else str(number), value.value))
    return Written(_checked(pairs), listed=listed, file=str(path.absolute()))


def _checked(pairs: Sequence[tuple[str, str, str]]) -> Mapping[str, str]:
    said: dict[str, str] = {}
    for at, name, answer in pairs:
        if name in said:
            raise BadInput(f"{at}: {name} is answered twice", hint="leave one of them out")
        try:
            re.compile(name)
        except re.error as error:
            raise BadInput(f"{at}: {name!r} is no regular expression: {error}", hint=_FORM) from error
        if not name:
            raise BadInput(f"{at}: an answer to nothing", hint=_FORM)
        said[name] = answer
    return said


@dataclass(frozen=True, slots=True)
class Written:
    """Answers by the number of a question, or by a regular expression that is found in it; one that lacks is said."""

    said: Mapping[str, str]
    listed: bool = False
    file: str = ""

    @property
    def by(self) -> str:
        """Where they are written."""
        return "file" if self.file else "caller"

    async def answer(self, question: Question, /) -> str | None:
        """By its number, else by the first expression found in it, whatever its case; Unanswered says what to add."""
        if (answer := self.said.get(str(question.number))) is not None:
            return answer
        for name, answer in self.said.items():
            if not name.isdigit() and re.search(name, question.text, re.IGNORECASE):
                return answer
        where = self.file or "answers"
        form = "- your answer" if self.listed else f"{question.number}: your answer"
        hint = (
            f"add to {where}, in its place: {form}\nor end the questions there: {form.replace('your answer', 'done')}"
        )
        raise Unanswered(f"no answer to question {question.number}: {question.line}", hint=hint)


@dataclass(frozen=True, slots=True)
class Called:
    """A function of the question's text that returns the answer, or something that is awaited for it."""

    function: Callable[[str], Any]
    here: Callable[[Callable[[], Any]], Awaitable[Any]] = asyncio.to_thread  # where it is called: it may wait for input
    by: str = "caller"
    file: str = ""

    async def answer(self, question: Question, /) -> str | None:
        """What it returns; None also at the end of its input. BadInput when that is no text."""
        answer = await self.here(partial(self._called, question.text))
        try:
            answer = await answer if inspect.isawaitable(answer) else answer
        except EOFError:
            return None
        if not (answer is None or isinstance(answer, str)):
            raise BadInput(f"answers gave a {type(answer).__name__} to question {question.number}, not text")
        return answer

    def _called(self, question: str) -> Any:
        try:
            return self.function(question)
        except (EOFError, StopIteration):  # the latter would never arrive: no future takes it
            return None
