"""Votes on meanings: a model tells which answers say the same, in both directions (arXiv:2302.09664)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from promptkit import prompts
from promptkit.algorithms.voting.ballot import speaks
from promptkit.algorithms.voting.cluster import Cluster, clusters, named
from promptkit.algorithms.voting.tally import Tally
from promptkit.announced import Forecast
from promptkit.balloting.count import Asking, Count, Poll
from promptkit.balloting.sampled import Sampled
from promptkit.decisions import decide_all
from promptkit.exchange import put

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ByMeaning:
    """One sample, one vote, for what it means: answers that entail each other are one answer."""

    heads: ClassVar[bool] = True
    settles: ClassVar[bool] = True
    takes_of: ClassVar[bool] = True

    def opened(self, poll: Poll) -> Count:
        """The count of one run."""
        return _Clustered(poll)

    def further(self, n: int) -> Forecast:
        """Both directions of every pair of different answers, each perhaps asked again; none where all are alike."""
        return Forecast(0, None, 2 * n * (n - 1))


class _Clustered(Asking):
    def __init__(self, poll: Poll) -> None:
        self._entails: dict[Pair, bool] = {}
        super().__init__(poll, Cluster(self._same))

    async def complete(self, fresh: Sequence[Sampled]) -> None:
        """Ask about the answers that are new; the second direction only where the first holds."""
        keys = list(dict.fromkeys(ballot.answer for ballot in self.ballots if ballot.answer is not None))
        pairs = [(a, b) for at, a in enumerate(keys) for b in keys[at + 1 :] if (a, b) not in self._entails]
        start = fresh[0].index if fresh else 0
        await self._ask(pairs, f"same-{start}")
        await self._ask([(b, a) for a, b in pairs if self._entails[a, b]], f"same-{start}-back")

    async def _ask(self, pairs: Sequence[Pair], where: str) -> None:
        if not pairs:
            return
        problem = self.poll.problem
        template = prompts.pack(problem.pack).template("same")
        requests = [put(problem, template, {"first": self.shown(a), "second": self.shown(b)}) for a, b in pairs]
        words = tuple(template.scores)
        needed = not self._entails  # a round may be of one call, and lost
        made = await decide_all(self.poll.model, requests, words, where=where, needed=needed, pack=problem.pack)
        for pair, each in zip(pairs, made, strict=True):  # what cannot be read joins nothing
            self._entails[pair] = each.verdict is not None and template.scores[each.verdict] > 0

    @property
    def answers(self) -> list[str | None]:
        """The meanings, each under the wording that stands for it."""
        names = self._names()
        every = (None if ballot.failed else ballot.answer for ballot in self.ballots)
        return [None if answer is None else names.get(answer, answer) for answer in every]

    def backers(self, key: str) -> list[int]:
        """The samples that mean it."""
        return [got.index for got, meant in zip(self.came, self.answers, strict=True) if meant == key]

    def _names(self) -> dict[str, str]:
        words = Counter(b.answer for b in self.ballots if b.answer is not None and speaks(b))
        return named(clusters(list(words), self._same), words)

    def _same(self, a: str, b: str) -> bool:
        return self._entails.get((a, b), False)

    @property
    def passing(self) -> Tally:
        """By what is known of meanings so far."""
        return self.votes
