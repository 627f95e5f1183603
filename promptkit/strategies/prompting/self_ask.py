"""Self-ask: the model asks itself follow-up questions before it answers (arXiv:2210.03350).

Every call asks for the next line of the paper's form: "Follow up:" and a question, or "So the final answer is:" and the
answer. Only a line that begins so counts, and nothing that stands behind it: a model that writes on makes up its own
intermediate answers. A follow-up question is answered by a call of its own, in which nothing else is in view, or by
`of`. One that was asked before, or the last one allowed, ends the asking: then the answer is asked for alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from promptkit import prompts
from promptkit.announced import About, Forecast, reply
from promptkit.composition import Of, inner
from promptkit.events import Stopped, emit
from promptkit.examples import same
from promptkit.exchange import answer_in, formed, put, reader_of, stated
from promptkit.formed import ask_held
from promptkit.prompting.subquestions import all_answered, each_forecast
from promptkit.ranges import at_least
from promptkit.sampling import ask
from promptkit.types import Completion, Model, Outcome, Problem, Request

LINE = re.compile(
    r"^[ \t>*_#]*(follow[ -]?up|so the final answer is)[ *_]*:[ *_]*(\S.*)$", re.IGNORECASE | re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfAsk:
    """Ask and answer follow-up questions, one at a time, then answer the question."""

    about: ClassVar[About] = About(
        calls="2·f + 1 for f follow-up questions, f at most --most; with --of, f times its samples in place of one f",
        helps="questions that join several facts, none of them hard: the paper finds that models often know both facts "
        "and not their combination, and that a search engine as --of adds to it (arXiv:2210.03350)",
        fails="questions of one step; one wrong intermediate answer is built upon, and the calls wait for each other",
    )

    most: int = 5  # follow-up questions at most
    of: Of = field(default=None, metadata={"flag": str | None})  # strategy that answers each follow-up question
    temperature: float | None = None  # sampling temperature; default: the templates'
    reply_tokens: int | None = None  # longest reply; default: the templates'

    def __post_init__(self) -> None:
        at_least(1, "5, or: promptkit run cot", most=self.most)
        object.__setattr__(self, "of", inner(self.of))

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer, after as many follow-up questions as the model asks."""
        asked: list[tuple[str, str | None]] = []
        while len(asked) < self.most:
            request = self._request(problem, asked)
            got = await ask(model, request, where=f"turn-{len(asked)}")
            kind, text = _next(got)
            if kind == "final" and problem.output_schema is None:
                return await self._concluded(got, request, problem, model, asked)
            if kind != "follow-up":
                break
            if same(text) in {same(question) for question, _ in asked}:
                emit(Stopped(f"it asks the same again: {text}"))
                break
            asked.append((text, await self._follow_up(problem, model, text, len(asked))))
        else:
            emit(Stopped(f"{self.most} follow-up questions: it is asked for the answer now"))
        template = prompts.pack(problem.pack).template("self-ask")
        request = formed(self._request(problem, asked, last=True), problem, model, template)
        got = await ask_held(model, request, where="final")
        return await self._concluded(got, request, problem, model, asked)

    def _request(self, problem: Problem, asked: list[tuple[str, str | None]], last: bool = False) -> Request:
        template = prompts.pack(problem.pack).template("self-ask")
        told = "\n".join(f"Follow up: {question}\nIntermediate answer: {answer or '?'}" for question, answer in asked)
        decoding = {"temperature": self.temperature, "max_tokens": self.reply_tokens}
        return put(problem, template, {"asked": told, "last": last}, **decoding)

    async def _follow_up(self, problem: Problem, model: Model, question: str, number: int) -> str | None:
        (answer,) = await all_answered(
            problem,
            [question],
            model,
            prompts.pack(problem.pack).template("aside"),
            of=inner(self.of),
            where=f"follow-up-{number}",
            temperature=self.temperature,
            reply_tokens=self.reply_tokens,
        )
        return " ".join(answer.split()) if answer else None

    async def _concluded(
        self, got: Completion, request: Request, problem: Problem, model: Model, asked: list[tuple[str, str | None]]
    ) -> Outcome:
        """The outcome of the reply that has the answer; what stands behind its mark is the answer."""
        pack = prompts.pack(problem.pack)
        template = pack.template("self-ask")
        kind, text = _next(got)
        if kind == "final" and problem.output_schema is None:
            # The line is whole, whatever was cut off behind it.
            got = replace(got, text=stated(reader_of(problem, pack, template), text), finish="stop")
        outcome = await answer_in(got, request, problem, model, template)
        missing = sum(answer is None for _, answer in asked)
        return replace(outcome, detail={**outcome.detail, "follow_ups": asked, "unanswered": missing})

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes; how many follow-up questions there are is for the model to say."""
        each = (Forecast(1, None, 1) + each_forecast(inner(self.of), problem)).times(self.most)
        return replace(each, least=0) + reply(problem)

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With fewer follow-up questions."""
        each = each_forecast(inner(self.of), problem).most
        fewer = min(self.most, (samples - 1 - (problem.output_schema is not None)) // (1 + each)) if each else 0
        return replace(self, most=fewer) if fewer > 0 else None


def _next(got: Completion) -> tuple[str, str]:
    """What the first line that begins as asked is, and what it says; a line that was cut off says nothing."""
    line = LINE.search(got.text)
    if line is None or (got.finish == "length" and "\n" not in got.text[line.end() :]):
        return "", ""
    return ("follow-up" if line[1].casefold().startswith("follow") else "final"), line[2].strip()
