"""Monte-Carlo tree search: select, expand, simulate, back up (UCT; PUCT; Reasoning via Planning, arXiv:2305.14992).

Leaves are taken in batches of a fixed width, kept apart by virtual loss and backed up in their order, so the tree is
the same in whatever order replies come. Rewards are from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

from promptkit.algorithms.search.caps import Caps
from promptkit.algorithms.search.mcts import PUCT, RAP, UCT, Rules, Simulate, mcts
from promptkit.algorithms.search.mcts_outputs import Output, Weigh
from promptkit.algorithms.search.mcts_tree import Backup
from promptkit.announced import About, Forecast
from promptkit.errors import BadInput
from promptkit.sampling import rng
from promptkit.searching.counting import announced
from promptkit.searching.driving import searched
from promptkit.searching.parameters import Valuing, filled, positive, shrunk
from promptkit.searching.terms import Terms
from promptkit.types import Model, Outcome, Problem

Kind = Literal["uct", "puct", "rap"]
VISITS = 30
RULES: Mapping[Kind, Rules] = {"uct": UCT, "puct": PUCT, "rap": RAP}


@dataclass(frozen=True, slots=True, kw_only=True)
class MonteCarlo(Valuing):
    """Grow a tree where visits have paid, and take the answer its statistics point to."""

    rules: Kind = "uct"  # bound by visits; with priors of the proposals; or RAP's rewards of steps, and rollouts
    iterations: int | None = None  # visits to leaves; default 30, for rap 10
    leaves: int = 1  # visits at once, kept apart by virtual loss; their calls run in parallel
    c: float | None = None  # weight of exploration; default 1
    simulate: Simulate | None = None  # from a new leaf on: none values it as it is, the others go on to an end
    backup: Backup | None = None  # a state's worth: the mean of its returns, or the highest; default: mean
    alpha: float | None = None  # a step's reward is score^alpha · prior^(1 − alpha); default 1, for rap 0.5
    loss: float = 1.0  # virtual loss of a visit under way
    take: Output | None = None  # which state the answer is of; default: most visited, for rap the best iteration's
    weigh: Weigh | None = None  # instead, the answer of most weight in the whole tree (RAP's aggregation)

    about: ClassVar[About] = About(
        calls="iterations·(g + n_evaluate) + 1 at most, g = k samples or 1 list; with simulation times depth",
        helps="early values that are poor guides, and visits enough to find out: GSM8K with LLaMA-33B, 10 iterations "
        "48.6 %, aggregated 51.6 %; chain of thought 29.4 %, its vote over 10 46.8 % (arXiv:2305.14992)",
        fails="few visits: 10 are a vote's tokens many times over. Users of a public implementation find "
        "best-of-n as good (openreasoner/openr#95)",
    )

    def __post_init__(self) -> None:
        Valuing.__post_init__(self)
        positive(self, ("iterations", "leaves"))
        if (self.c is not None and self.c < 0) or (self.alpha is not None and not 0 <= self.alpha <= 1):
            raise BadInput("--c is 0 or more, --alpha from 0 to 1", hint="e.g. --c 1 --alpha 0.5")
        if self.loss != 1 and self.leaves == 1:
            raise BadInput("--loss keeps leaves of a batch apart; --leaves 1 has no two", hint="e.g. --leaves 4")
        if self.weigh is not None and self.take is not None:
            raise BadInput("--weigh takes an answer of the whole tree, --take one of its states", hint="--weigh edge")

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer of the state that the rule names; verified where the pack's world can tell."""
        how = self.resolved(problem)
        rules, caps, seed = how._rules(), Caps(nodes=how.nodes), rng(problem, "search").getrandbits(63)
        return await searched(
            problem,
            model,
            how._terms(rules),
            lambda root: mcts(root, rules=rules, seed=seed, caps=caps),
            weigh=how.weigh,
        )

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes at most, and how many where nothing ends it early."""
        how = self.resolved(problem)
        rules = how._rules()
        deep = rules.depth if rules.simulate != "none" else 1
        judged = rules.iterations * (rules.depth if rules.judge == "steps" else 1)
        return announced(how._terms(rules), problem, expansions=rules.iterations * deep, judged=judged)

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With fewer iterations, value samples and thoughts, each as little as it must be."""
        return shrunk(self.resolved(problem), problem, samples, ["iterations"])

    def resolved(self, problem: Problem) -> Self:
        """With the pack's defaults where a field is None."""
        return filled(self, problem, {"iterations": RULES[self.rules].iterations if self.rules == "rap" else VISITS})

    def _rules(self) -> Rules:
        names = ("iterations", "depth", "c", "simulate", "backup", "alpha")
        given: dict[str, Any] = {name: value for name in names if (value := getattr(self, name)) is not None}
        given |= {} if self.take is None else {"output": self.take}
        return replace(RULES[self.rules], **given, width=self.leaves, loss=self.loss)

    def _terms(self, rules: Rules) -> Terms:
        return self.terms(priors=rules.formula == "puct" or rules.simulate in ("greedy", "sample"))
