"""What a model would assume where a question leaves something open, and the question with that behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from promptkit import prompts
from promptkit.events import Warned, emit
from promptkit.exchange import put
from promptkit.layering.lacking import Finding, lint
from promptkit.sampling import ask
from promptkit.types import Completion, Model, Problem

_NONE = re.compile(r"\W*none\W*", re.IGNORECASE)


def lacking(problem: Problem, known: Sequence[str]) -> tuple[Finding, ...]:
    """What the question does not say, but for what is known from elsewhere; what is attached is context and example."""
    attached = ("context", "examples") if problem.parts or problem.history else ()
    return tuple(each for each in lint(problem.text) if each.kind not in (*known, *attached))


async def assumed(problem: Problem, lacks: Sequence[Finding], model: Model, tokens: int | None) -> Mapping[str, str]:
    """The assumptions that a model says matter, in one call; none where its reply cannot be read."""
    template = prompts.pack(problem.pack).template("descriptive")
    request = put(problem, template, {"lacking": lacks}, max_tokens=tokens)
    reply = await ask(model, request, where="describe")
    found = _read(reply, [each.kind for each in lacks])
    if found is None:
        emit(Warned("no assumptions could be read: the question goes as it is"))
    return found or {}


def completed(problem: Problem, said: Mapping[str, str], template: str = "assumed") -> Problem:
    """The problem whose question is followed by what is assumed of it; its own words stay as they are."""
    if not said:
        return problem
    lines = [{"kind": kind, "said": text} for kind, text in said.items()]
    words = prompts.pack(problem.pack).template(template)
    named = {name: lines for name in words.inputs if name != "question"}
    return replace(problem, text=words.render(question=problem.text, **named)[-1].text)


def _read(reply: Completion, kinds: Sequence[str]) -> dict[str, str] | None:
    """What stands behind each of these names at the beginning of a line; None where there is nothing to read."""
    lines = reply.text.strip().splitlines()
    if reply.finish == "length":
        lines = lines[:-1]  # half an assumption
    line = re.compile(rf"[\s>*_\-–•\d.)]*({'|'.join(kinds)})[\s*_]*[:：][\s*_]*(.*\S)\s*", re.IGNORECASE)
    found: dict[str, str] = {}
    for match in filter(None, map(line.fullmatch, lines)):
        if not _NONE.fullmatch(match[2]):
            found.setdefault(match[1].casefold(), match[2].strip("*_ "))
    none = any(_NONE.fullmatch(each) for each in lines)
    return found if found or none else None
