"""Chain-of-verification, factored: a draft, questions that check it, answered without it, and a revision
(arXiv:2309.11495).

The draft is the best answer until a revision can be read. The verification questions are put each by itself, with
neither the draft nor the question in view, so that its mistakes are not copied; all of them in one round. A check that
failed, says nothing or was cut off is counted and not shown; where there is none, the draft stands.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from promptkit import prompts
from promptkit.announced import About, Forecast, forecast, reply, within
from promptkit.composition import Of, inner
from promptkit.errors import BadInput
from promptkit.events import Stopped, emit
from promptkit.exchange import answer_to, handed_on, put
from promptkit.prompting.items import listed
from promptkit.prompting.questions import distinct
from promptkit.prompting.subquestions import all_answered, each_forecast
from promptkit.ranges import at_least
from promptkit.sampling import ask, solve_one
from promptkit.types import Model, Outcome, Problem, Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainOfVerification:
    """Draft an answer, check it by questions answered without it, and revise it."""

    about: ClassVar[About] = About(
        calls="draft + 1 + q + 1 for q verification questions, q at most --most",
        helps="lists and long answers with facts that the model knows when it is asked for one at a time; the factored "
        "form is better than one prompt for all (arXiv:2309.11495)",
        fails="reasoning: correcting oneself without anything that really tells lowers accuracy, GSM8K 77.4 to 75.9 "
        "(arXiv:2310.01798); what the model wrongly believes it confirms",
    )

    draft: Of = field(default="cot", metadata={"flag": str})  # strategy that writes the draft
    most: int = 5  # verification questions at most
    of: Of = field(default=None, metadata={"flag": str | None})  # strategy that answers each verification question
    temperature: float | None = None  # sampling temperature; default: the templates'
    reply_tokens: int | None = None  # longest reply; default: the templates'

    def __post_init__(self) -> None:
        at_least(1, "5, or: promptkit run cot", most=self.most)
        if self.draft is None:
            raise BadInput("--draft names the strategy that writes the draft", hint="e.g. --draft cot")
        object.__setattr__(self, "draft", inner(self.draft))
        object.__setattr__(self, "of", inner(self.of))

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The revised answer; the draft's, where nothing was found to revise it by."""
        pack, decoding = prompts.pack(problem.pack), {"temperature": self.temperature, "max_tokens": self.reply_tokens}
        draft = handed_on(await solve_one(self._drafter(), problem, model, where="draft"))
        text = draft.text.strip() or draft.answer or ""
        if draft.verified:
            return _standing(draft, "a program found it right", [], 0)
        if not text:
            return _standing(draft, "there is no draft to check", [], 0)
        plan = put(problem, pack.template("cove-plan"), {"draft": text, "most": self.most}, **decoding)
        questions = distinct(listed(await ask(model, plan, where="plan")))[: self.most]
        if not questions:
            return _standing(draft, "no verification question could be read", [], 0)
        answers = await all_answered(
            problem,
            questions,
            model,
            pack.template("aside"),
            of=inner(self.of),
            where="checks",
            temperature=self.temperature,
            reply_tokens=self.reply_tokens,
        )
        checks = [(asked, answer) for asked, answer in zip(questions, answers, strict=True) if answer is not None]
        missing = len(questions) - len(checks)
        if not checks:
            return _standing(draft, "no verification question was answered", checks, missing)
        template = pack.template("cove-revise")
        told = "\n\n".join(f"Q: {question}\nA: {answer}" for question, answer in checks)
        request = put(problem, template, {"draft": text, "checks": told}, **decoding)
        revised = await answer_to(request, problem, model, template, index=1)
        if revised.answer is None and draft.answer is not None:
            return _standing(draft, "no answer could be read from the revision", checks, missing)
        found = {"draft": draft.answer, "revised": True, "checks": checks, "unanswered": missing}
        return replace(revised, detail={**revised.detail, **found})

    def _drafter(self) -> Strategy:
        drafter = inner(self.draft)
        assert drafter is not None
        return drafter

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes: the draft's alone where a program finds that right, or else as the model asks."""
        checks = each_forecast(inner(self.of), problem).times(self.most)
        plan = Forecast(1, None, 1)
        return forecast(self._drafter(), problem) + replace(plan + checks + reply(problem), least=0)

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With fewer verification questions, then with a smaller draft."""
        each = each_forecast(inner(self.of), problem).most
        if not each:
            return None
        left = samples - 2 - (problem.output_schema is not None)
        draft = within(self._drafter(), problem, left - each)
        spent = forecast(draft, problem).most if draft else None
        if spent is None:
            return None
        return replace(self, draft=draft, most=min(self.most, (left - spent) // each))


def _standing(draft: Outcome, why: str, checks: list[tuple[str, str]], missing: int) -> Outcome:
    """The draft, and why it was not revised."""
    emit(Stopped(f"{why}: the draft stands"))
    found = {"draft": draft.answer, "revised": False, "checks": checks, "unanswered": missing}
    return replace(draft, detail={**draft.detail, **found})
