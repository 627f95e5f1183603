"""A strategy inside another: given as an object or written as in `few-shot(n=4, of=cot)`, and remembered by name.

A field that takes a strategy is declared as

    of: Of = field(default=None, metadata={"flag": str | None})  # strategy each sample is an answer of

and made one in `__post_init__` with `object.__setattr__(self, "of", inner(self.of))`.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, fields, is_dataclass, replace
from functools import cache
from math import isinf
from pathlib import Path
from typing import Any, TypeVar, cast

from promptkit import checked, registry
from promptkit.errors import BadInput, PromptkitError
from promptkit.types import Problem, Strategy, plain

S = TypeVar("S", bound=Strategy)
Of = Strategy | str | Mapping[str, Any] | None

_WORD = re.compile(r"[A-Za-z_][\w.-]*")
_KEY = re.compile(r"\s*([A-Za-z_][\w-]*)\s*=(?!=)\s*")  # with - as in a flag or _ as in Python
_DEEPEST = 16  # strategies inside one another
_LONGEST = 80  # characters shown of what was written
_EXAMPLE = 'e.g. --of cot, or --of "few-shot(n=4, rationale=true)"'


def inner(given: Of) -> Strategy | None:
    """The strategy itself; None for None, BadInput for what is none."""
    if given is None:
        return None
    if isinstance(given, str):
        return made(*read(given))
    if isinstance(given, Mapping):  # as a journal has it
        name, params = given.get("strategy"), given.get("params", {})
        if not isinstance(name, str) or not isinstance(params, Mapping) or set(given) - {"strategy", "params"}:
            raise BadInput(f"not a strategy: {_shown(given)}", hint='e.g. {"strategy": "sc", "params": {"n": 5}}')
        return made(name, params, recorded=True)
    return checked_object(given)


def made(name: str, params: Mapping[str, Any], *, recorded: bool = False, options: Sequence[str] = ()) -> Strategy:
    """A strategy of that name with these parameters, checked; what a journal `recorded` was, when it was given.

    `options` are other words that may be meant by one it does not know.
    """
    kind = registry.load("strategy", name)
    check(name, {} if recorded else params, options=options)
    for f in fields(kind):
        each = f.name
        if f.init and each not in params and f.default is MISSING and f.default_factory is MISSING:
            hint = f"--{each.replace('_', '-')} …, or {name}({each}=…) inside another"
            raise BadInput(f"{name} needs a value for {each}", hint=hint)
    return cast(Strategy, kind(**params))


def check(name: str, params: Mapping[str, Any], *, options: Sequence[str] = ()) -> None:
    """BadInput when the strategy has no parameter of a name, or a value is not of its type."""
    kind = registry.load("strategy", name)
    known = [f.name for f in fields(kind) if f.init]
    if wrong := next((each for each in params if each not in known), None):
        raise _unknown(name, wrong, known, options)
    checked.dataclass_fields(kind, params)


def checked_object(given: Any) -> Strategy:
    """The strategy object itself; BadInput when it is none, or a field of it is not of its type."""
    if not _is_strategy(given):
        what = f"the class {given.__name__}" if isinstance(given, type) else f"a {type(given).__name__}"
        hint = "an instance of a frozen dataclass with `async def solve(self, problem, model)`"
        raise BadInput(f"not a strategy: {what}", hint=hint)
    checked.dataclass_fields(type(given), {f.name: getattr(given, f.name) for f in _fields(given)})
    return cast(Strategy, given)


def _unknown(strategy: str, name: str, known: Sequence[str], options: Sequence[str]) -> BadInput:
    """The error for a parameter that the strategy does not have."""
    import difflib

    near = difflib.get_close_matches(name, [*known, *options], n=1)
    told = [f"did you mean {near[0]}?"] if near else []
    told += [f"it has: {', '.join(known)}"]
    told += [f"a run has: {', '.join(options)}"] if options else []
    return BadInput(f"{strategy} has no parameter {name!r}", hint="\n".join(told))


def spelled(strategy: Strategy) -> str:
    """The strategy as it is written inside another: its name, and what differs from the defaults."""
    params = [f"{name}={_written(value)}" for name, value in given(strategy)]
    called = registry.name_of("strategy", strategy)
    return f"{called}({', '.join(params)})" if params else called


def given(strategy: Strategy) -> Iterator[tuple[str, Any]]:
    """The parameters that differ from their defaults, and what they are."""
    for f in _fields(strategy):
        value = getattr(strategy, f.name)
        default = f.default if f.default_factory is MISSING else f.default_factory()
        if value != default and not (isinstance(default, str) and _is_strategy(value) and spelled(value) == default):
            yield f.name, value


def remembered(strategy: Strategy) -> dict[str, Any]:
    """Its parameters as JSON types; a strategy among them keeps its name, so that it can be made again."""
    return {
        f.name: (
            {"strategy": registry.name_of("strategy", held), "params": remembered(held)}
            if _is_strategy(held := getattr(strategy, f.name))
            else plain(held)
        )
        for f in _fields(strategy)
    }


def resolved(strategy: S, problem: Problem) -> S:
    """The strategy with what is in force where a field is left to the pack, in those inside it, too."""
    within = {f.name: value for f in _fields(strategy) if _is_strategy(value := getattr(strategy, f.name))}
    if within:
        strategy = replace(cast(Any, strategy), **{name: resolved(each, problem) for name, each in within.items()})
    return cast(Any, strategy).resolved(problem) if hasattr(strategy, "resolved") else strategy


def nested(strategy: Strategy) -> Iterator[Strategy]:
    """The strategy and all those inside it, from the outside in."""
    yield strategy
    for f in _fields(strategy):
        if _is_strategy(value := getattr(strategy, f.name)):
            yield from nested(value)


def recorded(name: str, params: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A strategy as a journal has it, then what it is around, each with its parameters, from the outside in."""
    for _ in range(_DEEPEST):
        yield name, params
        held = params.get("of")
        if not isinstance(held, Mapping) or not isinstance(held.get("strategy"), str):
            return
        name, params = held["strategy"], inside if isinstance(inside := held.get("params"), Mapping) else {}


def titled(name: str, params: Mapping[str, Any]) -> str:
    """What a recorded strategy is called, with what it is around: `persona of sc of few-shot`."""
    return " of ".join(each for each, _ in recorded(name, params))


def idle(name: str, params: Mapping[str, Any]) -> set[str]:
    """The recorded parameters that do nothing by what another is: their `metadata` says when they do."""
    return {field for field, (other, value) in _conditions(name).items() if params.get(other) != value}


@cache  # a frame is drawn many times a second
def _conditions(name: str) -> dict[str, tuple[str, Any]]:
    """Of a strategy's fields, those declared with `metadata={"when": (other, value)}`."""
    try:
        kind = registry.load("strategy", name)
    except PromptkitError:  # a run of a plugin that is gone
        return {}
    return {f.name: f.metadata["when"] for f in fields(kind) if "when" in f.metadata} if is_dataclass(kind) else {}


def _fields(strategy: Strategy) -> Iterator[Any]:
    return (f for f in fields(cast(Any, strategy)) if f.init)


def _is_strategy(value: Any) -> bool:
    return is_dataclass(value) and not isinstance(value, type) and callable(getattr(value, "solve", None))


def listed(text: str) -> list[str]:
    """What a comma parts, as in `cot,sc(n=5, of=cot)`; not the commas inside brackets and quotes."""
    return [part.strip() for part in _parts(text, text)]


def read(text: str) -> tuple[str, dict[str, Any]]:
    """The name and the parameters that are written in `few-shot(n=4, of=persona(who="a physicist"))`."""
    name, parts = called(text)
    params: dict[str, Any] = {}
    for field, word in parts:
        if not field:
            raise BadInput(f"{_shown(word)} is no parameter in {_shown(text)}", hint=_EXAMPLE)
        if field in params:
            raise BadInput(f"{field} is given twice in {_shown(text)}", hint=_EXAMPLE)
        params[field] = meant(name, field, word)
    return name, params


def called(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The name, and what is in its brackets as it is written: each value, with its parameter or ""."""
    name, bracket, rest = text.strip().partition("(")
    name = name.strip()
    if not _WORD.fullmatch(name):
        raise BadInput(f"not a strategy: {_shown(text)}", hint=_EXAMPLE)
    if bracket and not rest.endswith(")"):
        raise BadInput(f"the bracket of {_shown(name)} is not closed in {_shown(text)}", hint=_EXAMPLE)
    parts: list[tuple[str, str]] = []
    for part in _parts(rest[:-1], text):
        key = _KEY.match(part)
        word = part[key.end() if key else 0 :].strip()
        if not word:
            raise BadInput(f"{_shown(part.strip())} is no parameter in {_shown(text)}", hint=_EXAMPLE)
        parts.append((key[1].replace("-", "_") if key else "", word))
    return name, parts


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
        if depth < 0 or depth > _DEEPEST:
            break
        at += 1
    if depth > _DEEPEST:
        raise BadInput(f"more than {_DEEPEST} inside one another: {_shown(whole)}", hint=_EXAMPLE)
    if depth < 0:
        raise BadInput(f"a bracket is closed that was not opened in {_shown(whole)}", hint=_EXAMPLE)
    if depth or quote:
        raise BadInput(f"a bracket or a quote is not closed in {_shown(whole)}", hint=_EXAMPLE)
    if text[start:].strip():
        yield text[start:]


def meant(strategy: str, field: str, text: str) -> Any:
    """What a word is for that field: `none` and `42` are texts where a text is wanted."""
    kind, found = registry.load("strategy", strategy), value(text)
    if not isinstance(found, str):
        with suppress(BadInput):
            checked.dataclass_fields(kind, {field: found})
            return found
        with suppress(BadInput):
            checked.dataclass_fields(kind, {field: text.strip()})
            return text.strip()
    return found


def value(text: str) -> Any:
    """A number, true, false, none, quoted text or a list; anything else is text as it stands."""
    text = text.strip()
    match text.casefold():
        case "true":
            return True
        case "false":
            return False
        case "none" | "null":
            return None
    return literal(text)


def literal(text: str) -> Any:
    """What Python would take the text for: a number, quoted text, a list; anything else is text as it stands."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a \\d in quotes, which Python takes as it stands
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _written(value: Any) -> str:
    if _is_strategy(value):
        return spelled(value)
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, str) and _WORD.fullmatch(value) and value.casefold() not in ("true", "false", "none", "null"):
        return value
    if isinstance(value, float) and isinf(value):
        return "1e999" if value > 0 else "-1e999"
    if isinstance(value, (list, tuple)) and any(map(is_dataclass, value)):
        return repr(plain(value))
    return repr(str(value) if isinstance(value, Path) else value)


def _shown(text: object) -> str:
    shown = repr(text)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
