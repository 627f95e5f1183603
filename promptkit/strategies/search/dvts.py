"""Diverse verifier tree search: independent subtrees, each extended by the best of k steps.

From Hugging Face's search-and-learn (2024), after the compute-optimal search of arXiv:2408.03314. Subtrees never
compete and never merge: that is what keeps them diverse when samples are many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from promptkit.algorithms.search.beam import Aggregate
from promptkit.algorithms.search.caps import Caps
from promptkit.algorithms.search.dvts import dvts
from promptkit.announced import About, Forecast
from promptkit.searching.counting import announced
from promptkit.searching.driving import searched
from promptkit.searching.parameters import Valuing, filled, positive, shrunk
from promptkit.searching.terms import Terms
from promptkit.types import Model, Outcome, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class DiverseTreeSearch(Valuing):
    """Several subtrees side by side, each extended greedily by the best of k steps; the best chain of all answers."""

    subtrees: int = 4  # independent chains
    reward: Aggregate = "last"  # what the rewards of a chain's steps make together, each from 0 to 1

    about: ClassVar[About] = About(
        calls="depth·subtrees·k·(1 + n_evaluate) + 1 with sampled steps; lists take 1 + (depth − 1)·subtrees calls",
        helps="many samples, where the chains of a beam become copies of one another (search-and-learn, 2024)",
        fails="few samples: every subtree keeps its one chain, however bad it is",
    )

    def __post_init__(self) -> None:
        Valuing.__post_init__(self)
        positive(self, ("subtrees",))

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer of the best chain; verified where the pack's world can tell."""
        how = self.resolved(problem)
        terms, caps = how._terms(), Caps(nodes=how.nodes)
        shape = {"depth": terms.depth, "subtrees": how.subtrees, "m": terms.k}
        return await searched(problem, model, terms, lambda root: dvts(root, **shape, aggregate=how.reward, caps=caps))

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes: fewer when it comes upon a verified goal, or when chains end early."""
        how = self.resolved(problem)
        terms = how._terms()
        expansions, steps = 1 + (terms.depth - 1) * how.subtrees, terms.depth * how.subtrees * terms.k
        sampled = terms.generate == "sample"
        first = how.subtrees * terms.k if sampled else 1
        generated = steps if sampled else expansions
        return announced(terms, problem, expansions=expansions, generated=generated, first=first, judged=steps)

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With fewer subtrees, value samples and candidates, each as little as it must be."""
        how = self.resolved(problem)
        return shrunk(how, problem, samples, ["subtrees", *(["k"] if how.generate == "propose" else [])])

    def resolved(self, problem: Problem) -> Self:
        """With the pack's defaults where a field is None."""
        return filled(self, problem, {"k": 4})

    def _terms(self) -> Terms:
        return self.terms(levels=True, lanes=self.subtrees)
