"""AB-MCTS-A: at every node Thompson sampling decides whether to go wider or deeper (arXiv:2503.04412).

A node is a whole answer, and its children are attempts to better it; where the pack has rules it may be a step, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, Self

from promptkit import composition, prompts
from promptkit.algorithms.search.ab_mcts import ab_mcts
from promptkit.algorithms.search.caps import Caps
from promptkit.algorithms.search.nodes import Search, Thought, ranked
from promptkit.algorithms.search.posteriors import Beta, Gaussian, Posterior
from promptkit.announced import VERDICT, About, Forecast, forecast
from promptkit.balloting.sampled import heated
from promptkit.composition import Of, inner
from promptkit.errors import BadInput
from promptkit.sampling import rng
from promptkit.searching.attempts import attempted
from promptkit.searching.counting import announced
from promptkit.searching.driving import searched
from promptkit.searching.parameters import Valuing, filled, positive, shrunk
from promptkit.types import Model, Outcome, Problem, Strategy

POSTERIORS: Mapping[str, Posterior] = {"gaussian": Gaussian(), "beta": Beta()}


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptiveBranching(Valuing):
    """Go wider with another attempt or deeper with a better one, whichever the scores so far promise more of."""

    iterations: int = 20  # attempts, or steps, asked for
    width: int = 1  # of them asked for at once; their calls run in parallel
    over: Literal["answers", "steps"] | None = None  # what a node is; default: a step where the pack has rules
    of: Of = field(default=None, metadata={"flag": str | None})  # answers: strategy of the first ones; default: cot
    posterior: Literal["gaussian", "beta"] = "gaussian"  # what is believed of an arm's rewards, from 0 to 1

    about: ClassVar[About] = About(
        calls="answers: iterations·(of + n_evaluate); steps: iterations·(1 + n_evaluate) + 1",
        helps="when scores can be trusted and it is open whether to sample anew or to mend: ahead of repeated sampling "
        "and of plain MCTS on code and machine-learning tasks, whose tests score (arXiv:2503.04412)",
        fails="scores by the model's own judgement: mending by that alone makes answers worse (arXiv:2310.01798)",
    )

    def __post_init__(self) -> None:
        Valuing.__post_init__(self)
        object.__setattr__(self, "of", inner(self.of))
        positive(self, ("iterations", "width"))
        if self.over == "answers" and self.evaluator is not None:
            raise BadInput("--evaluator judges steps; answers are judged by their critique", hint="--over steps")
        if self.over == "steps" and self.of is not None:
            raise BadInput("--of gives whole answers", hint="--over answers")
        if self.over == "answers":
            self._first()  # refused where all the first answers would be one

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The best answer of the tree; verified where the pack's world can tell."""
        how = self.resolved(problem)
        seed = rng(problem, "search").getrandbits(63)
        if how.over == "steps":
            return await searched(problem, model, how.terms(), lambda root: how._steps(root, seed))
        return await attempted(problem, model, how.terms(), how._first(), lambda root: how._search(root, None, seed))

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes at most."""
        how = self.resolved(problem)
        if how.over == "steps":
            return announced(
                how.terms(),
                problem,
                expansions=how.iterations,
                generated=how.iterations,
                first=1,
                judged=how.iterations,
            )
        first, n = forecast(how._first(), problem), how.n_evaluate or 1
        most = None if first.most is None else max(first.most, 1 + (problem.output_schema is not None))
        total = None if most is None else how.iterations * (most + (VERDICT.times(n).most or 0))
        world = prompts.pack(problem.pack).world is not None
        rounds = min(how.iterations, how.nodes or how.iterations)
        least = min(how.width, rounds) * first.least if world else rounds
        return Forecast(least, None, total)

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With fewer iterations and value samples, each as little as it must be."""
        how = self.resolved(problem)
        return shrunk(how, problem, samples, ["iterations", *(["width"] if how.width > 1 else [])])

    def resolved(self, problem: Problem) -> Self:
        """With the pack's defaults where a field is None; a critique is asked for once."""
        steps = prompts.pack(problem.pack).world is not None and self.of is None
        over = self.over or ("steps" if steps or self.evaluator is not None else "answers")
        n = self.n_evaluate or (1 if over == "answers" else None)
        return filled(replace(self, over=over, n_evaluate=n), problem, {})

    def _first(self) -> Strategy:
        """The strategy of the first answers, which are to differ: its own template may have temperature 0."""
        decoding = {"temperature": self.temperature, "reply_tokens": self.reply_tokens}
        return heated(inner(self.of) or composition.made("cot", decoding), self.temperature, self.iterations)

    def _search(self, root: Thought, depth: int | None, seed: int) -> Search:
        how = {"iterations": self.iterations, "width": self.width, "depth": depth, "seed": seed}
        return ab_mcts(root, posterior=POSTERIORS[self.posterior], caps=Caps(nodes=self.nodes), **how)  # type: ignore[arg-type]

    def _steps(self, root: Thought, seed: int) -> Search:
        """Over steps, a finished state comes before one that is only on the way, whatever their scores."""
        found = yield from self._search(root, self.depth, seed)
        return ranked(found, self.depth)
