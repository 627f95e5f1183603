"""PlanSearch: a search over plans in plain language rather than over answers (arXiv:2409.03733).

Observations about the question; what follows from every one and every two of them; a plan from each such set; with
`criticise` a second plan that supposes the first one wrong; an answer by each plan. Plans differ more than answers do,
and it is the difference that helps. The paper hands the answers to public tests; here rules decide, or a vote.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, ClassVar, Self

from promptkit.announced import About, Forecast, exactly, reply
from promptkit.prompting.items import listed
from promptkit.ranges import at_least, warm
from promptkit.reflecting.drafts import Reply, drafted
from promptkit.reflecting.forecasts import largest
from promptkit.reflecting.texts import texts
from promptkit.reflecting.votes import Votes
from promptkit.sampling import fork
from promptkit.types import Completion, Model, Outcome, Problem

TOGETHER = 2  # observations at most that a plan begins with


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSearch:
    """Observe, combine observations, plan from each combination, answer by each plan; rules or a vote decide."""

    observations: int = 4  # about the question; the paper: 10
    further: int = 2  # that follow from each combination; the paper: 10
    criticise: bool = True  # a second plan for each, that avoids what may be wrong with the first
    temperature: float = 0.7  # of all calls; above 0
    reply_tokens: int | None = None  # longest answer; default: the template's

    about: ClassVar[About] = About(
        calls="1 + s·(2 + 1), or s·(2 + 3) with criticise, where s = observations·(observations + 1)/2",
        helps="code with public tests and several attempts (arXiv:2409.03733): LiveCodeBench 50.6 to 59.3 % for any of "
        "5, by the README of optillm, an implementation",
        fails="with one attempt it is no better than plain sampling: 43.9 to 44.0 % there; "
        "without anything that checks, compare with sc at the same number of samples",
    )

    def __post_init__(self) -> None:
        at_least(1, 4, observations=self.observations, further=self.further)
        warm(self.temperature, "plans")

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer that rules find right, else the one most plans lead to."""
        heat: dict[str, Any] = {"temperature": self.temperature}
        asked = {"k": self.observations}
        (seen,) = await texts(problem, model, "observations", [asked], where="observations", **heat)
        first = _distinct(seen)[: self.observations]
        sets: list[tuple[str, ...]] = [s for size in range(1, TOGETHER + 1) for s in combinations(first, size)]
        asked_each = [{"k": self.further, "observations": each} for each in sets]
        more = await texts(problem, model, "further-observations", asked_each, where="further-observations", **heat)
        sets = [(*each, *_distinct(new)[: self.further]) for each, new in zip(sets, more, strict=True)] or [()]
        given = [{"observations": each} for each in sets]
        plans = _said(await texts(problem, model, "plan-from-observations", given, where="plans", **heat))
        lost = len(sets) - len(plans) + more.count(None)
        if self.criticise and plans:
            doubted = [{"plan": each} for each in plans]
            others = _said(await texts(problem, model, "another-plan", doubted, where="other-plans", **heat))
            lost += len(plans) - len(others)
            plans = [*plans, *others]
        told = {"observations": len(first), "plans": len(plans), "lost": lost}
        if not plans:
            return Outcome(answer=None, status="undecided", detail={**told, "reason": "there was no plan"})
        votes = Votes(problem, len(plans))
        replies = [Reply("solve-by-plan", {"plan": each}, self.temperature, self.reply_tokens) for each in plans]
        tasks = [(each, problem, fork(model, index)) for index, each in enumerate(replies)]
        await drafted(tasks, where="answers", each=votes.cast)
        return votes.outcome(**told)

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes, if as many observations come as were wanted; at least those to find no plan."""
        sets = self.observations * (self.observations + 1) // 2
        plan = reply(problem) + (exactly(1) + reply(problem) if self.criticise else exactly(0))
        whole = exactly(1) + (exactly(2) + plan).times(sets)
        return Forecast(2, whole.expected, whole.most)

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With fewer observations, then without the second plans."""
        sizes = [(criticise, n) for criticise in (False, True) for n in range(1, self.observations + 1)]
        made = [replace(self, observations=n, criticise=c) for c, n in sizes if self.criticise or not c]
        return largest(made.__getitem__, problem, samples, range(len(made)))


def _distinct(said: Completion | None) -> list[str]:
    """The items of a list, each once."""
    found: dict[str, str] = {}
    for each in listed(said) if said else ():
        found.setdefault(" ".join(each.casefold().split()), each)
    return list(found.values())


def _said(completions: list[Completion | None]) -> list[str]:
    """The texts that came back with anything in them; a plan that was cut off is one as far as it goes."""
    return [text for each in completions if each and (text := each.text.strip())]
