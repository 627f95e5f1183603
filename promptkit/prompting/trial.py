"""A template put to a model once, as its tests do: one reply, read as the template says, and judged."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from promptkit import prompts
from promptkit.announced import About, Forecast, reply
from promptkit.exchange import AMONG, answer_in, formed, key_of, put, reader_of
from promptkit.formed import ask_held
from promptkit.outputs import form
from promptkit.prompts import Prompt
from promptkit.types import Model, Outcome, Problem

READ = ("answer", "value")  # what can only be expected of a reply that was read


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Ask once with a template and the inputs given."""

    about: ClassVar[About] = About(calls="1", helps="testing a template", fails="anything else")

    template: str  # its name in the problem's pack
    inputs: dict[str, Any] = field(default_factory=dict)  # what it is given besides the question
    read: bool = True  # whether an answer is looked for in the reply; without it the answer is the whole reply

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer read from one reply."""
        template = prompts.pack(problem.pack).template(self.template)
        request = formed(put(problem, template, self.inputs), problem, model, template)
        got = await ask_held(model, request, where=template.name)
        if not self.read:
            return Outcome(answer=got.text.strip() or None, text=got.text)
        return await answer_in(got, request, problem, model, template)

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes."""
        return reply(problem)


def reader_for(template: Prompt) -> str | None:
    """The reader of a judge's template, which is one of its words; None where the template or its pack says it."""
    return f"{AMONG}{', '.join(template.scores)}" if template.scores and not template.reader else None


def missed(template: Prompt, problem: Problem, expect: Mapping[str, Any], outcome: Outcome) -> list[str]:
    """What was expected of an outcome and is not so, one line each; an empty list when all of it is."""
    checks: dict[str, Callable[[Any], bool]] = {
        "answer": lambda wanted: _same(template, problem, wanted, outcome.answer),
        "value": lambda wanted: _value(template, outcome.answer) == wanted,
        "contains": lambda wanted: wanted in outcome.text,
        "regex": lambda wanted: re.search(wanted, outcome.text) is not None,
        "schema": lambda wanted: _fits(wanted, outcome.text),
    }
    return [
        f"{name} {json.dumps(wanted, ensure_ascii=False)}"
        for name, wanted in expect.items()
        if not checks[name](wanted)
    ]


def _same(template: Prompt, problem: Problem, wanted: str, got: str | None) -> bool:
    reader = reader_of(problem, prompts.pack(problem.pack), template)
    return got is not None and key_of(reader, wanted) == key_of(reader, got)


def _value(template: Prompt, answer: str | None) -> Any:
    if answer is None:
        return None
    return template.scores[answer] if template.scores else json.loads(answer)


def _fits(wanted: Any, text: str) -> bool:
    try:
        form(wanted).fit(text)
    except ValueError:
        return False
    return True
