"""Least-to-most: a question is broken down into simpler ones, answered in order (arXiv:2205.10625).

The first call lists the sub-questions, the easiest first. Each is then asked with the question, and with all
sub-questions before it and their answers; the question itself is the last of them. What the model lists beyond `most`
is left out and said. A sub-question whose answer is missing or was cut off is not shown to those after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from promptkit import prompts
from promptkit.announced import About, Forecast, reply
from promptkit.composition import Of, inner
from promptkit.events import Stopped, emit
from promptkit.examples import same
from promptkit.exchange import answer_to, put
from promptkit.prompting.items import listed
from promptkit.prompting.questions import distinct
from promptkit.prompting.subquestions import answered, each_forecast
from promptkit.ranges import at_least
from promptkit.sampling import ask
from promptkit.types import Model, Outcome, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class LeastToMost:
    """Break the question down, answer the parts in order, each with the answers so far, then the question."""

    about: ClassVar[About] = About(
        calls="1 + q + 1 for q sub-questions, q at most --most; with --of, q times its samples",
        helps="questions harder than any example of their kind: SCAN 99.7 where chain of thought has 16.2 "
        "(arXiv:2205.10625, with examples of the very task)",
        fails="questions whose parts do not stand in a row; a wrong early answer is passed on to all after it, and the "
        "calls wait for each other",
    )

    most: int = 10  # sub-questions at most
    of: Of = field(default=None, metadata={"flag": str | None})  # strategy that answers each sub-question
    temperature: float | None = None  # sampling temperature; default: the templates'
    reply_tokens: int | None = None  # longest reply; default: the templates'

    def __post_init__(self) -> None:
        at_least(1, "10, or: promptkit run cot", most=self.most)
        object.__setattr__(self, "of", inner(self.of))

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer to the question, drawn from those to its parts."""
        pack, decoding = prompts.pack(problem.pack), {"temperature": self.temperature, "max_tokens": self.reply_tokens}
        request = put(problem, pack.template("decompose"), {"most": self.most}, **decoding)
        found = distinct(listed(await ask(model, request, where="decompose")))
        parts = [each for each in found if same(each) != same(problem.text)]  # which comes last anyway
        if len(parts) > self.most:
            emit(Stopped(f"{len(parts) - self.most} of {len(parts)} sub-questions were left out: --most {self.most}"))
        solved: list[tuple[str, str]] = []
        for number, part in enumerate(parts[: self.most]):
            inputs = {"solved": _told(solved), "subquestion": part}
            answer = await answered(
                problem,
                model,
                pack.template("subquestion"),
                inputs,
                of=inner(self.of),
                where=f"subquestion-{number}",
                temperature=self.temperature,
                reply_tokens=self.reply_tokens,
            )
            if answer is not None:
                solved.append((part, answer))
        template = pack.template("least-to-most")
        request = put(problem, template, {"solved": _told(solved)}, **decoding)
        outcome = await answer_to(request, problem, model, template)
        unanswered = len(parts[: self.most]) - len(solved)
        return replace(outcome, detail={**outcome.detail, "solved": solved, "unanswered": unanswered})

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes; how many sub-questions there are is for the model to say."""
        parts = each_forecast(inner(self.of), problem).times(self.most)
        return Forecast(1, None, 1) + replace(parts, least=0) + reply(problem)

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With fewer sub-questions."""
        each = each_forecast(inner(self.of), problem).most
        fewer = min(self.most, (samples - 2 - (problem.output_schema is not None)) // each) if each else 0
        return replace(self, most=fewer) if fewer > 0 else None


def _told(solved: list[tuple[str, str]]) -> str:
    return "\n\n".join(f"Q: {question}\nA: {answer}" for question, answer in solved)
