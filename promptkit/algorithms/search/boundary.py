"""Value samples where they decide: more only for nodes whose place at the cut between kept and pruned is open.

Replays of the log of arXiv:2305.10601 show why: most levels are cut at a tie, and most solutions that a cut loses are
lost there, while the nodes far from it need one sample to stay where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from statistics import fmean
from typing import Any

from promptkit.algorithms.search.caps import Meter
from promptkit.algorithms.search.nodes import Judge, Node, known

Scored = Callable[[Node, float], float]  # what the cut compares, from one value sample of a node


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """How many value samples a node gets: `first` for all, then more, `step` a round, while the cut is open."""

    first: int = 1
    step: int = 1
    most: int = 5  # samples of one node
    tau: float = 0.0  # mean scores no further apart than this are not told apart; 0: exact ties alone
    z: float = 0.0  # … nor are those whose standard errors, times z, reach one another
    spread: float = 0.0  # standard deviation of one sample, believed until there are repeated ones
    hopeless: float | None = None  # mean scores at most this high need no second opinion, not even at the cut
    widest: int | None = None  # exact ties that are left are kept, up to this breadth; None: not beyond b

    def more(self, samples: Sequence[Sequence[float]], b: int) -> list[int]:
        """How many more value samples each node needs now; all 0 when the cut after the b best is settled."""
        if len(samples) <= b or b < 1:
            return [0] * len(samples)
        means = [fmean(each) for each in samples]
        order = sorted(range(len(means)), key=lambda i: -means[i])
        errors = self._errors(samples)
        last, next_one = order[b - 1], order[b]
        wanted = [0] * len(samples)
        for rank, i in enumerate(order):
            if self.hopeless is not None and means[i] <= self.hopeless:
                continue
            rival = next_one if rank < b else last
            gap = means[i] - means[rival] if rank < b else means[rival] - means[i]
            if gap <= self.tau + self.z * (errors[i] + errors[rival]):
                wanted[i] = max(0, min(self.step, self.most - len(samples[i])))
        return wanted

    def breadth(self, scores: Sequence[float], b: int) -> int:
        """b, or more where exact ties with the b-th score are left and may be kept."""
        if self.widest is None or len(scores) <= b:
            return b
        cut = sorted(scores, reverse=True)[b - 1]
        return max(b, min(self.widest, sum(score >= cut for score in scores)))

    def _errors(self, samples: Sequence[Sequence[float]]) -> list[float]:
        """The standard error of each mean, from the spread within nodes that all of them share."""
        freedom = sum(len(each) - 1 for each in samples)
        squares = sum((x - mean) ** 2 for each in samples for mean in [fmean(each)] for x in each)
        deviation = sqrt(squares / freedom) if freedom else self.spread
        return [deviation / sqrt(len(each)) for each in samples]


def judged(
    level: int, nodes: Sequence[Node], b: int, boundary: Boundary, meter: Meter, scored: Scored | None = None
) -> Generator[Judge, Any, list[Node]]:
    """The nodes with the means of their samples; those that a cap leaves without a sample, and known ones, ask none."""
    sure = {node.path: score for node in nodes if (score := known(node.thought)) is not None}
    heard: dict[tuple[int, ...], list[float]] = {
        node.path: [sure[node.path]] if node.path in sure else [] for node in nodes
    }
    wanted = [0 if node.path in sure else boundary.first for node in nodes]
    while any(wanted):
        granted = [meter.take("evaluations", more) for more in wanted]
        asked = [(node, more) for node, more in zip(nodes, granted, strict=True) if more]
        if not asked:
            break
        draws = tuple(range(len(heard[node.path]), len(heard[node.path]) + more) for node, more in asked)
        answers = yield Judge(level, tuple(node for node, _ in asked), draws)
        for (node, more), scores in zip(asked, answers, strict=True):
            if len(scores) != more:
                raise ValueError(f"{more} value samples were asked for, {len(scores)} came")
            heard[node.path] += map(float, scores)
        placed = [node for node in nodes if heard[node.path]]
        compared = [[scored(node, x) if scored else x for x in heard[node.path]] for node in placed]
        need = {node.path: more for node, more in zip(placed, boundary.more(compared, b), strict=True)}
        wanted = [0 if node.path in sure or meter.hit else need[node.path] for node in nodes]
    return [replace(node, score=fmean(heard[node.path])) for node in nodes if heard[node.path]]
