"""A question put to a model through a template, and the answer read from the reply: what strategies share."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from promptkit import answers, prompts, registry
from promptkit.attachments import quoted, shown
from promptkit.errors import BadInput, OutputInvalid, UnknownName
from promptkit.events import Best, SampleRead, emit
from promptkit.formed import ask_held, asked, asked_again
from promptkit.outputs import Form
from promptkit.prompts import Pack, Prompt
from promptkit.ranges import at_least
from promptkit.types import Completion, Model, Outcome, Problem, Request, World
from promptkit.verdicts import verdict

WHOLE = "text"  # the reader that takes the reply as it is, but for a label before its only line
AMONG = "one of: "  # begins the reader of a verdict, as in "one of: sure, likely, impossible"
AS_WRITTEN = {"expression", "boxed", "final", WHOLE}  # shown as the model wrote them, compared in canonical form


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer read from a reply: equal answers have equal `key`s."""

    key: str
    shown: str


def reader_of(problem: Problem, pack: Pack, prompt: Prompt) -> str:
    """The reader in force: the form of the output, else the problem's, else the template's, else the pack's."""
    problem = with_schema(problem, prompt)
    if problem.output_schema is not None:
        return _form(problem)
    return _known(problem.reader or prompt.reader or pack.reader)


def _known(reader: str) -> str:
    known = {*answers.READERS, WHOLE}
    if reader not in known and not reader.startswith(AMONG):
        raise UnknownName("reader", reader, known)
    return reader


def read(reader: str, completion: Completion, index: int = 0) -> Answer | None:
    """The answer, or None when the reply has none, has two, or was cut off before it."""
    if completion.finish == "weak":  # ended on purpose: what it says so far it does not stand by
        emit(SampleRead(index, None, "", "ended: it grew unsure"))
        return None
    if isinstance(reader, Form):
        fitting, fault = _fit(reader, completion)
        emit(SampleRead(index, fitting, "json", fault))
        return Answer(fitting, fitting) if fitting is not None else None
    thinking = bool(completion.reasoning) and not completion.text.strip()
    if completion.finish == "length" and (reader != WHOLE or thinking):
        # A reply cut at max_tokens may end in a number on the way: that is not its answer.
        emit(SampleRead(index, None, "", "cut off while thinking" if thinking else "cut off at max_tokens"))
        return None
    if reader == WHOLE:
        text = _unlabelled(completion.text.strip())
        emit(SampleRead(index, text or None, WHOLE))
        return Answer(" ".join(text.casefold().split()), text) if text else None
    if reader.startswith(AMONG):
        word = verdict(completion.text, reader.removeprefix(AMONG).split(", "))
        emit(SampleRead(index, word, "verdict" if word else "", "" if word else "no verdict in the last line"))
        return Answer(word, word) if word else None
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


def _unlabelled(reply: str) -> str:
    """The reply without "Answer:" before it, where that is all of it but one line: `cot` reads the same from it."""
    if "\n" in reply or not re.search("[:：]", reply[:40]):
        return reply
    from promptkit.answers.final import LABEL  # the word in every language; not loaded for a reply without a colon

    label = LABEL.fullmatch(reply)
    if not label:
        return reply
    rest, bold = label["rest"], reply[: len(reply) - len(reply.lstrip("*_"))]
    if bold:  # the other end of it goes, too; an answer that is bold itself keeps its marks
        rest = rest.removeprefix(bold)
        rest = rest.removesuffix(bold) if rest.count(bold) == 1 else rest
    return rest.strip() or reply


def marked(reader: str, text: str) -> bool:
    """Whether the reply says what its answer is; where it does not, the reader `final` takes its last paragraph."""
    reading = answers.read(reader, text) if reader == "final" else None
    return not isinstance(reading, answers.Reading) or reading.layer != "last"


def check(problem: Problem) -> None:
    """BadInput when the problem's reader or its pack cannot take it: known before anything is asked."""
    pack = prompts.pack(problem.pack)
    _known(problem.reader or pack.reader)
    world_of(pack, problem)
    if problem.output_schema is not None and (problem.reader or pack.world):
        what = f"the reader {problem.reader!r}" if problem.reader else f"the pack {pack.name}, whose answers have rules"
        raise BadInput(f"an output is read as JSON; it does not go with {what}", hint="leave one of them out")


def check_decoding(temperature: Any = None, reply_tokens: Any = None) -> None:
    """BadInput for what no model can be asked; a strategy's fields of these names are known before the run begins."""
    if isinstance(temperature, (int, float)) and not 0 <= temperature < math.inf:
        raise BadInput(f"--temperature must be 0 or more, not {temperature:g}", hint="e.g. --temperature 0.7")
    if isinstance(reply_tokens, int):
        at_least(1, 512, reply_tokens=reply_tokens)


def world_of(pack: Pack, problem: Problem) -> World | None:
    """The rules of a pack's questions, if it has any; BadInput when this question is not one of them."""
    if pack.world is None:
        return None
    if problem.parts:
        raise BadInput(f"the pack {pack.name} takes no attachments: its questions are complete", hint="-P general")
    world: World = registry.load("world", pack.world)()
    world.start(problem.text)
    return world


def verified(world: World | None, problem: Problem, answer: str | None) -> bool | None:
    """Whether the answer is right by the pack's rules; None where nothing can tell."""
    return world.check(problem.text, answer) if world and answer is not None else None


def put(problem: Problem, template: Prompt, inputs: Mapping[str, Any] | None = None, /, **decoding: Any) -> Request:
    """A request that puts the problem, with its history before it, through a template."""
    check_decoding(decoding.get("temperature"), decoding.get("max_tokens"))
    question = quoted(problem.parts, problem.text) if problem.parts else problem.text
    request = template.request({**problem.vars, "question": question, **(inputs or {})}, **decoding)
    if problem.effort is not None:
        request = replace(request, effort=problem.effort)
    if problem.parts and "question" in template.inputs:
        request = replace(request, messages=shown(request.messages, problem.parts))
    return replace(request, messages=problem.history + request.messages) if problem.history else request


async def answer_once(problem: Problem, model: Model, template_name: str, /, **decoding: Any) -> Outcome:
    """The outcome of a single reply: undecided when no answer can be read from it."""
    template = prompts.pack(problem.pack).template(template_name)
    return await answer_to(put(problem, template, **decoding), problem, model, template)


async def answer_to(
    request: Request, problem: Problem, model: Model, template: Prompt, /, *, index: int = 0
) -> Outcome:
    """The outcome of a single reply to a request that was made with the template; `index` numbers what is read."""
    problem = with_schema(problem, template)
    pack = prompts.pack(problem.pack)
    reader_of(problem, pack, template), world_of(pack, problem)  # what cannot be read is refused before it is asked
    request = formed(request, problem, model, template)
    completion = await ask_held(model, request, where=template.name)
    return await answer_in(completion, request, problem, model, template, index=index)


async def answer_in(
    completion: Completion, request: Request, problem: Problem, model: Model, template: Prompt, /, *, index: int = 0
) -> Outcome:
    """The outcome of a reply that is there already; an output that does not fit is mended by another call."""
    problem = with_schema(problem, template)
    pack = prompts.pack(problem.pack)
    reader, world = reader_of(problem, pack, template), world_of(pack, problem)
    answer = read(reader, completion, index)
    if answer is None and isinstance(reader, Form):
        answer, completion = await mended(request, completion, problem, model)
    if answer is None:
        return Outcome(answer=None, text=completion.text, status="undecided", detail={"finish": completion.finish})
    right = verified(world, problem, answer.shown)
    emit(Best(answer.shown, text=completion.text, verified=bool(right)))
    return Outcome(answer=answer.shown, text=completion.text, detail={"verified": right})


def handed_on(outcome: Outcome, detail: Mapping[str, Any] | None = None) -> Outcome:
    """The outcome of a strategy inside as that of the whole: its answer is the run's best, `detail` is put beside."""
    if outcome.answer is not None:
        emit(Best(outcome.answer, outcome.confidence, outcome.text, verified=bool(outcome.verified)))
    return replace(outcome, detail={**outcome.detail, **(detail or {})})


def stated(reader: str, answer: str) -> str:
    """A reply that says nothing but the answer, as the reader looks for one."""
    if isinstance(reader, Form) or reader == WHOLE or "\n" in answer:
        return answer
    if reader == "boxed":
        return answer if "\\boxed" in answer else f"\\boxed{{{answer}}}"
    return f"Answer: {answer}"


def key_of(reader: str, shown: str) -> str:
    """The canonical form of an answer as it is shown: equal for equal answers."""
    if isinstance(reader, Form) or reader.startswith(AMONG):
        return shown  # canonical already
    reading = None if reader == WHOLE else answers.read(reader, stated(reader, shown))
    return reading.answer if isinstance(reading, answers.Reading) else " ".join(shown.casefold().split())


def formed(request: Request, problem: Problem, model: Model, template: Prompt) -> Request:
    """The request, asking for the problem's output if it has one. Only a reply without reasoning is held to it."""
    problem = with_schema(problem, template)
    if problem.output_schema is None:
        return request
    pack = prompts.pack(problem.pack)
    whole = template.reader == WHOLE or template.schema is not None
    return asked(request, problem.output_schema, pack, model, held=whole)


async def mended(request: Request, got: Completion, problem: Problem, model: Model) -> tuple[Answer, Completion]:
    """The answer after one re-ask that shows what was wrong; OutputInvalid if it does not fit, see with_schema()."""
    form, pack = _form(problem), prompts.pack(problem.pack)
    again = await asked_again(request, got, _fit(form, got)[1], form, pack, model)
    answer = read(form, again)
    if answer is None:
        raise OutputInvalid(_fit(form, again)[1], again.text, got.text)
    return answer, again


def with_schema(problem: Problem, template: Prompt) -> Problem:
    """The problem with the template's schema as its output, unless it says itself how the reply is read."""
    if template.schema is None or problem.reader or problem.output_schema is not None:
        return problem
    return replace(problem, output_schema=Form.of(template.schema))


def _form(problem: Problem) -> Form:
    wanted = problem.output_schema or "{}"
    return wanted if isinstance(wanted, Form) else Form.of(wanted)


def _fit(form: Form, completion: Completion) -> tuple[str | None, str]:
    """The canonical JSON of a reply, or what is wrong with it."""
    try:
        return form.fit(completion.text, whole=completion.finish != "length"), ""
    except ValueError as error:
        return None, str(error)
