"""What a template is given: names, the type each must have, and what stands in for one that is not given."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from promptkit.errors import BadPrompt, UnknownName
from promptkit.prompts.front import Front, brief

MARKER = "marker"  # "Answer:" in the pack's language: every template has it without declaring it
ANY = "any"  # of a name that stands in a list


def _json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


TYPES: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, (list, tuple)),
    "json": _json,
}
_FORM = "inputs: [question] or inputs: {question: text, k: {type: integer, default: 3}}"


@dataclass(frozen=True, slots=True)
class Input:
    """One thing a template is given; `needed` unless a default stands in for it."""

    name: str
    type: str = ANY
    needed: bool = True
    default: Any = None
    about: str = ""

    def takes(self, value: Any) -> bool:
        """Whether the value is of its type."""
        return self.type == ANY or TYPES[self.type](value)


def declared(front: Front) -> tuple[Input, ...]:
    """The inputs of a template; BadPrompt says where one is declared wrongly."""
    given = front.fields.get("inputs", [])
    if isinstance(given, list) and all(isinstance(name, str) for name in given):
        found = [Input(name) for name in given]
    elif isinstance(given, dict) and all(isinstance(name, str) for name in given):
        found = [_one(front, name, said) for name, said in given.items()]
    else:
        raise BadPrompt(f"{front.at('inputs')}: `inputs` must be a list of strings or a mapping", hint=_FORM)
    for number, each in enumerate(found):
        if not each.name.isidentifier():
            raise BadPrompt(f"{front.at('inputs', each.name)}: {each.name!r} is no name for an input", hint=_FORM)
        if each.name in [other.name for other in found[:number]]:
            raise BadPrompt(f"{front.at('inputs', each.name)}: the input {each.name!r} is declared twice")
    return tuple(found)


def _one(front: Front, name: str, said: Any) -> Input:
    fields = {"type": said} if isinstance(said, str) else said
    if not isinstance(fields, dict) or not isinstance(fields.get("type"), str):
        raise BadPrompt(f"{front.at('inputs', name)}: the input {name!r} has no type", hint=_FORM)
    for field in fields:
        if field not in ("type", "default", "about"):
            unknown = UnknownName("field", str(field), ("type", "default", "about"))
            raise BadPrompt(f"{front.at('inputs', name, str(field))}: {unknown.message}", hint=unknown.hint)
    if fields["type"] not in TYPES:
        wrong = UnknownName("type", fields["type"], TYPES)
        raise BadPrompt(f"{front.at('inputs', name, 'type')}: {wrong.message}", hint=wrong.hint)
    found = Input(name, fields["type"], "default" not in fields, fields.get("default"), str(fields.get("about", "")))
    if not found.needed and not found.takes(found.default):
        where = front.at("inputs", name, "default")
        raise BadPrompt(f"{where}: the default of {name!r} is {brief(found.default)}, which is no {found.type}")
    return found
