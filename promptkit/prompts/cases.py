"""What a template is tested with: `NAME.tests.yaml` beside it, a list of inputs and of what the reply must be.

- inputs: {question: "What is 6 times 7?"}
  expect: {answer: "42"}               # or value, contains, regex, schema; all that are given must hold
  model: builtin                       # or reply: "Answer: 42", which a scripted model says
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptkit.errors import BadInput, BadPrompt, UnknownName
from promptkit.prompts.front import loaded
from promptkit.prompts.template import Prompt
from promptkit.textfile import text_of

FIELDS = "name inputs expect model reply".split()
EXPECTED = "answer value contains regex schema".split()
_FORM = '- inputs: {question: "…"}\n  expect: {answer: "…"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test of a template."""

    where: str  # file:line
    name: str
    inputs: Mapping[str, Any]
    expect: Mapping[str, Any]
    model: str | None = None
    replies: tuple[str, ...] = ()  # by draw; what a scripted model says instead of a real one


def tests_path(prompt: Prompt) -> Path:
    """Where a template's tests are, if it has any."""
    return prompt.path.with_name(f"{prompt.name}.tests.yaml")


def cases_of(prompt: Prompt) -> tuple[Case, ...]:
    """The tests of a template, in their order; BadPrompt names the line that cannot be used."""
    path = tests_path(prompt)
    if not path.is_file():
        return ()
    import yaml

    text = text_of(path, error=BadPrompt)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        said = loaded(text)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or " ".join(str(error).split())
        raise BadPrompt(f"{path}:{mark.line + 1 if mark else 1}: {what}", hint=_FORM) from error
    if not isinstance(said, list) or not said:
        raise BadPrompt(f"{path}:1: not a list of tests", hint=_FORM)
    places = [f"{path}:{item.start_mark.line + 1}" for item in (root.value if root else ())]
    return tuple(_case(prompt, where, n, each) for n, (where, each) in enumerate(zip(places, said, strict=True), 1))


def _case(prompt: Prompt, where: str, number: int, said: Any) -> Case:
    if not isinstance(said, dict):
        raise BadPrompt(f"{where}: not a test", hint=_FORM)
    _only(where, "field", said, FIELDS)
    inputs, expect = said.get("inputs", {}), said.get("expect")
    if not isinstance(inputs, dict) or not isinstance(expect, dict) or not expect:
        raise BadPrompt(f"{where}: a test has inputs and something to expect", hint=_FORM)
    _only(where, "input", inputs, prompt.inputs)
    _only(where, "expectation", expect, EXPECTED)
    for name in ("answer", "contains", "regex"):
        if name in expect and not isinstance(expect[name], str):
            raise BadPrompt(f'{where}: {name} must be a text: {name}: "{expect[name]}"')
    try:
        re.compile(expect.get("regex", ""))
    except re.error as error:
        raise BadPrompt(f"{where}: not a regular expression: {error}") from error
    if "value" in expect and not (prompt.scores or prompt.schema):
        hint = "a value is what `scores` or `schema` make of a reply, and the template has neither"
        raise BadPrompt(f"{where}: no value can be expected", hint=hint)
    reply = said.get("reply", [])
    replies = [reply] if isinstance(reply, str) else reply
    if not isinstance(replies, list) or not all(isinstance(text, str) for text in replies):
        raise BadPrompt(f"{where}: reply must be a text or a list of texts")
    model = said.get("model")
    if not isinstance(model, str | None) or (model and replies):
        raise BadPrompt(f"{where}: a test has a model or a reply", hint='model: builtin, or reply: "Answer: 42"')
    if "schema" in expect:
        from promptkit.outputs import form

        try:
            form(expect["schema"] if isinstance(expect["schema"], dict) else {})
        except BadInput as error:
            raise BadPrompt(f"{where}: {error.message}", hint=error.hint) from error
    name = str(said.get("name", number))
    return Case(where=where, name=name, inputs=inputs, expect=expect, model=model, replies=tuple(replies))


def _only(where: str, kind: str, given: Mapping[Any, Any], known: Any) -> None:
    for name in given:
        if name not in known:
            error = UnknownName(kind, str(name), known)
            raise BadPrompt(f"{where}: {error.message}", hint=error.hint)
