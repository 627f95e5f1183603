"""Structured text: the form of a reply is said, looked for, and repaired once.

A layer: the strategy inside is told the form behind the question, and its answer stays what it reads; the text in its
form is kept beside it. Small parsers, Markdown's among them, look for the form. Where it is not there one more call is
shown what is wrong, held to the form where the model can be; then it is reported. Held to it from the first call is
only a strategy that is one reply without reasoning: a form that leaves no room to think costs right answers
(arXiv:2408.02442).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, cast

from promptkit import exchange, prompts, registry
from promptkit.announced import About, Forecast, forecast, within
from promptkit.composition import Of, inner
from promptkit.errors import BadInput, OutputInvalid
from promptkit.events import Best, Warned, emit
from promptkit.layering.amending import amended
from promptkit.layering.forms import HINT, inlined, shape
from promptkit.layering.holding import MOST, Held, formed
from promptkit.layering.inside import layer
from promptkit.layering.keeping import LOST, Keeping, as_json, asking, stated
from promptkit.layering.shapes import Json, Shape
from promptkit.types import Completion, Model, Outcome, Problem, Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Structured:
    """Let another strategy answer in a form: sections, steps, a table, a Markdown skeleton, JSON; repaired once."""

    about: ClassVar[About] = About(
        calls="those of the strategy inside, and 0 to 3 to repair the form",
        helps="the reply is read by a program or put into a document; with a grammar the form always holds",
        fails="being right: forms held from the first word cost answers that need reasoning (arXiv:2408.02442), so "
        "reasoning is left free here",
    )

    form: str  # title, steps, sections:A,B,C, table:COLUMN,…, json[:SCHEMA.json] or markdown[:SKELETON.md]
    of: Of = field(default="cot", metadata={"flag": str | None})  # strategy that answers in this form
    reply_tokens: int | None = None  # longest repair; default: the template's

    def __post_init__(self) -> None:
        if not self.form.strip():
            raise BadInput("--form is empty", hint=HINT)
        shape(self.form)
        exchange.check_decoding(None, self.reply_tokens)
        object.__setattr__(self, "of", inner(self.of or "cot"))

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The outcome of the strategy inside; `detail` has its text in the form, or why there is none."""
        self._refuse(problem)
        form = shape(self.form)
        if isinstance(form, Json):
            return await self._as_json(asking(problem, form.wanted), model)
        with layer("structured", self._inner):
            whole = self._whole(problem)
            held = Held(model, form.grammar(None)) if whole and model.capabilities.grammar else model
            outcome = await self._inner.solve(self._told(problem, form), held)
            kept = None if whole else stated(outcome, problem)
            got = await formed(outcome, form, problem, model, self.reply_tokens, kept)
            if got.text is not None and (got.repaired or (whole and outcome.answer != got.text)):
                outcome = replace(outcome, text=got.text) if got.repaired else outcome
                outcome = replace(outcome, answer=got.text, status="done") if whole else outcome
                if outcome.answer is not None:
                    emit(Best(outcome.answer, outcome.confidence, outcome.text, verified=bool(outcome.verified)))
        return self._reported(outcome, got.text, got.fault, got.repaired)

    async def _as_json(self, problem: Problem, model: Model) -> Outcome:
        """JSON is what every strategy can be asked for; a reply that is none is reported, not raised."""
        keeping = Keeping(model, problem)
        try:
            with layer("structured", self._inner):
                outcome = await self._inner.solve(problem, keeping)
        except OutputInvalid as error:
            fault = LOST if keeping.dropped else error.message
            return self._reported(self._unformed(problem, error.first or error.reply), None, fault, repaired=False)
        if outcome.answer is None:
            lost = replace(self._unformed(problem, outcome.text), detail=outcome.detail)
            return self._reported(lost, None, "no reply could be read as JSON", repaired=False)
        text = outcome.answer if problem.output_schema is not None else as_json(outcome.answer)
        valued = replace(outcome, value=json.loads(text))
        return self._reported(valued, text, "", repaired=outcome.text in keeping.texts)

    def _unformed(self, problem: Problem, reply: str) -> Outcome:
        """What a reply answers in words; undecided where it does not say, or tries to say it in JSON."""
        plain, pack = replace(problem, output_schema=None), prompts.pack(problem.pack)
        reader = exchange.WHOLE if self._whole(plain) else pack.reader
        found = exchange.read(reader, Completion(text=reply, model="")) if exchange.marked(reader, reply) else None
        if found is None or found.shown.startswith(("{", "[", "`")):
            return Outcome(answer=None, text=reply, status="undecided")
        emit(Best(found.shown, text=reply))
        return Outcome(answer=found.shown, text=reply)

    def _reported(self, outcome: Outcome, text: str | None, fault: str, repaired: bool) -> Outcome:
        if text is None:
            kind = self.form.partition(":")[0]
            emit(Warned(fault if fault == LOST else f"the reply does not have the form {kind}: {fault}"))
        told: dict[str, Any] = {"form": self.form, "valid": text is not None}
        told["text"] = outcome.answer if fault == LOST else text
        told |= {"repaired": repaired, "fault": fault}
        return replace(outcome, detail={**outcome.detail, "structured": told})

    def _told(self, problem: Problem, form: Shape) -> Problem:
        """The problem with the form behind its question; a puzzle goes as it is, its answer is put into the form."""
        pack = prompts.pack(problem.pack)
        said = pack.template("structured").render(form=form.asks)[-1].text
        return problem if pack.world else amended(problem, said)

    def _whole(self, problem: Problem) -> bool:
        """Whether the strategy inside is one reply that is all answer: held to the form at once, it loses nothing."""
        pack = prompts.pack(problem.pack)
        if registry.name_of("strategy", self._inner) != "direct" or pack.world:
            return False
        return exchange.reader_of(problem, pack, pack.template("solve")) == exchange.WHOLE

    def _refuse(self, problem: Problem) -> None:
        if problem.output_schema is not None:
            raise BadInput("a reply has one form, and --output is one, too", hint="leave out --structured or --output")
        if isinstance(form := shape(self.form), Json):
            exchange.check(replace(problem, output_schema=form.wanted))

    def resolved(self, problem: Problem) -> Structured:
        """With the text of the file its form names: a run can be made again when the file has changed."""
        self._refuse(problem)
        return replace(self, form=inlined(self.form))

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes: those inside, and a repair where the form is not there."""
        form = shape(self.form)
        if isinstance(form, Json):
            return forecast(self._inner, asking(problem, form.wanted))
        return forecast(self._inner, problem) + Forecast(0, None, MOST)

    def within(self, problem: Problem, samples: int) -> Structured | None:
        """With the largest strategy inside that leaves room for a repair."""
        form = shape(self.form)
        if isinstance(form, Json):
            smaller = within(self._inner, asking(problem, form.wanted), samples)
        else:
            smaller = within(self._inner, problem, samples - MOST)
        return replace(self, of=smaller) if smaller else None

    @property
    def _inner(self) -> Strategy:
        return cast(Strategy, self.of)
