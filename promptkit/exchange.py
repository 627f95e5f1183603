"""A question put to a model through a template, and the answer read from the reply: what strategies share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from promptkit import answers, prompts, registry
from promptkit.errors import BadInput, UnknownName
from promptkit.events import Best, SampleRead, emit
from promptkit.prompts import Pack, Prompt
from promptkit.sampling import ask
from promptkit.types import Completion, Model, Outcome, Problem, Request, World

WHOLE = "text"  # the reader that takes the reply as it is
AS_WRITTEN = {"expression", "boxed", "final", WHOLE}  # shown as the model wrote them, compared in canonical form


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer read from a reply: equal answers have equal `key`s."""

    key: str
    shown: str


def reader_of(problem: Problem, pack: Pack, prompt: Prompt) -> str:
    """The reader in force: the problem's, else the template's, else the pack's."""
    return _known(problem.reader or prompt.reader or pack.reader)


def _known(reader: str) -> str:
    known = {*answers.READERS, WHOLE}
    if reader not in known:
        raise UnknownName("reader", reader, known)
    return reader


def read(reader: str, completion: Completion, index: int = 0) -> Answer | None:
    """The answer, or None when the reply has none, has two, or was cut off before it."""
    if completion.finish == "length" and reader != WHOLE:
        # A reply cut at max_tokens may end in a number on the way: that is not its answer.
        emit(SampleRead(index, None, "", "cut off at max_tokens"))
        return None
    if reader == WHOLE:
        text = completion.text.strip()
        emit(SampleRead(index, text or None, WHOLE))
        return Answer(" ".join(text.casefold().split()), text) if text else None
    reading = answers.read(reader, completion.text)
    if reading is None:
        emit(SampleRead(index, None, "", "no answer in the reply"))
        return None
    if isinstance(reading, answers.Ambiguous):
        emit(SampleRead(index, None, reading.layer, "ambiguous: " + " or ".join(reading.candidates)))
        return None
    answer = Answer(reading.answer, reading.shown if reader in AS_WRITTEN else reading.answer)
    emit(SampleRead(index, answer.shown, reading.layer))
    return answer


def check(problem: Problem) -> None:
    """BadInput when the problem's reader or its pack cannot take it: known before anything is asked."""
    pack = prompts.pack(problem.pack)
    _known(problem.reader or pack.reader)
    world_of(pack, problem)


def world_of(pack: Pack, problem: Problem) -> World | None:
    """The rules of a pack's questions, if it has any; BadInput when this question is not one of them."""
    if pack.world is None:
        return None
    world: World = registry.load("world", pack.world)()
    world.start(problem.text)
    return world


def verified(world: World | None, problem: Problem, answer: str | None) -> bool | None:
    """Whether the answer is right by the pack's rules; None where nothing can tell."""
    return world.check(problem.text, answer) if world and answer is not None else None


def put(problem: Problem, template: Prompt, inputs: Mapping[str, Any] | None = None, /, **decoding: Any) -> Request:
    """A request that puts the problem, with its history before it, through a template."""
    heat, room = decoding.get("temperature"), decoding.get("max_tokens")
    if heat is not None and not 0 <= heat < math.inf:
        raise BadInput(f"--temperature must be 0 or more, not {heat:g}", hint="e.g. --temperature 0.7")
    if room is not None and room < 1:
        raise BadInput(f"--reply-tokens must be at least 1, not {room}", hint="e.g. --reply-tokens 512")
    request = template.request({**problem.vars, "question": problem.text, **(inputs or {})}, **decoding)
    return replace(request, messages=problem.history + request.messages) if problem.history else request


async def answer_once(problem: Problem, model: Model, template_name: str, /, **decoding: Any) -> Outcome:
    """The outcome of a single reply: undecided when no answer can be read from it."""
    pack = prompts.pack(problem.pack)
    template = pack.template(template_name)
    reader, world = reader_of(problem, pack, template), world_of(pack, problem)
    completion = await ask(model, put(problem, template, **decoding), where=template_name)
    answer = read(reader, completion)
    if answer is None:
        return Outcome(answer=None, text=completion.text, status="undecided", detail={"finish": completion.finish})
    right = verified(world, problem, answer.shown)
    emit(Best(answer.shown, text=completion.text, verified=bool(right)))
    return Outcome(answer=answer.shown, text=completion.text, detail={"verified": right})
