"""A JSON Schema as `response_format` takes it: as it is, or in the form that strict services insist on.

They want an object at the top whose every object names all it may hold and requires all of it. A schema is brought
into that form where every reply of that form satisfies the schema, too; where it cannot be, it is sent as a wish. One
that is no object is put into an object under `value`, and taken out of the reply.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from promptkit.errors import BadInput

WRAPPED = "value"
_SILENT = ("title", "default", "examples", "$schema", "$id", "$comment", "deprecated", "readOnly", "writeOnly")
_UNHELD = {"allOf", "oneOf", "not", "if", "then", "else", "patternProperties", "dependentRequired", "dependentSchemas"}
_UNHELD |= {"unevaluatedProperties", "propertyNames", "minProperties", "maxProperties", "contains", "uniqueItems"}
_UNHELD |= {"prefixItems"}


class _Open(Exception):
    """The schema says what the strict form cannot."""


def response_format(text: str, *, strict: bool) -> dict[str, Any]:
    """The field that holds a reply to the schema; BadInput when it is no schema. `strict`: in the strict form."""
    schema = _parsed(text)
    held = True
    if strict:
        schema, held = _strict(text)
    return {"type": "json_schema", "json_schema": {"name": "reply", "schema": schema, "strict": held}}


def unwrapped(text: str, schema: str) -> str:
    """The reply to a schema that had to be put into an object; another, or one cut off, as it is."""
    if not _is_wrapped(_parsed(schema)):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(value, dict) and set(value) == {WRAPPED}:
        return json.dumps(value[WRAPPED], ensure_ascii=False)
    return text


@lru_cache(maxsize=64)
def _parsed(text: str) -> Any:
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"the schema is not JSON: {error}", hint='e.g. {"type": "object", …}') from None
    if not isinstance(schema, dict):
        raise BadInput("a schema must be a JSON object", hint='e.g. {"type": "object", …}')
    return schema


def _is_wrapped(schema: dict[str, Any]) -> bool:
    return schema.get("type") != "object"


@lru_cache(maxsize=64)
def _strict(text: str) -> tuple[dict[str, Any], bool]:
    schema = _parsed(text)
    try:
        held, whole = _closed(schema), True
    except (_Open, RecursionError):
        held, whole = dict(schema), False
    if _is_wrapped(schema):
        definitions = {key: held.pop(key) for key in ("$defs", "definitions") if key in held}
        held = {"type": "object", "properties": {WRAPPED: held}, "required": [WRAPPED], **definitions}
        held["additionalProperties"] = False
    return held, whole


def _closed(node: Any) -> Any:
    """The schema with every object closed and its every member required."""
    if not isinstance(node, dict):
        raise _Open
    if _UNHELD & set(node):
        raise _Open
    if "$ref" in node:
        if node["$ref"] == "#":  # where the top is put into another object, it is the top no more
            raise _Open
        return {"$ref": node["$ref"]}
    closed = {key: value for key, value in node.items() if key not in _SILENT}
    for key in ("properties", "$defs", "definitions"):
        if key in node:
            closed[key] = {name: _closed(inner) for name, inner in node[key].items()}
    if "anyOf" in node:
        closed["anyOf"] = [_closed(inner) for inner in node["anyOf"]]
    if "items" in node:
        closed["items"] = _closed(node["items"])
    if node.get("type") == "object" or "properties" in node:
        return _required(node, closed)
    named = node.get("type")
    kinds = {named} if isinstance(named, str) else set(named or ())
    if (
        not {"type", "anyOf", "enum", "const"} & set(node)
        or "object" in kinds
        or ("array" in kinds and "items" not in node)
    ):
        raise _Open  # anything goes, an object among it
    return closed


def _required(node: dict[str, Any], closed: dict[str, Any]) -> dict[str, Any]:
    members = node.get("properties", {})
    left_open = not members and node.get("additionalProperties") is not False
    if left_open or isinstance(node.get("additionalProperties"), dict) or set(node.get("required", ())) - set(members):
        raise _Open
    for name in set(members) - set(node.get("required", ())):
        if "$ref" in json.dumps(members[name]):  # what may be left out may hold itself: required, it would never end
            raise _Open
    return {**closed, "required": list(members), "additionalProperties": False}
