from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from promptkit.errors import BadInput
from promptkit.providers.remote.chat_schema import response_format, unwrapped

PERSON = {
    "title": "Person",
    "type": "object",
    "properties": {
        "name": {"type": "string", "default": "x"},
        "pets": {"type": "array", "items": {"$ref": "#/$defs/Pet"}},
    },
    "required": ["name", "pets"],
    "$defs": {"Pet": {"type": "object", "properties": {"kind": {"enum": ["cat", "dog"]}, "age": {"type": "integer"}}}},
}


def sent(schema: Any) -> tuple[Any, bool]:
    form = response_format(json.dumps(schema), strict=True)
    assert form["type"] == "json_schema"
    return form["json_schema"]["schema"], form["json_schema"]["strict"]


def test_every_object_is_closed_and_whole() -> None:
    schema, strict = sent(PERSON)
    assert strict
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["Pet"]["required"] == ["kind", "age"]
    assert schema["$defs"]["Pet"]["additionalProperties"] is False
    assert "default" not in schema["properties"]["name"]


def test_elsewhere_it_goes_as_it_is() -> None:
    form = response_format(json.dumps(PERSON), strict=False)
    assert form["json_schema"] == {"name": "reply", "schema": PERSON, "strict": True}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {"a": {"oneOf": [{"type": "string"}]}}},
        {"type": "object", "properties": {"next": {"$ref": "#/$defs/N"}}, "$defs": {"N": {"type": "string"}}},
        {"type": "object", "properties": {"a": {}}, "required": ["a"]},
        {"type": "object", "properties": {"a": {"type": "array"}}, "required": ["a"]},
        {"type": "object", "properties": {"a": {"type": ["object", "null"]}}, "required": ["a"]},
    ],
)
def test_what_the_form_cannot_say_is_a_wish(schema: dict[str, Any]) -> None:
    assert sent(schema) == (schema, False)


def test_what_is_no_object_is_put_into_one_and_taken_out() -> None:
    schema, strict = sent({"enum": ["left", "right"]})
    assert strict
    assert schema == {
        "type": "object",
        "properties": {"value": {"enum": ["left", "right"]}},
        "required": ["value"],
        "additionalProperties": False,
    }
    text = '{"enum": ["left", "right"]}'
    assert unwrapped('{"value": "left"}', text) == '"left"'
    assert unwrapped('{"value": "le', text) == '{"value": "le'
    assert unwrapped('{"value": 1}', json.dumps(PERSON)) == '{"value": 1}'


@pytest.mark.parametrize("text", ["{", "[]", "3"])
def test_what_is_no_schema(text: str) -> None:
    with pytest.raises(BadInput):
        response_format(text, strict=True)


leaves = st.sampled_from(
    [{"type": "integer"}, {"type": "string"}, {"enum": [1, "a"]}, {"type": "null"}, {"const": True}, {"type": "object"}]
)


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    members = st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    required = st.lists(st.sampled_from("abc"), unique=True)
    return st.builds(
        lambda p, r: {"type": "object", "properties": p, "required": [n for n in r if n in p]}, members, required
    )


schemas = st.recursive(
    leaves,
    lambda inner: (
        objects(inner)
        | st.builds(lambda i: {"type": "array", "items": i}, inner)
        | st.builds(lambda a: {"anyOf": a}, st.lists(inner, min_size=1, max_size=2))
    ),
    max_leaves=6,
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["a", "b"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=6,
)


@given(schemas, values)
def test_whatever_fits_the_strict_form_fits_the_schema(schema: dict[str, Any], value: Any) -> None:
    held, strict = sent(schema)
    reply = json.dumps(value)
    if strict and Draft202012Validator(held).is_valid(value):
        Draft202012Validator(schema).validate(json.loads(unwrapped(reply, json.dumps(schema))))
