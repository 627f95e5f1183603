"""A text in its form: looked for in what a strategy came to, and asked for once more where it is not there.

The second call is held to the form where the model can be: by the form's grammar, or by a JSON schema whose value a
program writes as the form. A reply that was cut off in the middle of its form is asked for in a shorter one, which
must end before its tokens do; so a model that follows a grammar always gives the form.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from promptkit import prompts
from promptkit.around import Around
from promptkit.errors import CapabilityMissing
from promptkit.events import Substituted, emit_once
from promptkit.exchange import put
from promptkit.layering.keeping import LOST, holds
from promptkit.layering.shapes import Shape
from promptkit.sampling import LOSING, ask, fork
from promptkit.types import Completion, Model, Outcome, Problem, Request

MOST = 3  # samples at most: held to the form, the shorter form, and in words where the model refuses to be held
_AGAIN = 1  # the branch of draws that a re-ask has for itself


@dataclass(frozen=True, slots=True)
class Formed:
    """A text in its form, or what is wrong with it."""

    text: str | None
    fault: str = ""
    repaired: bool = False  # by another call


async def formed(
    outcome: Outcome, shape: Shape, problem: Problem, model: Model, tokens: int | None, kept: str | None
) -> Formed:
    """The text of an outcome in its form, after another call where it does not have it: one that says `kept`."""
    found = _found(shape, outcome.text)
    if found.text is not None:
        return found
    if outcome.answer is None and not outcome.text.strip():
        return Formed(None, "there is nothing to put into it")
    template = prompts.pack(problem.pack).template("structured-repair")
    told = {"reply": outcome.text.strip(), "answer": outcome.answer or "", "form": shape.asks, "fault": found.fault}
    request = put(problem, template, told, max_tokens=tokens)
    try:
        again = await _again(request, shape, fork(model, _AGAIN))
    except LOSING as error:  # the form is lost, not the answer
        return Formed(None, f"{found.fault}; the call that was to mend it failed: {error.message}")
    if again.text is not None and kept is not None and not holds(again.text, kept):
        return Formed(None, LOST)
    return replace(again, repaired=again.text is not None)


async def _again(request: Request, shape: Shape, model: Model) -> Formed:
    has = model.capabilities
    try:
        if has.grammar:
            got = await ask(model, replace(request, grammar=shape.grammar(None), stop=()), where="repair")
            if got.finish == "length" and request.max_tokens is not None:
                shorter = shape.grammar(request.max_tokens)
                got = await ask(model, replace(request, grammar=shorter, stop=()), where="repair-shorter")
            return _found(shape, got.text)
        if has.json_schema:
            got = await ask(model, replace(request, schema=json.dumps(shape.schema()), stop=()), where="repair")
            return _written(shape, got)
    except CapabilityMissing:  # it cannot be held to this one after all: refused before anything was sent
        pass
    emit_once(Substituted("a text held to its form", "the form in words, checked, and one repair"))
    got = await ask(model, request, where="repair-free" if has.grammar or has.json_schema else "repair")
    return _found(shape, got.text)


def _written(shape: Shape, got: Completion) -> Formed:
    """The form as a program writes it from the value of a reply."""
    try:
        return _found(shape, shape.write(json.loads(got.text)))
    except (ValueError, KeyError, TypeError, RecursionError):
        why = "cut off at max_tokens" if got.finish == "length" else "the value it was to be written from is none"
        return Formed(None, why)


def _found(shape: Shape, text: str) -> Formed:
    try:
        return Formed(shape.find(text))
    except ValueError as error:
        return Formed(None, str(error))


@dataclass(frozen=True, slots=True)
class Held(Around):
    """A model whose replies are held to a grammar: for a strategy whose only reply is its answer and nothing else."""

    inner: Model
    grammar: str

    async def complete(self, request: Request, /) -> Completion:
        free = request.grammar is None and request.schema is None
        return await self.inner.complete(replace(request, grammar=self.grammar, stop=()) if free else request)
