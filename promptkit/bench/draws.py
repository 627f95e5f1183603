"""Replies to one template, and verdicts of one, as journaled runs: what a benchmark asks that no strategy would.

What differs from question to question (a state, a draft, candidates) is given in the problem's `vars`.
"""

from __future__ import annotations

from dataclasses import dataclass

from promptkit import prompts
from promptkit.decisions import decide
from promptkit.exchange import put, read, reader_of, verified, world_of
from promptkit.sampling import sample
from promptkit.types import Model, Outcome, Problem


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said, and the answer read from it: None where there is none."""

    text: str
    answer: str | None
    verified: bool | None  # by the pack's rules, where it has any


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """n independent replies to a template, each read by itself; `detail["replies"]` has them in order."""

    template: str
    n: int = 1
    temperature: float | None = None  # default: the template's

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The first reply's answer; the draws are those that sc has of the same template."""
        pack = prompts.pack(problem.pack)
        template = pack.template(self.template)
        reader, world = reader_of(problem, pack, template), world_of(pack, problem)
        request = put(problem, template, temperature=self.temperature)
        replies = []
        for got in await sample(model, request, range(self.n), where=self.template, quorum=1.0):
            if got.completion:
                answer = read(reader, got.completion, got.index)
                shown = answer.shown if answer else None
                replies.append(Reply(got.completion.text.strip(), shown, verified(world, problem, shown)))
        return Outcome(answer=replies[0].answer, text=replies[0].text, detail={"replies": tuple(replies)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """n verdicts by a template, as strategies ask for them; `detail["decisions"]` has them in order.

    The words are those the template scores; where it scores none, the number of one of the `candidates` is asked for,
    which `vars` has one a line.
    """

    template: str
    n: int = 1
    temperature: float | None = None  # default: the template's

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The first verdict; None where it could not be read."""
        template = prompts.pack(problem.pack).template(self.template)
        candidates = problem.vars.get("candidates", "").splitlines()
        request = put(problem, template, {"candidates": candidates}, temperature=self.temperature)
        options = tuple(template.scores) or len(candidates)
        decisions = await decide(model, request, options, draws=range(self.n), where=self.template, pack=problem.pack)
        return Outcome(answer=decisions[0].verdict, text=decisions[0].text, detail={"decisions": tuple(decisions)})
