"""Values given from Python, held to the types that are written down: one place that says what was wanted instead.

What is plainly right is let through at a glance: the words of a command line come typed, and loading pydantic to look
at them once more would take longer than an answer from the journal. It is asked about everything else, and decides.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from functools import lru_cache, wraps
from types import NoneType, UnionType
from typing import Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

from promptkit.errors import BadInput

P = ParamSpec("P")
R = TypeVar("R")

_SCALARS = {bool: "True or False", int: "a whole number", float: "a number", str: "text", bytes: "bytes"}
_LONGEST = 60  # characters shown of a value


def arguments(function: Callable[P, R]) -> Callable[P, R]:
    """The function, whose named arguments are of the types it declares; BadInput says which one is not."""

    @wraps(function)
    def checked(*given: P.args, **named: P.kwargs) -> R:
        wanted = _hints(function)
        for name, value in named.items():
            if name in wanted and not _fits(value, wanted[name]):
                raise refused(name, value, wanted[name])
        return function(*given, **named)

    return checked


def dataclass_fields(kind: Any, given: Mapping[str, Any]) -> None:
    """BadInput when one of the given values is not of the type its field declares."""
    wanted = _hints(kind)
    for each in fields(kind):
        if each.name not in given or each.name not in wanted:
            continue
        # Where a flag is said to be of another type, its words are values, too.
        kinds = (wanted[each.name], each.metadata.get("flag", wanted[each.name]))
        if not any(_fits(given[each.name], hint) for hint in kinds):
            raise refused(each.name, given[each.name], wanted[each.name], _default(each))


def refused(name: str, value: Any, wanted: Any, default: Any = None) -> BadInput:
    """The error that names the parameter, what it wants and what it got."""
    shown = repr(value)
    shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
    hint = f"e.g. {name}={default!r}" if default is not None else f"leave {name} out for the default"
    return BadInput(f"{name} must be {spelled(wanted)}, not {shown}", hint=hint)


def spelled(hint: Any) -> str:
    """A type in words: `a whole number or None`."""
    *most, last = _spelled(hint)
    return f"{', '.join(most)} or {last}" if most else last


def _spelled(hint: Any) -> list[str]:
    """What each of the types in a union is called."""
    if get_origin(hint) in (Union, UnionType):
        inner = sorted(get_args(hint), key=lambda each: each is NoneType)
        return [word for each in inner for word in _spelled(each)]
    return list(map(repr, get_args(hint))) if get_origin(hint) is Literal else [_called(hint)]


def _called(hint: Any) -> str:
    origin, inner = get_origin(hint), get_args(hint)
    if hint is None or hint is NoneType:
        return "None"
    if isinstance(hint, type) and hint in _SCALARS:
        return _SCALARS[hint]
    if origin in (Sequence, list, tuple):
        return f"a list ({spelled(inner[0])}, …)" if inner else "a list"
    if origin in (Mapping, dict):
        return "a mapping"
    if origin is Callable:
        return "a function"
    if not isinstance(hint, type) or inner:
        return inspect.formatannotation(hint)
    return f"{'an' if hint.__name__[0] in 'AEIOU' else 'a'} {hint.__name__}"


def _fits(value: Any, hint: Any) -> bool:
    return _plainly(value, hint) or _surely(value, hint)


def _plainly(value: Any, hint: Any) -> bool:
    """Whether the value is of the type at a glance; False is no verdict."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any or hint is object:
        return True
    if hint is None or hint is NoneType:
        return value is None
    if isinstance(hint, type) and hint in _SCALARS:
        return type(value) is hint or (hint is float and type(value) is int)
    if origin in (Union, UnionType):
        return any(_plainly(value, each) for each in inner)
    if origin is Literal:
        return any(type(value) is type(each) and value == each for each in inner)
    if origin in (Sequence, list):
        kinds = list if origin is list else (list, tuple)
        return isinstance(value, kinds) and all(_plainly(each, inner[0]) for each in value)
    if origin in (Mapping, dict):
        return isinstance(value, dict) and all(
            _plainly(k, inner[0]) and _plainly(v, inner[1]) for k, v in value.items()
        )
    if origin is Callable:
        return callable(value)
    try:
        return isinstance(hint, type) and not inner and isinstance(value, hint)
    except TypeError:  # a protocol that cannot be looked for at run time
        return False


def _surely(value: Any, hint: Any) -> bool:
    """Whether pydantic takes the value as it is; True where it does not know the type."""
    from pydantic import ConfigDict, TypeAdapter, ValidationError

    try:
        adapter = TypeAdapter[Any](hint, config=ConfigDict(arbitrary_types_allowed=True))
    except Exception:  # of a type with a configuration of its own, or of one it cannot check
        try:
            adapter = TypeAdapter[Any](hint)
        except Exception:
            return True
    try:
        adapter.validate_python(value, strict=True)
    except ValidationError:
        return False
    except Exception:  # a validator of somebody else's
        return True
    return True


@lru_cache(maxsize=256)
def _hints(what: Any) -> Mapping[str, Any]:
    """The declared types by name; none where their names are not known outside a function."""
    try:
        return {name: hint for name, hint in get_type_hints(what).items() if name != "return"}
    except Exception:
        return {}


def _default(field: Field[Any]) -> Any:
    return None if field.default is MISSING else field.default
