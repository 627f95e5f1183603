"""A rule as one word of a command line, as in `beta(0.99)` or `futility(ppr(0.05, choices=4))`."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from promptkit import checked
from promptkit.errors import BadInput, UnknownName

T = TypeVar("T")

_HYPHEN = re.compile(r"(?<=[A-Za-z])-(?=[A-Za-z])")  # part of a name; a minus stands before a number


def made(kind: str, word: str, table: Mapping[str, Callable[..., T]]) -> T:
    """What the word names in the table, made with its parameters; UnknownName, or BadInput for what it cannot be."""
    try:
        node = ast.parse(_HYPHEN.sub("_", word.strip()), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _unreadable(kind, word) from None
    name, given = _called(kind, word, node)
    if name not in table:
        raise UnknownName(kind, name, table)
    return _with(name, table[name], *given)


def _called(kind: str, word: str, node: ast.expr) -> tuple[str, tuple[list[Any], dict[str, Any]]]:
    """The name, its values by place and those by name."""
    if isinstance(node, ast.Name):
        return node.id.replace("_", "-"), ([], {})
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        raise _unreadable(kind, word)
    if None in (keys := [named.arg for named in node.keywords]) or len(set(keys)) < len(keys):
        raise _unreadable(kind, word)
    placed = [_value(kind, word, each) for each in node.args]
    named = {str(each.arg): _value(kind, word, each.value) for each in node.keywords}
    return node.func.id.replace("_", "-"), (placed, named)


def _value(kind: str, word: str, node: ast.expr) -> Any:
    """A number or text; another rule stays as it is written."""
    if isinstance(node, (ast.Name, ast.Call)):
        text = ast.unparse(node).replace("_", "-")
        return {"true": True, "false": False}.get(text.casefold(), text)
    try:
        value = ast.literal_eval(node)
    except ValueError:
        raise _unreadable(kind, word) from None
    return value.replace("_", "-") if isinstance(value, str) else value  # made() wrote its hyphens so


def _with(name: str, make: Callable[..., T], placed: list[Any], named: dict[str, Any]) -> T:
    known = [f.name for f in fields(make) if f.init]  # type: ignore[arg-type]  # every table holds dataclasses
    form = f"{name}({', '.join(known)})" if known else name
    if len(placed) > len(known):
        raise BadInput(f"{name} takes {len(known)} parameters, not {len(placed)}", hint=form)
    values = dict(zip(known, placed, strict=False))
    for key, value in named.items():
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
    return BadInput(f"--{kind} {word!r} is no {kind} with its parameters", hint=f'e.g. --{kind} "name(0.9)"')
