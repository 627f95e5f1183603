"""`-v name=value`: a template's inputs from the command line."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from promptkit.errors import BadInput, UnknownName

if TYPE_CHECKING:
    from promptkit.prompts import Prompt


def read_inputs(prompt: Prompt, words: Sequence[str]) -> dict[str, str | list[str]]:
    """The inputs by name; BadInput and UnknownName say what to type instead."""
    given: dict[str, list[str]] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise BadInput(f"-v {word}: not of the form name=value", hint=f"-v {shlex.quote(word)}=…")
        if name not in prompt.inputs:
            raise UnknownName("input", name, prompt.inputs, listing=f"promptkit prompts show {prompt.id}")
        given.setdefault(name, []).append(_file(value[1:]) if value.startswith("@") else value)
    lists = looped(prompt)
    if twice := next((name for name, all in given.items() if len(all) > 1 and name not in lists), None):
        raise BadInput(f"-v {twice} is given {len(given[twice])} times, and {prompt.id} takes one")
    return {name: all if name in lists else all[0] for name, all in given.items()}


def _file(path: str) -> str:
    try:
        return Path(path).expanduser().read_text("utf-8-sig").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise BadInput(f"{path}: {reason}", hint="-v NAME=@FILE reads a text file") from error


def looped(prompt: Prompt) -> set[str]:
    """The inputs the template loops over: a lone string there would be taken letter by letter."""
    from jinja2 import Environment, nodes

    loops = [loop for _, body in prompt.turns for loop in Environment().parse(body).find_all(nodes.For)]
    found: set[str] = set()
    for loop in loops:
        over: nodes.Node | None = loop.iter
        while isinstance(over, (nodes.Filter, nodes.Getitem)):
            over = over.node
        if isinstance(over, nodes.Name):
            found.add(over.name)
    return found
