"""A race of prompts over the same training questions: each against the one in force, the hopeless out at any look.

After every question an e-process says whether a prompt can still be ahead by what would be worth having; one that
cannot is dropped, and at most 5 % of those that are so far ahead ever are. At each rung the better half by e-value goes
on (successive halving, arXiv:1502.07943). What a prompt scores here is no result: it was chosen for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from statistics import fmean

from promptkit.algorithms.stats.eprocess import EProcess
from promptkit.optimizing.asking import Asking, Reply
from promptkit.optimizing.questions import Items
from promptkit.prompts import Prompt

ALPHA = 0.05
GAIN = 0.02  # a prompt that is at most so much ahead is not worth having
WIDTH = 8  # questions that are asked together; between them nobody is dropped
FIRST = 4  # the first rung is one in so many of the questions


@dataclass(slots=True, eq=False)
class Runner:
    """A version of the prompt, and how it has done so far."""

    name: str
    prompt: Prompt
    instruction: str = ""
    scores: list[float | None] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    evidence: EProcess = field(default_factory=lambda: EProcess(alpha=ALPHA, side="above", margin=GAIN))
    left: str = ""  # why it is out: hopeless, or halved; "" while it is in

    @property
    def mean(self) -> float | None:
        """The share of its training questions that it got right; None before the first."""
        told = [score for score in self.scores if score is not None]
        return fmean(told) if told else None

    @property
    def rank(self) -> tuple[float, float]:
        """What runners are put in order by: evidence against the baseline, then the mean difference."""
        return self.evidence.value, self.evidence.mean


def first_rung(questions: int) -> int:
    """How many of the questions everybody who joins is asked."""
    return min(questions, max(WIDTH, ceil(questions / FIRST)))


class Race:
    """The prompt in force and those that may be better, on the same questions."""

    def __init__(self, asking: Asking, baseline: Runner, items: Items, *, kept: int) -> None:
        self.baseline, self.items = baseline, items
        self.runners: list[Runner] = []
        self.cut = False  # the budget ended it
        self.looks = 0  # questions on which anybody was asked
        self._asking = asking
        self._kept = kept  # answers that the budget must still have room for afterwards

    @property
    def running(self) -> list[Runner]:
        """Those that are still in."""
        return [each for each in self.runners if not each.left]

    @property
    def hopeless(self) -> bool:
        """Whether nobody is left: each was shown not to be worth having, or was behind one that was."""
        return bool(self.runners) and not self.running

    async def join(self, runners: Sequence[Runner]) -> None:
        """Ask newcomers what the others were asked on the first rung."""
        self.runners += runners
        await self.upto(first_rung(len(self.items)))

    async def halve(self) -> None:
        """Go on from rung to rung, the better half each time, until one is left and decided, or all is asked."""
        rung = first_rung(len(self.items))
        while not self.cut and self.running:
            self._drop_half()
            if len(self.running) == 1 and self.running[0].evidence.decided:
                return
            if rung >= len(self.items):
                return
            rung = min(2 * rung, len(self.items))
            await self.upto(rung)

    def leader(self) -> Runner | None:
        """The one with the most evidence; None where all were dropped, and where none ran."""
        running = [each for each in self.running if each.evidence.n]
        return max(running, key=lambda each: each.rank, default=None)

    async def upto(self, rung: int) -> None:
        """Ask everybody who is in the questions below that number which they lack, a few questions at a time."""
        for start in range(0, rung, WIDTH):
            ends = min(start + WIDTH, rung)
            who = [self.baseline, *self.running]
            pairs = [(each, at) for at in range(start, ends) for each in who if at >= len(each.scores)]
            if not pairs:
                continue
            if not self._asking.purse.holds(len(pairs), self._kept):
                self.cut = True
                return
            await self._ask(pairs, f"train {start + 1}-{ends}")

    async def _ask(self, pairs: Sequence[tuple[Runner, int]], where: str) -> None:
        replies = await self._asking.replies([(who.prompt, self.items[at]) for who, at in pairs], where=where)
        for (who, _), reply in zip(pairs, replies, strict=True):
            who.scores.append(reply.right)
            who.replies.append(reply)
        self.looks = max(self.looks, max(at for _, at in pairs) + 1)
        for who, at in pairs:
            if who is not self.baseline:
                self._weigh(who, at)

    def _weigh(self, who: Runner, at: int) -> None:
        """A look after one question; where a call failed there is no pair to look at."""
        own, theirs = who.scores[at], self.baseline.scores[at]
        if own is None or theirs is None:
            return
        who.evidence.update(own - theirs)
        if who.evidence.futile and not who.left:
            who.left = f"hopeless after {who.evidence.n}"

    def _drop_half(self) -> None:
        order = sorted(self.running, key=lambda each: each.rank, reverse=True)
        for each in order[ceil(len(order) / 2) :]:
            each.left = f"halved after {each.evidence.n}"
