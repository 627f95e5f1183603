"""Tree of Thoughts: search over intermediate thoughts, breadth first or depth first (arXiv:2305.10601).

The searches are algorithms/search/bfs.py and dfs.py, the paper's algorithms 1 and 2; searching/ plays them with a
model. Each level is two rounds of parallel calls: one that generates, one that evaluates. A world, where the pack has
one, checks thoughts before anything is spent on judging them, and puts the final answer together by program.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Self

from promptkit import prompts
from promptkit.algorithms.search.bfs import bfs
from promptkit.algorithms.search.boundary import Boundary
from promptkit.algorithms.search.caps import Caps
from promptkit.algorithms.search.dfs import dfs
from promptkit.algorithms.search.nodes import Search, Thought
from promptkit.algorithms.search.select import greedy, proportional
from promptkit.announced import About, Forecast
from promptkit.composition import Of, inner
from promptkit.errors import BadInput
from promptkit.sampling import rng
from promptkit.searching.counting import announced
from promptkit.searching.driving import searched
from promptkit.searching.parameters import alone, different, filled, positive, shrunk
from promptkit.searching.scale import Scale
from promptkit.searching.terms import Evaluate, Generate, Terms
from promptkit.types import Model, Outcome, Problem

NODES = 100  # of a depth-first search, as in the paper's crosswords


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeOfThoughts:
    """Search over thoughts: generate, evaluate, keep the b best and go deeper, or go down the best way and back."""

    b: int | None = None  # breadth: states kept at each level; default: the pack's
    depth: int | None = None  # levels of thoughts; default: the pack's
    generate: Generate | None = None  # one call that lists thoughts, or k calls for one each
    k: int | None = None  # thoughts wanted from each state; default: the pack's
    evaluate: Evaluate | None = None  # judge each state alone, or vote among all
    n_evaluate: int | None = None  # value samples a state, or ballots a level; default: the pack's
    select: Literal["greedy", "sample"] = "greedy"  # the b best, or drawn in proportion to their scores
    temperature: float = 0.7  # for generating and judging
    reply_tokens: int | None = None  # longest reply; default: the template's
    evaluator: Of = field(default=None, metadata={"flag": str | None, "draws": False})  # judges states, e.g. "sc(n=3)"
    adaptive: bool = False  # one value sample a state, more (up to n_evaluate) only where the cut is tied
    search: Literal["bfs", "dfs"] = "bfs"  # breadth first, or depth first: down the best way, back where it ends
    threshold: float | None = None  # dfs: states scored no higher are dropped; default: what the worst verdicts give
    children: int | None = None  # dfs: states followed from each state at most; default: all above the threshold
    order: Literal["value", "prior"] = "value"  # dfs: judge all, best first; or judge each when its turn comes
    take: Literal["best", "deepest"] = "best"  # dfs: which state the answer is of, without a verified one
    nodes: int | None = None  # thoughts that join the tree at most; default: no limit, for dfs 100

    about: ClassVar[About] = About(
        calls="e·g + t·n_evaluate + 1: e = 1 + (depth − 1)·b states grown, g = k samples or 1 list, t thoughts judged",
        helps="where steps can be checked: Game of 24 with GPT-4 and b=5, 74 % of 100; chain of thought 4 %, its vote "
        "over 100 chains 9 % (arXiv:2305.10601); any of 5 answers counts there, in its public log the first is right "
        "in 62 of 100",
        fails="where the judge is right less often than about nine times in ten: re-ranking whole chains does as well "
        "for less (arXiv:2402.10890)",
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "evaluator", inner(self.evaluator))
        positive(self, ("b", "depth", "k", "n_evaluate", "children", "nodes"))
        different(self)
        alone(self)
        one_by_one = self.evaluator is not None or self.order == "prior"
        if self.evaluate == "vote" and (self.adaptive or one_by_one):
            each = "--order prior" if self.evaluator is None else "--evaluator"
            what = "--adaptive asks for value samples" if self.adaptive else f"{each} judges each state alone"
            raise BadInput(f"{what}; it does not go with --evaluate vote", hint="--evaluate value")
        if self.adaptive and self.evaluator is not None:
            raise BadInput("--adaptive asks for value samples; --evaluator judges a state once", hint="--n-evaluate 3")
        deep, wide = (self.threshold, self.children), (self.adaptive, self.select == "sample")
        if (self.search == "bfs" and deep != (None, None)) or (self.search == "dfs" and any(wide)):
            names = ("--threshold", "--children") if self.search == "bfs" else ("--adaptive", "--select sample")
            given = deep if self.search == "bfs" else wide
            other = "depth-first search" if self.search == "bfs" else "breadth-first search"
            found = [name for name, value in zip(names, given, strict=True) if value is not None and value is not False]
            hint = f"--search {'dfs' if self.search == 'bfs' else 'bfs'}"
            raise BadInput(f"{' and '.join(found)}: for {other} only", hint=hint)

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer of the best state found; verified where the pack's world can tell."""
        how = self.resolved(problem)
        return await searched(problem, model, how._terms(), lambda root: how._search(root, problem))

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes; the most is unknown where lists of thoughts are as long as the model likes."""
        how = self.resolved(problem)
        terms = how._terms()
        depth, k = terms.depth, terms.k
        if how.search == "bfs":
            return announced(terms, problem, expansions=1 + (depth - 1) * (how.b or 1))
        ways = min(how.children or k, k) if how.generate == "sample" else how.children
        states = [1 + (how.nodes or NODES), *([sum(ways**level for level in range(depth))] if ways else [])]
        # A vote is among the children of one state: as many rounds as expansions.
        return announced(terms, problem, expansions=min(states), rounds=min(states))

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With a narrower beam, fewer value samples and fewer thoughts, each as little as it must be."""
        how = self.resolved(problem)
        return shrunk(how, problem, samples, ["b"] if how.search == "bfs" else [])

    def resolved(self, problem: Problem) -> Self:
        """With the pack's defaults, then the paper's, where a field is None."""
        each = self.adaptive or self.evaluator is not None or self.order == "prior"  # state is judged alone
        how = replace(self, evaluate=self.evaluate or ("value" if each else None))
        nodes = {"nodes": NODES} if self.search == "dfs" else {}
        return filled(how, problem, {"evaluate": "value", "b": 5, **nodes})

    def _terms(self) -> Terms:
        names = ("depth", "generate", "k", "evaluate", "evaluator", "temperature", "reply_tokens", "nodes")
        level, n = self.search == "bfs", self.n_evaluate or 1
        priors = self.search == "dfs" and self.order == "prior"
        own = {name: getattr(self, name) for name in names}
        return Terms(**own, n_evaluate=n, levels=level, unit=False, priors=priors)

    def _search(self, root: Thought, problem: Problem) -> Search:
        depth, b, n, caps = self.depth or 1, self.b or 1, self.n_evaluate or 1, Caps(nodes=self.nodes)
        if self.search == "bfs":
            select = greedy if self.select == "greedy" else proportional(rng(problem, "select"))
            boundary = Boundary(most=n) if self.adaptive else None
            return bfs(root, depth=depth, b=b, select=select, boundary=boundary, caps=caps)
        threshold = self.threshold
        if threshold is None:
            template = prompts.pack(problem.pack).template("value")
            threshold = 0.0 if self.evaluate == "vote" else Scale.of(template, unit=False).worst(n)
        ways: dict[str, Any] = {"children": self.children, "order": self.order, "output": self.take}
        return dfs(root, depth=depth, threshold=threshold, **ways, caps=caps)
