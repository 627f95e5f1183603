"""Every shipped template renders, has nothing wrong with it, and can be put to a model."""

from __future__ import annotations

import re
from typing import Any

import pytest

from promptkit import api, prompts
from promptkit.cli.inputs import looped
from promptkit.journal import Journal
from promptkit.prompting.trial import Trial
from promptkit.prompts import Prompt
from promptkit.providers.scripted import Scripted

SHIPPED = [prompt for prompt in prompts.everything() if prompt.origin == "promptkit"]
DATA = "{{ 6 * 7 }} {% x"


def given(prompt: Prompt) -> dict[str, Any]:
    """Inputs that a template cannot take for its own; what it loops over has every field that it asks for."""
    lists = looped(prompt)
    fields = re.findall(r"\w\.(\w+)", "".join(body for _, body in (*prompt.turns, *prompt.parts)))
    item = dict.fromkeys(fields, DATA)
    return {name: [item, item] if name in lists else DATA for name in prompt.inputs}


@pytest.mark.parametrize("prompt", SHIPPED, ids=lambda prompt: prompt.id)
def test_it_renders_what_it_is_given_as_it_is(prompt: Prompt) -> None:
    messages = prompt.render(**given(prompt))
    text = "\n".join(each.text for each in messages)
    assert text.strip()
    if {"question", "state"} & set(prompt.inputs) - looped(prompt):
        assert DATA in text


@pytest.mark.parametrize("prompt", SHIPPED, ids=lambda prompt: prompt.id)
def test_it_has_nothing_wrong_with_it(prompt: Prompt) -> None:
    assert [error.message for error in (*prompts.check(prompt.path), *prompts.lint(prompt.path))] == []
    prompts.cases_of(prompt)


def test_every_one_can_be_put_to_a_model_and_is_pinned() -> None:
    model = Scripted(lambda request: f"{len(request.messages)} turns\nAnswer: 4", name="turns")
    with Journal.open(None) as journal:
        for prompt in SHIPPED:
            question = prompts.pack(prompt.pack).example or "six times seven"
            inputs = {name: value for name, value in given(prompt).items() if name != "question"}
            trial = Trial(template=prompt.name, inputs=inputs, read=False)
            outcome = api.run(trial, question, pack=prompt.pack, model=model, journal=journal)
            assert outcome.text, prompt.id
            assert (prompt.id, prompt.digest) in [(pin.id, pin.digest) for pin in journal.pinned(outcome.run)]
