"""Graph of Thoughts: a plan of operations on thoughts that generate, score, keep, merge and improve (arXiv:2308.09687).

The plan is a graph known before it runs, so its samples can be counted before anything is asked. A thought is a whole
answer. The outcome tells the volume of the answer, which is how many thoughts had a part in it, and its latency, the
longest way to it: merging k ways lets a volume of N be reached in log N steps, where a chain takes N.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from promptkit import prompts
from promptkit.announced import About, Forecast, fits, forecast, reply
from promptkit.composition import Of, inner
from promptkit.errors import BadInput
from promptkit.ranges import warm
from promptkit.reflecting.drafts import drafting
from promptkit.reflecting.forecasts import rising, slimmer
from promptkit.reflecting.grades import CORRECT, reviewing
from promptkit.reflecting.operations import NOTHING, planned, takes, written
from promptkit.reflecting.thoughts import Graph
from promptkit.types import Model, Outcome, Problem

MERGING = "generate(5) score keep(2) aggregate(2) improve keep(1)"


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphOfThoughts:
    """Work a plan of operations over whole answers: generate(k) score keep(n) aggregate(k) improve validate(tries)."""

    plan: str = MERGING  # operations in order; keep(n) scores first what has no score; it must end with one thought
    of: Of = field(default=None, metadata={"flag": str | None})  # strategy that generates; default: cot
    temperature: float = 0.7  # of all operations; of generating where no strategy is named for it
    reply_tokens: int | None = None  # longest thought but a generated one; default: the template's

    about: ClassVar[About] = About(
        calls="the sum over the plan: generate(k) k·of, score 1 a thought, aggregate(k) k, improve 1 a thought",
        helps="tasks that fall into parts which can be merged: sorting 62 % better than a tree at 31 % less cost "
        "(arXiv:2308.09687)",
        fails="a question that does not fall apart; and the graph is fixed, it cannot go back on what it kept",
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", inner(self.of))
        operations = planned(self.plan)
        if any(each.name in ("generate", "aggregate") and each.n > 1 for each in operations):
            warm(self.temperature, "thoughts")

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The thought that the plan ends with; one that rules find right ends it at once."""
        generate = drafting(self.of, self.temperature)
        graph = Graph(problem, model, generate, self.temperature, self.reply_tokens)
        for operation in planned(self.plan):
            await graph.do(operation)
            if graph.right:
                break
        return graph.outcome()

    def forecast(self, problem: Problem) -> Forecast:
        """The samples its plan takes, exactly where no verdict must be asked for twice."""
        of, one = forecast(drafting(self.of, self.temperature), problem), reply(problem)
        verdicts, operations = reviewing(problem, CORRECT), planned(self.plan)
        all_of_it = sum((takes(each, of, one, verdicts) for each in operations), NOTHING)
        if prompts.pack(problem.pack).world is None:
            return all_of_it
        return rising(takes(operations[0], of, one, verdicts), all_of_it)

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With the same operations on fewer thoughts."""
        operations, smallest = planned(self.plan), self
        for most in range(max(each.n for each in operations) - 1, 0, -1):
            fewer = written([replace(each, n=min(each.n, most)) for each in operations])
            try:
                made = replace(self, plan=fewer)
            except BadInput:  # too few to merge
                break
            if fits(made, problem, samples):
                return made
            smallest = made
        return slimmer(smallest, problem, samples)
