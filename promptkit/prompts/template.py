"""A template as strategies use it: what it needs, and the messages it gives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from promptkit.answers.languages import DEFAULT, MARKERS
from promptkit.errors import BadPrompt
from promptkit.events import PromptUsed, emit_once
from promptkit.prompts.front import brief, split
from promptkit.prompts.holes import fill_holes
from promptkit.prompts.inputs import MARKER, Input
from promptkit.types import Message, Request, Role, message

MAIN = ""  # the name of a template's own body among its parts
_UNDEFINED = re.compile(r"'(\w+)' is undefined")


@dataclass(frozen=True, slots=True)
class Reference:
    """A template that another includes or extends."""

    name: str  # pack/name
    line: int  # of the file it stands in
    extends: bool


@dataclass(frozen=True, slots=True)
class Prompt:
    """A template: what it needs, how it decodes, how its replies are read."""

    pack: str
    name: str
    path: Path
    origin: str  # project, user or promptkit
    digest: str  # sha256 of the file; with other files in it or named by it, of theirs too
    version: int
    inputs: tuple[str, ...]
    turns: tuple[tuple[Role, str], ...]
    reader: str | None = None
    stop: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)  # decoding parameters
    scores: Mapping[str, float] = field(default_factory=dict)  # verdict word -> score
    about: str = ""
    schema: str | None = None  # JSON Schema that a reply must satisfy, as text
    tags: tuple[str, ...] = ()
    tested_on: tuple[str, ...] = ()  # models it is known to work with
    lang: str = DEFAULT  # of the pack that was asked for it: the language of `marker`
    lacking: str = ""  # the pack that was asked for it, where it has none of that name
    declared: tuple[Input, ...] = ()
    references: tuple[Reference, ...] = ()
    parts: tuple[tuple[str, str], ...] = ()  # what its references lead to: name and text
    places: Mapping[str, tuple[Path, int]] = field(default_factory=dict)  # part -> its file, and the line it begins on
    files: tuple[tuple[str, str], ...] = ()  # all that it is made of: name and text, its own file first

    @property
    def id(self) -> str:
        """`pack/name`."""
        return f"{self.pack}/{self.name}"

    def render(self, **inputs: Any) -> tuple[Message, ...]:
        """The messages; BadPrompt when an input is missing or the template misbehaves."""
        given = self._given(inputs)
        emit_once(PromptUsed(self.id, self.digest, self.version, self.origin, self.lang, self.lacking, self.files))
        return tuple(message(role, self._fill(at, body, given)) for at, (role, body) in enumerate(self.turns))

    def request(self, inputs: Mapping[str, Any], /, **decoding: Any) -> Request:
        """A request rendered from those of `inputs` it declares; `decoding` overrides its defaults where not None."""
        wanted = {name: inputs[name] for name in self.inputs if name in inputs}
        chosen = {name: value for name, value in decoding.items() if value is not None}
        return Request(messages=self.render(**wanted), stop=self.stop, **{**self.defaults, **chosen})

    def at(self, *names: str) -> str:
        """file:line:col of what its front matter says there."""
        return split(self.path, self.files[0][1]).at(*names)

    def _given(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs with what stands in for those that are not given; BadPrompt unless they are what it takes."""
        given = {each.name: each.default for each in self.declared if not each.needed} | dict(inputs)
        missing = sorted(set(self.inputs) - set(given))
        if missing:
            raise BadPrompt(f"{self.at('inputs', missing[0])}: needs {', '.join(missing)}", hint=_check_hint(self))
        if unknown := sorted(set(given) - set(self.inputs)):
            raise BadPrompt(f"{self.at('inputs')}: does not take {', '.join(unknown)}", hint=_check_hint(self))
        for each in self.declared:
            if not each.takes(given[each.name]):
                where, shown = self.at("inputs", each.name), brief(given[each.name])
                raise BadPrompt(f"{where}: {each.name} takes a {each.type}, not {shown}")
        return {MARKER: MARKERS[self.lang], **given}

    def _fill(self, turn: int, body: str, inputs: Mapping[str, Any]) -> str:
        if (filled := fill_holes(body, inputs)) is not None:
            return filled.strip("\n")
        import jinja2

        from promptkit.prompts.sandboxed import fill

        try:
            return fill(body, inputs, self.parts).strip("\n")
        except jinja2.TemplateError as error:
            raise BadPrompt(f"{self._where(turn, error)}: {error.message}", hint=_check_hint(self)) from error
        except (TypeError, ValueError, ArithmeticError, LookupError, OverflowError, RecursionError) as error:
            said = f"{type(error).__name__}: {error}"
            raise BadPrompt(f"{self._where(turn, error)}: {said}", hint=_check_hint(self)) from error

    def _where(self, turn: int, error: Exception) -> str:
        """file:line of what went wrong; the column too, where a name is to blame."""
        from promptkit.prompts.sandboxed import line_of

        name, line = line_of(error)
        path, begins = self.places[name if name in self.places else f"{MAIN}#{turn}"]
        text = dict(self.parts).get(name) or self.turns[turn][1]
        undefined = _UNDEFINED.match(str(error))
        lines = text.splitlines()
        found = re.search(rf"\b{undefined[1]}\b", lines[line - 1]) if undefined and line <= len(lines) else None
        return f"{path}:{begins + line - 1}" + (f":{found.start() + 1}" if found else "")


def _check_hint(prompt: Prompt) -> str:
    return f"promptkit prompts check {prompt.path}"
