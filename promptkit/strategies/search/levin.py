"""Levin tree search: the likeliest ways first, and no evaluator at all (arXiv:1811.10928, arXiv:2601.03606).

States are expanded in the order of depth over the probability that the generator comes there. A state s is reached
after at most d(s)/π(s) expansions: the one search here with a bound on what it takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from promptkit.algorithms.search.caps import Caps
from promptkit.algorithms.search.levin import levin
from promptkit.announced import About, Forecast
from promptkit.searching.counting import announced, expanded
from promptkit.searching.driving import searched
from promptkit.searching.parameters import Growing, positive, shrunk
from promptkit.searching.terms import Terms
from promptkit.types import Model, Outcome, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Levin(Growing):
    """Expand states in the order of depth over probability, by the log-probabilities of the proposals."""

    expansions: int = 20  # states expanded at most
    width: int = 1  # states expanded at once; their calls run in parallel

    about: ClassVar[About] = About(
        calls="expansions·g + 1: g = k samples or 1 list",
        helps="goals that a program can check, and a generator that finds them likely: at most depth/probability "
        "expansions (arXiv:1811.10928)",
        fails="free text, where nothing tells a goal: then it is the generator's likeliest chain, at a higher price; "
        "without log-probabilities, frequencies are coarse",
    )

    def __post_init__(self) -> None:
        Growing.__post_init__(self)
        positive(self, ("expansions", "width"))

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer of the likeliest finished state; verified where the pack's world can tell."""
        how = self.resolved(problem)
        terms, caps = how._terms(), Caps(nodes=how.nodes, expansions=how.expansions)
        return await searched(
            problem, model, terms, lambda root: levin(root, depth=terms.depth, width=how.width, caps=caps)
        )

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes: known, since nothing is judged."""
        how = self.resolved(problem)
        terms = how._terms()
        return announced(terms, problem, expansions=expanded(how.expansions, terms), judges=False)

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With fewer expansions and thoughts, each as little as it must be."""
        return shrunk(self.resolved(problem), problem, samples, ["expansions"])

    def _terms(self) -> Terms:
        return self.terms(priors=True)
