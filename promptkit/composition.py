"""A strategy inside another: given as an object or written as in `few-shot(n=4, of=cot)`, and remembered by name.

A field that takes a strategy is declared as

    of: Of = field(default=None, metadata={"flag": str | None})  # strategy each sample is an answer of

and made one in `__post_init__` with `object.__setattr__(self, "of", inner(self.of))`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from promptkit import checked, registry
from promptkit.errors import BadInput
from promptkit.types import Problem, Strategy, plain

S = TypeVar("S", bound=Strategy)
Of = Strategy | str | Mapping[str, Any] | None

_WORD = re.compile(r"[A-Za-z_][\w.-]*")
_KEY = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*")
_EXAMPLE = 'e.g. --of cot, or --of "few-shot(n=4, rationale=true)"'


def inner(given: Of) -> Strategy | None:
    """The strategy itself; None for None, BadInput for what is none."""
    if given is None:
        return None
    if isinstance(given, str):
        name, params = _read(given)
        return made(name, params)
    if isinstance(given, Mapping):  # as a journal has it
        return made(given["strategy"], given["params"])
    if not _is_strategy(given):
        raise BadInput(f"not a strategy: {given!r}", hint=_EXAMPLE)
    return given


def made(name: str, params: Mapping[str, Any]) -> Strategy:
    """A strategy of that name with these parameters, checked."""
    kind = registry.load("strategy", name)
    known = {f.name: f for f in fields(kind) if f.init}
    if wrong := next((each for each in params if each not in known), None):
        raise BadInput(f"{name} has no parameter {wrong!r}", hint=f"it has: {', '.join(known)}")
    checked.dataclass_fields(kind, params)
    for each, f in known.items():
        if each not in params and f.default is MISSING and f.default_factory is MISSING:
            raise BadInput(f"{name} needs a value for {each}", hint=f"{name}({each}=…)")
    return cast(Strategy, kind(**params))


def spelled(strategy: Strategy) -> str:
    """The strategy as it is written inside another: its name, and what differs from the defaults."""
    given = []
    for f in _fields(strategy):
        value = getattr(strategy, f.name)
        default = f.default if f.default_factory is MISSING else f.default_factory()
        if value != default:
            given.append(f"{f.name}={spelled(value) if _is_strategy(value) else _written(value)}")
    name = registry.name_of("strategy", strategy)
    return f"{name}({', '.join(given)})" if given else name


def remembered(strategy: Strategy) -> dict[str, Any]:
    """Its parameters as JSON types; a strategy among them keeps its name, so that it can be made again."""
    return {
        f.name: (
            {"strategy": registry.name_of("strategy", value), "params": remembered(value)}
            if _is_strategy(value := getattr(strategy, f.name))
            else plain(value)
        )
        for f in _fields(strategy)
    }


def resolved(strategy: S, problem: Problem) -> S:
    """The strategy with what is in force where a field is left to the pack, in those inside it, too."""
    within = {f.name: value for f in _fields(strategy) if _is_strategy(value := getattr(strategy, f.name))}
    if within:
        strategy = replace(cast(Any, strategy), **{name: resolved(each, problem) for name, each in within.items()})
    return cast(Any, strategy).resolved(problem) if hasattr(strategy, "resolved") else strategy


def _fields(strategy: Strategy) -> Iterator[Any]:
    return (f for f in fields(cast(Any, strategy)) if f.init)


def _is_strategy(value: Any) -> bool:
    return is_dataclass(value) and not isinstance(value, type) and callable(getattr(value, "solve", None))


def _read(text: str) -> tuple[str, dict[str, Any]]:
    """A name and its parameters, as in `few-shot(n=4, of=persona(who="a physicist"))`."""
    whole = text.strip()
    name, bracket, rest = whole.partition("(")
    name = name.strip()
    if not _WORD.fullmatch(name):
        raise BadInput(f"not a strategy: {text!r}", hint=_EXAMPLE)
    if not bracket:
        return name, {}
    if not rest.endswith(")"):
        raise BadInput(f"the bracket of {name}( is not closed: {text!r}", hint=_EXAMPLE)
    params: dict[str, Any] = {}
    for part in _parts(rest[:-1], text):
        key = _KEY.match(part)
        if not key or not part[key.end() :].strip():
            raise BadInput(f"{part.strip()!r} is no parameter in {text!r}", hint=_EXAMPLE)
        if key[1] in params:
            raise BadInput(f"{key[1]} is given twice in {text!r}", hint=_EXAMPLE)
        params[key[1]] = _value(part[key.end() :].strip())
    return name, params


def _parts(text: str, whole: str) -> Iterator[str]:
    """What stands between the commas that are in no bracket and no quotes."""
    depth, quote, start, at = 0, "", 0, 0
    while at < len(text):
        c = text[at]
        if quote:
            if c == "\\":
                at += 1
            elif c == quote:
                quote = ""
        elif c in "\"'":
            quote = c
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == "," and depth == 0:
            yield text[start:at]
            start = at + 1
        if depth < 0:
            break
        at += 1
    if depth or quote:
        raise BadInput(f"a bracket or a quote is not closed in {whole!r}", hint=_EXAMPLE)
    if text[start:].strip():
        yield text[start:]


def _value(text: str) -> Any:
    """A number, true, false, none, quoted text or a list; anything else is text as it stands."""
    match text.casefold():
        case "true":
            return True
        case "false":
            return False
        case "none" | "null":
            return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _written(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, str) and _WORD.fullmatch(value) and value.casefold() not in ("true", "false", "none", "null"):
        return value
    return repr(value)
