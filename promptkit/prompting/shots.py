"""Worked examples before a question: as turns of a conversation, or as one text that a model goes on with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from promptkit import prompts
from promptkit.errors import BadInput
from promptkit.examples import Example
from promptkit.exchange import put
from promptkit.prompts import Prompt
from promptkit.types import Message, Problem, Request, message

Form = Literal["chat", "document", "raw"]

NEXT = "\nQ:"  # begins another question in a document: there the reply to this one ends


def behind(
    shown: Sequence[Example], problem: Problem, template: Prompt, *, rationale: bool, form: Form, **decoding: Any
) -> Request:
    """The question behind the examples; `decoding` overrides the template's where it is not None."""
    asked = put(replace(problem, history=()), template, **decoding)
    if form == "chat":
        head, question = _apart(asked.messages)
        turns = [turn for each in shown for turn in _turns(problem, template, each, rationale)]
        return replace(asked, messages=(*head, *turns, *problem.history, *question))
    if problem.output_schema is not None or template.schema is not None:
        raise BadInput(
            "a document ends where the answer begins: no form can be asked for behind it", hint="--form chat"
        )
    if form == "raw" and problem.history:
        raise BadInput("a bare text has no conversation before it", hint="--form document, or --form chat")
    document = prompts.pack(problem.pack).template("document")
    pairs = [{"question": each.question, "reply": said(problem, each, rationale)} for each in shown]
    messages = put(problem, document, {"examples": pairs}).messages
    return replace(asked, messages=messages, stop=(*asked.stop, NEXT), raw=() if form == "raw" else None)


def said(problem: Problem, each: Example, rationale: bool) -> str:
    """What the model is shown to have replied to an example, as the pack writes it."""
    texts = {"question": each.question, "answer": each.answer, "rationale": each.rationale if rationale else ""}
    form = prompts.pack(problem.pack).template("example").request(texts)
    return "\n".join(turn.text for turn in form.messages)


def _turns(problem: Problem, template: Prompt, each: Example, rationale: bool) -> Sequence[Message]:
    """The question as the template asks it, and the reply as the pack writes it."""
    _, asked = _apart(put(replace(problem, text=each.question, parts=(), history=()), template).messages)
    begun = [turn.text for turn in asked[1:]]  # a template may begin the reply itself
    return *asked[:1], message("assistant", "\n".join([*begun, said(problem, each, rationale)]))


def _apart(turns: Sequence[Message]) -> tuple[Sequence[Message], Sequence[Message]]:
    """The turns before the last one of the user, and the rest."""
    last = max((at for at, turn in enumerate(turns) if turn.role == "user"), default=0)
    return turns[:last], turns[last:]
