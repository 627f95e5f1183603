"""Best-first tree search: whatever looks most promising anywhere in the tree is expanded next (arXiv:2407.01476)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from promptkit.algorithms.search.best_first import best_first
from promptkit.algorithms.search.caps import Caps
from promptkit.announced import About, Forecast
from promptkit.searching.counting import announced, expanded
from promptkit.searching.driving import searched
from promptkit.searching.parameters import Valuing, positive, shrunk
from promptkit.types import Model, Outcome, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class BestFirst(Valuing):
    """Expand the most promising open state, wherever in the tree it is."""

    expansions: int = 20  # states expanded at most
    width: int = 1  # states expanded at once; their calls run in parallel
    threshold: float | None = None  # states valued lower, from 0 to 1, are not expanded; default: all may be

    about: ClassVar[About] = About(
        calls="expansions·g + t·n_evaluate + 1: g = k samples or 1 list, t thoughts judged",
        helps="ways that differ in length, and mistakes seen late: it goes back where a beam cannot; the paper "
        "finds agents on web tasks better with it than without (arXiv:2407.01476)",
        fails="a judge that values early states above late ones keeps it near the root; scores must be comparable over "
        "the whole tree",
    )

    def __post_init__(self) -> None:
        Valuing.__post_init__(self)
        positive(self, ("expansions", "width"))

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer of the best state found; verified where the pack's world can tell."""
        how = self.resolved(problem)
        terms, caps = how.terms(), Caps(nodes=how.nodes, expansions=how.expansions)
        shape: dict[str, Any] = {"depth": terms.depth, "width": how.width, "threshold": how.threshold}
        return await searched(problem, model, terms, lambda root: best_first(root, **shape, caps=caps))

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes; the most is unknown where lists of thoughts are as long as the model likes."""
        how = self.resolved(problem)
        terms = how.terms()
        return announced(terms, problem, expansions=expanded(how.expansions, terms))

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With fewer expansions, value samples and thoughts, each as little as it must be."""
        return shrunk(self.resolved(problem), problem, samples, ["expansions"])
