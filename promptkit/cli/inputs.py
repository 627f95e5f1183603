"""`-v name=value`: a template's inputs from the command line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptkit.errors import BadInput, UnknownName
from promptkit.textfile import text_of

if TYPE_CHECKING:
    from promptkit.prompts import Prompt


def read_inputs(prompt: Prompt, words: Sequence[str]) -> dict[str, Any]:
    """The inputs by name; BadInput and UnknownName say what to type instead."""
    given: dict[str, list[str]] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise BadInput(f"-v {word}: not of the form name=value", hint=f"-v {shlex.quote(word)}=…")
        if name not in prompt.inputs:
            error = UnknownName("input", name, prompt.inputs, listing=f"promptkit prompts show {prompt.id}")
            raise BadInput(f"{prompt.at('inputs')}: {error.message}", hint=error.hint)
        given.setdefault(name, []).append(_file(value[1:]) if value.startswith("@") else value)
    lists = looped(prompt) | {each.name for each in prompt.declared if each.type == "list"}
    if twice := next((name for name, all in given.items() if len(all) > 1 and name not in lists), None):
        raise BadInput(f"-v {twice} is given {len(given[twice])} times, and {prompt.id} takes one")
    types = {each.name: each.type for each in prompt.declared}
    return {name: _typed(name, types[name], all, name in lists) for name, all in given.items()}


def _typed(name: str, kind: str, given: list[str], several: bool) -> Any:
    """What was typed, as the type the input is declared with."""
    if kind in ("text", "any") or (kind == "list" and not (len(given) == 1 and given[0].lstrip()[:1] == "[")):
        return given if several else given[0]
    try:
        return json.loads(given[0])
    except ValueError as error:
        raise BadInput(f"-v {name}: {given[0]!r} is no {kind}", hint=f"-v {name}={_EXAMPLES[kind]}") from error


_EXAMPLES = {"number": "0.5", "integer": "3", "boolean": "true", "list": '["a", "b"]', "json": "'{\"a\": 1}'"}


def _file(path: str) -> str:
    return text_of(Path(path).expanduser(), hint="-v NAME=@FILE reads a text file").removesuffix("\n")


def looped(prompt: Prompt) -> set[str]:
    """The inputs the template loops over: a lone string there would be taken letter by letter."""
    from jinja2 import Environment, nodes

    bodies = [body for _, body in (*prompt.turns, *prompt.parts)]
    loops = [loop for body in bodies for loop in Environment().parse(body).find_all(nodes.For)]
    found: set[str] = set()
    for loop in loops:
        over: nodes.Node | None = loop.iter
        while isinstance(over, (nodes.Filter, nodes.Getitem)):
            over = over.node
        if isinstance(over, nodes.Name):
            found.add(over.name)
    return found
