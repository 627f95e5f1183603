"""Beam search over steps with rewards; the self-evaluation guided kind draws its chains (arXiv:2305.00633).

A chain is worth what the rewards of all its steps make together, where a breadth-first search looks at the last step
alone, and finished chains wait for the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from promptkit.algorithms.search.beam import Aggregate, beam
from promptkit.algorithms.search.boundary import Boundary
from promptkit.algorithms.search.caps import Caps
from promptkit.algorithms.search.nodes import Search, Thought
from promptkit.algorithms.search.select import Select, greedy, softmax
from promptkit.announced import About, Forecast
from promptkit.errors import BadInput
from promptkit.sampling import rng
from promptkit.searching.counting import announced
from promptkit.searching.driving import searched
from promptkit.searching.parameters import Valuing, filled, positive, shrunk
from promptkit.searching.terms import Terms
from promptkit.types import Model, Outcome, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Beam(Valuing):
    """Keep the b chains whose steps are worth most together, deterministically or drawn."""

    b: int | None = None  # chains kept; default: what the pack says of tot
    reward: Aggregate = "mean"  # what the rewards of a chain's steps make together, each from 0 to 1
    stochastic: float | None = None  # τ > 0: chains are drawn by exp(reward / τ); default: the best are kept
    decay: float = 1.0  # τ is multiplied by it after each level
    confidence: float = 1.0  # λ: a step's reward is judge^λ · prior^(1 − λ); below 1 log-probabilities are asked for
    floor: float | None = None  # steps with a lower reward are rejected
    adaptive: bool = False  # one value sample a state, more (up to n_evaluate) only where the cut is open

    about: ClassVar[About] = About(
        calls="e·g + t·n_evaluate + 1: e = 1 + (depth − 1)·b chains extended, g = k samples or 1 list, t steps judged",
        helps="hard questions where steps can be judged one by one (arXiv:2408.03314)",
        fails="easy questions, where searching against a judge finds its errors (arXiv:2408.03314); a judge that is "
        "right less often than about nine times in ten (arXiv:2402.10890)",
    )

    def __post_init__(self) -> None:
        Valuing.__post_init__(self)
        positive(self, ("b",))
        if self.stochastic is not None and self.stochastic <= 0:
            raise BadInput(f"--stochastic must be above 0, not {self.stochastic:g}", hint="e.g. --stochastic 0.5")
        if not 0 < self.decay <= 1 or not 0 <= self.confidence <= 1:
            raise BadInput("--decay is above 0 and at most 1, --confidence from 0 to 1", hint="e.g. --decay 0.5")
        if self.decay != 1 and self.stochastic is None:
            raise BadInput("--decay cools what is drawn; without --stochastic nothing is", hint="e.g. --stochastic 0.5")
        if self.adaptive and (self.evaluator is not None or self.n_evaluate == 1):
            raise BadInput("--adaptive gives some states more value samples than others", hint="e.g. --n-evaluate 3")

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer of the best chain; verified where the pack's world can tell."""
        how = self.resolved(problem)
        return await searched(problem, model, how._terms(), lambda root: how._search(root, problem))

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes; the most is unknown where lists of thoughts are as long as the model likes."""
        how = self.resolved(problem)
        terms = how._terms()
        return announced(terms, problem, expansions=1 + (terms.depth - 1) * (how.b or 1))

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With fewer chains, value samples and thoughts, each as little as it must be."""
        return shrunk(self.resolved(problem), problem, samples, ["b"])

    def resolved(self, problem: Problem) -> Self:
        """With the pack's defaults where a field is None."""
        return filled(self, problem, {"b": 5})

    def _terms(self) -> Terms:
        return self.terms(levels=True, priors=self.confidence < 1)

    def _search(self, root: Thought, problem: Problem) -> Search:
        select: Select = greedy
        if self.stochastic is not None:
            select = softmax(rng(problem, "select"), self.stochastic, self.decay)
        return beam(
            root,
            depth=self.depth or 1,
            width=self.b or 1,
            aggregate=self.reward,
            select=select,
            confidence=self.confidence,
            floor=self.floor,
            boundary=Boundary(most=self.n_evaluate or 1) if self.adaptive else None,
            caps=Caps(nodes=self.nodes),
        )
