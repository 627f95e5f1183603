"""Values as they lie in the file: JSON text, compressed above a size; never pickle.

Any text survives, lone surrogates included; a high surrogate directly followed by a low one comes back as the
character the two spell, because JSON knows no other reading.
"""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import zstandard

from promptkit.types import Completion, Token, ToolCall, Usage, plain

COMPRESS_ABOVE = 2048  # bytes of JSON; below it compression saves little and hides the text from sqlite3's shell

_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode  # made once: json.dumps makes one a call
_USAGE = frozenset(f.name for f in fields(Usage))
_COMPLETION = frozenset(f.name for f in fields(Completion)) - {"cached"}


class Damaged(ValueError):
    """A value is not what was written."""


def pack(value: Any) -> str | bytes:
    """A JSON-able value as it is stored."""
    return packed(_ENCODE(value))


def packed(text: str) -> str | bytes:
    """JSON text as it is stored."""
    try:
        data = text.encode()
    except UnicodeEncodeError:  # UTF-8 has no lone surrogates; JSON's escapes do
        text = json.dumps(json.loads(text), separators=(",", ":"))
        data = text.encode()
    if len(data) <= COMPRESS_ABOVE:
        return text
    return zstandard.ZstdCompressor(level=3, write_checksum=True).compress(data)


def unpack(value: str | bytes) -> Any:
    """The value again; Damaged if it cannot be read."""
    try:
        return json.loads(zstandard.decompress(value) if isinstance(value, bytes) else value)
    except (zstandard.ZstdError, ValueError, TypeError, MemoryError, RecursionError) as error:
        raise Damaged(f"unreadable value: {error}") from error


def from_completion(completion: Completion) -> dict[str, Any]:
    """A completion as a JSON object; whether it was cached is not a fact about it."""
    body: dict[str, Any] = plain(completion)
    del body["cached"]
    if not completion.logprobs:
        del body["logprobs"]
    return body


def to_completion(body: Any) -> Completion:
    """The completion of such an object; fields of a later promptkit are ignored."""
    try:
        known = {name: body[name] for name in _COMPLETION & body.keys()}
        known["usage"] = to_usage(known.get("usage", {}))
        known["calls"] = tuple(ToolCall(**call) for call in known.get("calls", ()))
        known["logprobs"] = tuple(_to_token(token) for token in known.get("logprobs", ()))
        return Completion(**known)
    except (TypeError, AttributeError, KeyError, ValueError) as error:
        raise Damaged(f"not a completion: {error}") from error


def _to_token(body: Any) -> Token:
    top = tuple((text, logprob) for text, logprob in body["top"])
    return Token(body["text"], body["logprob"], top, tuple(body.get("ids", ())))


def to_usage(body: Any) -> Usage:
    """The usage of a JSON object; fields of a later promptkit are ignored."""
    try:
        return Usage(**{name: body[name] for name in _USAGE & body.keys()})
    except (TypeError, AttributeError) as error:
        raise Damaged(f"not a usage: {error}") from error


def printable(text: str) -> str:
    """Text that SQLite can hold: lone surrogates spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()
