"""Stored events back as records, so a finished run is drawn by the code that draws a live one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from promptkit.events import Event, Record
from promptkit.types import Usage

_EVENTS: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Event)}
_HINTS = {kind: get_type_hints(kind) for kind in (*_EVENTS.values(), Usage)}


def restore(row: Mapping[str, Any]) -> Record | None:
    """The record of `Record.to_json()`; None for an event this version does not know or cannot read."""
    kind = _EVENTS.get(str(row.get("type")))
    if kind is None:
        return None
    try:
        event = _build(kind, row)
        spent = row.get("spent")
        usage = _build(Usage, spent) if isinstance(spent, Mapping) else Usage()
        at, seq = _fit(row.get("at", 0.0), float), _fit(row.get("seq", 0), int)
        return Record(seq, at, _fit(row.get("span", ""), str), usage, event)
    except (TypeError, ValueError):
        return None


def _build(kind: type[Any], row: Mapping[str, Any]) -> Any:
    values = {}
    for field in fields(kind):
        if field.name in row:
            values[field.name] = _fit(row[field.name], _HINTS[kind][field.name])
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(field.name)
    return kind(**values)


def _fit(value: Any, hint: Any) -> Any:
    """The value as the field's type; raises ValueError when it is something else."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is UnionType:
        if value is None and NoneType in inner:
            return None
        return _fit(value, next(option for option in inner if option is not NoneType))
    if origin is tuple and isinstance(value, (list, tuple)):
        if inner[-1] is Ellipsis:
            return tuple(_fit(item, inner[0]) for item in value)
        return tuple(_fit(item, option) for item, option in zip(value, inner, strict=True))
    if origin is Literal and value in inner:
        return value
    if origin is dict and isinstance(value, Mapping):
        return dict(value)
    if hint is Usage and isinstance(value, Mapping):
        return _build(Usage, value)
    if hint is float and isinstance(value, (int, float)):
        return float(value)
    if isinstance(hint, type) and isinstance(value, hint):
        return value
    raise ValueError(value)
