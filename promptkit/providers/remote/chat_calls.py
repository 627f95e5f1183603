"""Tools over the wire: what may be called, calls as they come in pieces, calls that a server could not read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from promptkit.errors import BadInput
from promptkit.types import Message, ToolCall, ToolSpec

_CALLS = re.compile(r"[<\[{]")  # what looks like a call that went wrong, not like prose
_WRITTEN = re.compile(r"<?(?:function=)?(?P<name>[A-Za-z_][\w.\-]*)\W{0,3}?(?=\{)")
_FENCE = re.compile(
    r"```(?:json|python|tool_code)?|</?(?:tool[_-]?(?:call|use)s?|function[_-]?calls?)>|<\|[\w|]*\|>", re.I
)


def offered(tools: Sequence[ToolSpec]) -> list[dict[str, Any]]:
    """The tools as the format lists them; BadInput when a schema is none."""
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": _parameters(tool)},
        }
        for tool in tools
    ]


def _parameters(tool: ToolSpec) -> dict[str, Any]:
    try:
        schema = json.loads(tool.schema)
    except ValueError as error:
        raise BadInput(f"the schema of the tool {tool.name!r} is not JSON: {error}") from None
    if not isinstance(schema, dict):
        raise BadInput(f"the schema of the tool {tool.name!r} is no JSON object", hint='e.g. {"type": "object"}')
    return schema


def turn(message: Message, content: Any) -> dict[str, Any]:
    """A turn of a conversation with the calls it made, or the result it gives."""
    said: dict[str, Any] = {"role": message.role, "content": content}
    if message.calls:
        said["content"] = content or None
        said["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.calls
        ]
    if message.role == "tool":
        said["tool_call_id"] = message.call_id or ""
    return said


@dataclass(slots=True)
class Growing:
    """A call as it comes; a name is sent once, its arguments piece by piece."""

    id: str = ""
    name: str = ""
    arguments: str = ""


class Calls:
    """The calls of one reply."""

    def __init__(self) -> None:
        self._held: dict[int, Growing] = {}

    def read(self, pieces: Sequence[Mapping[str, Any]]) -> None:
        """Take in what a chunk, or a whole reply, says of calls."""
        for piece in pieces:
            call = self._held.setdefault(self._place(piece), Growing())
            function = piece.get("function") or {}
            call.id = call.id or piece.get("id") or ""
            call.name = call.name or function.get("name") or ""
            written = function.get("arguments") or ""
            call.arguments += written if isinstance(written, str) else json.dumps(written)

    def _place(self, piece: Mapping[str, Any]) -> int:
        if (index := piece.get("index")) is not None:
            return int(index)
        last = max(self._held, default=-1)  # servers that send a call whole number none, or number all 0
        begins = last < 0 or piece.get("id") not in (None, "", self._held[last].id)
        return last + 1 if begins else last

    def made(self) -> tuple[ToolCall, ...]:
        """The calls, in order; one without an id is named by its place."""
        return tuple(
            ToolCall(call.id or f"call_{place}", call.name, call.arguments or "{}")
            for place, call in sorted(self._held.items())
        )


def recovered(written: str, tools: Sequence[ToolSpec]) -> tuple[str, tuple[ToolCall, ...]] | None:
    """The text and the calls of a reply that the server could not read; None when nobody can.

    A call counts when it names a tool that was offered and its arguments are a JSON object; prose is a reply.
    """
    names = {tool.name for tool in tools}
    text, found, at = [], list[tuple[str, Any]](), 0
    bare = _FENCE.sub(" ", written)
    while at < len(bare):
        start = bare.find("{", at)
        if start < 0:
            break
        begun = next((each for each in _WRITTEN.finditer(bare, at, start + 1) if each.end() == start), None)
        named = begun["name"] if begun and begun["name"] in names else None
        try:
            value, end = json.JSONDecoder().raw_decode(bare, start)
        except (ValueError, RecursionError):
            return None
        got = [(named, value)] if named else [pair for each in _listed(value) if (pair := _named(each, names))]
        if not got:
            return None
        text.append(bare[at : begun.start() if named and begun else start])
        found += got
        at = end
        if closing := re.compile(r"\s*[)\]>,]*\s*</function>").match(bare, at):
            at = closing.end()
    text.append(bare[at:])
    if not all(isinstance(arguments, dict) for _, arguments in found):
        return None
    said = re.sub(r"^[\s\[\],;]*$|</?function[^>]*>", "", "".join(text)).strip()
    if not found and (not said or _CALLS.match(said)):
        return None
    calls = tuple(ToolCall(f"call_{i}", name, json.dumps(given)) for i, (name, given) in enumerate(found))
    return said, calls


def _listed(value: Any) -> list[Any]:
    if isinstance(value, dict) and isinstance(value.get("tool_calls"), list):
        return list(value["tool_calls"])
    return [value]


def _named(value: Any, names: set[str]) -> tuple[str, Any] | None:
    """The tool and the arguments of a call written as an object, in one of the ways models write them."""
    if not isinstance(value, dict):
        return None
    inner = value.get("function") if isinstance(value.get("function"), dict) else value
    assert isinstance(inner, dict)
    name = inner.get("name") or value.get("tool_name") or value.get("function")
    if not isinstance(name, str) or name not in names:
        return None
    for key in ("arguments", "parameters", "args", "input"):
        given = inner.get(key, value.get(key))
        if isinstance(given, str):
            try:
                given = json.loads(given)
            except ValueError:
                return None
        if given is not None:
            return name, given
    return name, {}
