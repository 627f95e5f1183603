"""Step-back prompting: a more generic question is answered first, and reasoned from (arXiv:2310.06117).

Three calls: the step-back question, its answer (the facts or principles behind the question), and the question with
these. The paper looks up the answer to the second where there is something to look it up in; `of` answers it here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

from promptkit import prompts
from promptkit.announced import About, Forecast, exactly, reply
from promptkit.composition import Of, inner
from promptkit.events import Warned, emit
from promptkit.exchange import answer_to, put
from promptkit.prompting.subquestions import all_answered, each_forecast, said
from promptkit.sampling import ask
from promptkit.types import Model, Outcome, Problem

NOTHING = "{} could be read: the question is answered without"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBack:
    """Ask a more generic question, answer it, and reason from that to the answer."""

    about: ClassVar[About] = About(
        calls="3; with --of, 2 and its samples",
        helps="questions with much detail that rest on a principle or a fact: TimeQA +27 points (with retrieval), MMLU "
        "physics +7, chemistry +11 on PaLM-2L (arXiv:2310.06117)",
        fails="questions that are generic already, and where the model does not know the principle either",
    )

    of: Of = field(default=None, metadata={"flag": str | None})  # strategy that answers the step-back question
    temperature: float | None = None  # sampling temperature; default: the templates'
    reply_tokens: int | None = None  # longest reply; default: the templates'

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", inner(self.of))

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer, reasoned from that to the step-back question."""
        pack, decoding = prompts.pack(problem.pack), {"temperature": self.temperature, "max_tokens": self.reply_tokens}
        asked = await ask(model, put(problem, pack.template("step-back"), **decoding), where="step-back")
        generic, principle = said(asked), None
        if generic is None:
            emit(Warned(NOTHING.format("no step-back question")))
        else:
            (principle,) = await all_answered(
                problem,
                [generic],
                model,
                pack.template("aside"),
                of=inner(self.of),
                where="principle",
                temperature=self.temperature,
                reply_tokens=self.reply_tokens,
            )
            if principle is None:
                emit(Warned(NOTHING.format("no answer to the step-back question")))
        template = pack.template("step-back-solve")
        request = put(problem, template, {"step_back": generic or "", "principle": principle or ""}, **decoding)
        outcome = await answer_to(request, problem, model, template)
        return replace(outcome, detail={**outcome.detail, "step_back": generic, "principle": principle})

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes: two where no step-back question can be read."""
        whole = exactly(1) + each_forecast(inner(self.of), problem) + reply(problem)
        return replace(whole, least=2)
