"""What a run was given, made again from what the journal holds of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from promptkit import outputs
from promptkit.journal import Journal
from promptkit.types import Blob, Capabilities, Message, Part, Problem, Text


def problem_from(stored: Mapping[str, Any], journal: Journal | None = None) -> Problem:
    """The problem of a recorded run; the journal has the bytes of what was attached."""
    return Problem(
        text=stored["text"],
        parts=tuple(_blob(part, journal) for part in stored.get("parts", ())),
        pack=stored["pack"],
        reader=stored["reader"],
        history=tuple(
            Message(turn["role"], tuple(_part(part, journal) for part in turn["content"])) for turn in stored["history"]
        ),
        vars=stored["vars"],
        output_schema=outputs.stored(stored.get("output_schema")),
        effort=stored.get("effort"),
    )


def capabilities_from(stored: Mapping[str, Any]) -> Capabilities:
    """The capabilities a model had when a run was recorded."""
    known = {f.name for f in fields(Capabilities)}
    given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in stored.items() if k in known}
    return Capabilities(**given)


def _part(stored: Mapping[str, Any], journal: Journal | None) -> Part:
    return Text(stored["text"]) if "text" in stored else _blob(stored, journal)


def _blob(stored: Mapping[str, Any], journal: Journal | None) -> Blob:
    blob = Blob(**{name: stored[name] for name in ("kind", "sha256", "media_type", "name")})
    return replace(blob, data=(journal.blob(blob.sha256) if journal else None) or b"")
