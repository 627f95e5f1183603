"""Replies held to a schema or a grammar, and log-probabilities, from the built-in model."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import tiny_gguf
from local_model import ask, draws, model_threads, opened, texts

from promptkit.errors import BadInput, BadReply, CapabilityMissing, PromptkitError
from promptkit.journal.values import from_completion, pack, to_completion, unpack
from promptkit.providers.llama.schema import check_schema, violation
from promptkit.providers.llama.wire import Sample
from promptkit.providers.llamacpp import open_llamacpp
from promptkit.types import Completion, Request, Token

MOVE = {
    "type": "object",
    "properties": {
        "sign": {"enum": ["+", "-", "*", "/"]},
        "numbers": {
            "type": "array",
            "items": {"type": "integer", "minimum": 0, "maximum": 99},
            "minItems": 2,
            "maxItems": 2,
        },
        "note": {"anyOf": [{"type": "string", "maxLength": 8}, {"type": "null"}]},
    },
    "required": ["sign", "numbers", "note"],
    "additionalProperties": False,
}


def complete(request: Request, count: int = 4) -> list[Completion]:
    async def main() -> list[Completion]:
        async with opened(replicas=1) as provider:
            return list(await provider.complete_many(draws(request, count)))

    return asyncio.run(main())


def test_every_reply_satisfies_the_schema() -> None:
    for text in texts(complete(ask(schema=json.dumps(MOVE), max_tokens=100), 12)):
        value = json.loads(text)
        assert set(value) == {"sign", "numbers", "note"}
        assert value["sign"] in MOVE["properties"]["sign"]["enum"]  # type: ignore[index]
        assert [type(number) for number in value["numbers"]] == [int, int]


# What the chat call's own schemas do not hold a reply to, and this one must.
@pytest.mark.parametrize(
    "schema",
    [
        {"type": "number", "minimum": 1.5, "maximum": 2.5},
        {"type": "integer", "multipleOf": 5, "maximum": 99, "minimum": -99},
        {"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 5}]},
        {"type": "string", "pattern": "^[a-c]{2}\\d$"},
        {"type": "string", "format": "date"},
        {"oneOf": [{"const": 1}, {"type": "string", "maxLength": 3}]},
        {"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer", "minimum": 0, "maximum": 9}}},
        {
            "type": "array",
            "prefixItems": [{"type": "integer", "minimum": 0, "maximum": 99}, {"type": "boolean"}],
            "items": False,
            "minItems": 2,
        },
        {"type": ["boolean", "null"], "title": "Maybe", "description": "annotations say nothing"},
        {"type": "string", "minLength": 2, "maxLength": 3},
    ],
)
def test_what_is_held(schema: dict[str, Any]) -> None:
    text = json.dumps(schema)
    for reply in complete(ask(schema=text)):
        assert reply.finish == "stop"
        assert violation(text, reply.text) is None, reply.text


UNUSABLE = [
    ("{", "not JSON"),
    ("[]", "a JSON object"),
    ("true", "a JSON object"),
    ('{"minimum": NaN}', "not JSON"),
    ('{"type": "wat"}', "$.type"),
    ('{"type": []}', "$.type"),
    ('{"type": "array", "items": [{}]}', "items"),
    ('{"required": "a"}', "required"),
    ('{"minLength": -1}', "minLength"),
    ('{"$ref": "#/nope"}', "$ref"),
    ('{"$ref": "#nope"}', "$ref"),
    ('{"$ref": "#"}', "$ref leads back to itself"),
    ('{"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}, {"type": "null"}]}}, "$ref": "#/$defs/a"}', "leads back"),
    ('{"pattern": "(("}', "pattern"),
    ('{"enum": []}', "enum"),
    ('{"type": "string", "const": 3}', "const"),
    ('{"type": "integer", "minimum": 5, "maximum": 3}', "bounds"),
    ('{"type": "integer", "minimum": 1.5, "maximum": 1.7}', "bounds"),
    ('{"minLength": 3, "maxLength": 2}', "minLength"),
    ('{"required": ["b"], "properties": {"a": {}}, "additionalProperties": false}', "required"),
    ('{"anyOf": [false]}', "anyOf"),
    ('{"title": "\\ud800"}', "not JSON"),
    ('{"items": ' * 5000 + "{}" + "}" * 5000, "nested too deeply"),
]
NOT_HELD = [
    ('{"not": {"type": "string"}}', "'not'"),
    ('{"if": {}, "then": {}}', "'if'"),
    ('{"type": "array", "uniqueItems": true}', "'uniqueItems'"),
    ('{"type": "array", "contains": {}}', "'contains'"),
    ('{"type": "object", "patternProperties": {"^a": {}}}', "'patternProperties'"),
    ('{"type": "object", "propertyNames": {"pattern": "a"}}', "'propertyNames'"),
    ('{"type": "object", "dependentRequired": {"a": ["b"]}}', "'dependentRequired'"),
    ('{"type": "object", "unevaluatedProperties": false}', "'unevaluatedProperties'"),
    ('{"type": "object", "minProperties": 2}', "'minProperties'"),
    ('{"type": "object", "requird": ["a"]}', "'requird'"),
    ('{"properties": {"a": {"items": {"$dynamicRef": "#x"}}}}', "'$dynamicRef'"),
    ('{"$ref": "https://example.org/s.json"}', "'$ref'"),
    ('{"type": "string", "format": "uri"}', "'format'"),
    ('{"type": "string", "format": "ipv4"}', "'format'"),
    ('{"type": "string", "pattern": "^(?=a)b"}', "'pattern'"),
    ('{"type": "string", "pattern": "^(a|b)\\\\1$"}', "'pattern'"),
    ('{"type": "string", "pattern": "\\\\bword\\\\b"}', "'pattern'"),
]


@pytest.mark.parametrize(
    ("schema", "naming", "error"),
    [(*case, BadInput) for case in UNUSABLE] + [(*case, CapabilityMissing) for case in NOT_HELD],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_refused_before_the_call_by_name(schema: str, naming: str, error: type[PromptkitError]) -> None:
    with pytest.raises(PromptkitError) as caught:
        complete(ask(schema=schema))
    assert type(caught.value) is error
    assert naming in caught.value.message
    assert "\n" not in caught.value.message
    assert not model_threads()


def test_schemas_that_recur_are_fine() -> None:
    tree = {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}}
    check_schema(json.dumps(tree))


def test_a_reply_cut_off_says_so() -> None:
    long = {"type": "array", "items": {"type": "integer"}, "minItems": 50}
    for reply in complete(ask(schema=json.dumps(long), max_tokens=6)):
        assert reply.finish == "length"
        assert reply.text.startswith("[")


def test_a_reply_that_breaks_the_schema_is_no_reply() -> None:
    schema = json.dumps(MOVE)
    for text in ("", "Sure! {}", "{}", '{"sign": "+", "numbers": [1, 2], "note": NaN}', '```json\n{"sign": "+"}\n```'):
        broken = Sample(text=text, finish="stop").breach(schema)
        assert isinstance(broken, BadReply)
        assert "does not satisfy the schema" in broken.message
        assert Sample(text=text, finish="length").breach(schema) is None
    fine = '{"sign": "+", "numbers": [1, 2], "note": null}'
    assert Sample(text=fine, finish="stop").breach(schema) is None


def test_a_grammar() -> None:
    for reply in complete(ask(grammar='root ::= "sure" | "likely" | "impossible"'), 8):
        assert reply.text in ("sure", "likely", "impossible")


def test_a_template_that_opens_thoughts_does_not_swallow_a_constrained_reply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    thinking = "{% if enable_thinking is not defined or enable_thinking %}<think>\n{% endif %}"
    turns = "{% for m in messages %}{{ m['role'] + ' ' + m['content'] + '\n' }}{% endfor %}assistant\n"
    monkeypatch.setattr(tiny_gguf, "TEMPLATE", turns + thinking)
    path = tiny_gguf.write_tiny(tmp_path / "thinks.gguf")

    async def main() -> Completion:
        provider = open_llamacpp(str(path), {})
        try:
            return await provider.complete(ask("x", grammar='root ::= "yes" | "no"'))
        finally:
            await provider.aclose()

    reply = asyncio.run(main())
    assert reply.text in ("yes", "no")
    assert not reply.reasoning


def test_log_probabilities_come_with_the_tokens_and_survive_the_journal() -> None:
    for reply in complete(ask(logprobs=3, max_tokens=5)):
        assert "".join(token.text for token in reply.logprobs) == reply.text
        for token in reply.logprobs:
            assert token.logprob <= 0
            assert len(token.top) == 3
            assert [value for _, value in token.top] == sorted((value for _, value in token.top), reverse=True)
        assert to_completion(unpack(pack(from_completion(reply)))) == reply


def test_they_are_the_same_again_and_come_only_when_asked_for() -> None:
    plain, told = complete(ask()), complete(ask(logprobs=2))
    again = complete(ask(logprobs=2))
    assert [reply.logprobs for reply in told] == [reply.logprobs for reply in again]
    assert not any(reply.logprobs for reply in plain)


def test_a_completion_stored_before_there_were_any_still_loads() -> None:
    reply = Completion(text="x", model="m")
    assert "logprobs" not in from_completion(reply)
    assert to_completion(from_completion(reply)) == reply
    told = Completion(text="x", model="m", logprobs=(Token("x", -0.5, (("x", -0.5), ("\ud800", -1.0))),))
    assert to_completion(unpack(pack(from_completion(told)))) == told
