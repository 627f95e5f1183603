"""Language Agent Tree Search: Monte-Carlo tree search that values, simulates and reflects (arXiv:2310.04406).

The search is algorithms/search/mcts.py with the rules of the paper: n continuations of a state, each worth
λ·LM + (1 − λ)·SC, a greedy simulation to an end, −1 for one that fails. What the paper takes from an environment the
pack's rules tell here, or a judge, which is the model itself. No gold answer and no hidden test is in the loop.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from promptkit import prompts
from promptkit.algorithms.search.mcts import LATS, mcts
from promptkit.announced import VERDICT, About, Forecast, reply
from promptkit.errors import BadInput
from promptkit.ranges import at_least, fraction, warm
from promptkit.reflecting.forecasts import largest
from promptkit.reflecting.trajectories import Trajectories
from promptkit.searching.terms import Terms
from promptkit.types import Model, Outcome, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageAgentTreeSearch:
    """Tree search over steps with values, simulations, and reflections on the first failures."""

    n: int = 5  # continuations sampled of a state
    iterations: int = 10  # of select, expand, simulate, back up; the paper: 30 to 50
    depth: int = 7  # steps of a trajectory at most
    mix: float = 0.5  # λ: the weight of the model's own value against self-consistency
    reflections: int = 3  # on failed trajectories, remembered from then on; 0 for none
    c: float = 1.0  # weight of exploration
    temperature: float = 0.7  # of steps and values; above 0
    reply_tokens: int | None = None  # longest step or judgement; default: the template's

    about: ClassVar[About] = About(
        calls="at most iterations·depth·(n + n values) + reflections",
        helps="where something outside tells: HumanEval 92.7 % with tests, WebShop 75.9 (arXiv:2310.04406)",
        fails="without it: tree search is 10 to 20 times slower for little unless the judge is right 90 % of the time "
        "(arXiv:2402.10890); slow and dear elsewhere: compare with sc at the same number of samples",
    )

    def __post_init__(self) -> None:
        at_least(1, 5, n=self.n, iterations=self.iterations, depth=self.depth)
        if self.reflections < 0:
            raise BadInput(f"--reflections must be 0 or more, not {self.reflections}", hint="e.g. --reflections 3")
        fraction(0.5, mix=self.mix)
        if not 0 <= self.c < float("inf"):
            raise BadInput(f"--c must be 0 or more, not {self.c:g}", hint="e.g. --c 1")
        warm(self.temperature, "continuations")

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer of the best trajectory; one that rules find right, or the judge accepts, ends the search."""
        terms = Terms(
            depth=self.depth,
            generate="propose" if prompts.pack(problem.pack).world else "sample",
            k=self.n,
            temperature=self.temperature,
            reply_tokens=self.reply_tokens,
        )
        run = Trajectories(problem, model, terms, self.mix, self.reflections)
        rules = replace(LATS, iterations=self.iterations, depth=self.depth, c=self.c)
        return await run.found(mcts(run.states.root, rules=rules, seed=problem.seed))

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes: nobody knows how soon it ends, nor how much of a trajectory is expanded already."""
        checked = prompts.pack(problem.pack).world is not None
        states = self.iterations * self.depth
        answer = Forecast(0, 0, 0) if checked else reply(problem)
        most = states * (self.n + self.n * (VERDICT.most or 2)) + self.reflections + (answer.most or 0)
        return Forecast(self.n, None, most)

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With as many iterations as fit, then with fewer continuations."""
        sizes = [(n, i) for n in range(1, self.n + 1) for i in range(1, self.iterations + 1)]
        made = [replace(self, n=n, iterations=i) for n, i in sizes]
        return largest(made.__getitem__, problem, samples, range(len(made)))
