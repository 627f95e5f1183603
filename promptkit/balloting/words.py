"""A rule as one word of a command line, as in `beta(0.99)` or `futility(ppr(0.05, choices=4))`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from promptkit import checked, composition
from promptkit.errors import BadInput, UnknownName

T = TypeVar("T")
_EXAMPLES = {"stop": "beta(0.95)", "vote": "cisc(0.5)"}


def made(kind: str, word: str, table: Mapping[str, Callable[..., T]]) -> T:
    """What the word names in the table, made with its parameters; UnknownName, or BadInput for what it cannot be."""
    try:
        name, parts = composition.called(word)
    except BadInput:
        raise _unreadable(kind, word) from None
    name = name.replace("_", "-")
    if name not in table:
        raise UnknownName(kind, name, table, listing="promptkit strategies sc")
    placed = [_value(text) for key, text in parts if not key]
    if any(key for key, _ in parts[: len(placed)]):  # what has no name stands before what has one
        raise _unreadable(kind, word)
    return _with(name, table[name], placed, [(key, _value(text)) for key, text in parts if key])


def _value(text: str) -> Any:
    """A number or text; another rule stays as it is written."""
    value = {"true": True, "false": False}.get(text.casefold(), composition.literal(text))
    return value.replace("_", "-") if isinstance(value, str) else value


def _with(name: str, make: Callable[..., T], placed: list[Any], named: list[tuple[str, Any]]) -> T:
    known = [f.name for f in fields(make) if f.init]  # type: ignore[arg-type]  # every table holds dataclasses
    form = f"{name}({', '.join(known)})" if known else name
    if len(placed) > len(known):
        raise BadInput(f"{name} takes {len(known)} parameters, not {len(placed)}", hint=form)
    values = dict(zip(known, placed, strict=False))
    for key, value in named:
        if key not in known or key in values:
            wrong = "is given twice" if key in values else "is none of its parameters"
            raise BadInput(f"{key} {wrong}: {name}", hint=form)
        values[key] = value
    missing = [f.name for f in fields(make) if f.default is MISSING and f.default_factory is MISSING]  # type: ignore[arg-type]
    if lacking := [each for each in missing if each not in values]:
        raise BadInput(f"{name} needs a value for {lacking[0]}", hint=form)
    checked.dataclass_fields(make, values)
    return make(**values)


def _unreadable(kind: str, word: str) -> BadInput:
    return BadInput(f"--{kind} {word!r} is no {kind} with its parameters", hint=f'e.g. --{kind} "{_EXAMPLES[kind]}"')
