"""Universal self-consistency (arXiv:2311.17311): a model picks the reply that agrees most with the others, twice.

Models prefer places to contents, so the replies are shown in both orders; two picks that disagree are a tie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import ClassVar

from promptkit import prompts
from promptkit.algorithms.voting.tally import Tally
from promptkit.algorithms.voting.universal import both_orders, universal
from promptkit.announced import Forecast
from promptkit.balloting.count import Asking, Count, Poll
from promptkit.balloting.sampled import Sampled
from promptkit.decisions import decide_all
from promptkit.exchange import Answer, put


@dataclass(frozen=True, slots=True)
class ByPick:
    """The reply that a model finds to be the most consistent one, in both orders; for answers of any form."""

    heads: ClassVar[bool] = False
    settles: ClassVar[bool] = False
    takes_of: ClassVar[bool] = True

    def opened(self, poll: Poll) -> Count:
        """The count of one run."""
        return _Picked(poll)

    def further(self, n: int) -> Forecast:
        """Two picks, each perhaps asked again; none where all replies say the same."""
        return Forecast(0, None, 4)


class _Picked(Asking):
    def __init__(self, poll: Poll) -> None:
        super().__init__(poll)
        self._picks: Tally | None = None

    def take(self, got: Sampled) -> None:
        """Count a sample in; a reply without an answer stands for itself, but for one that was to have a form."""
        free = self.poll.problem.output_schema is None
        if free and got.answer is None and got.error is None and got.text.strip() and not _cut(got):
            got = replace(got, answer=Answer(f"\0{got.index}", got.text.strip()))
        super().take(got)

    async def complete(self, fresh: Sequence[Sampled]) -> None:
        """With all replies in, ask for the most consistent one, in both orders."""
        said = [got for got in self.came if got.answer]
        if len(self.came) < self.poll.n or len({got.answer.key for got in said if got.answer}) < 2:
            return
        problem, orders = self.poll.problem, both_orders(len(said))
        template = prompts.pack(problem.pack).template("universal")
        requests = [put(problem, template, {"responses": [said[at].text.strip() for at in order]}) for order in orders]
        made = await decide_all(self.poll.model, requests, len(said), where="pick", pack=problem.pack)
        came = [(order, each) for order, each in zip(orders, made, strict=True) if each.error is None]
        places = [int(each.verdict) - 1 if each.verdict else None for _, each in came]
        keys = [got.answer.key if got.answer else None for got in said]
        self._picks = universal(keys, [order for order, _ in came], places, failed=len(made) - len(came))

    @property
    def votes(self) -> Tally:
        """The picks; until they are made the heads, which settle nothing."""
        return self._picks or replace(super().votes, heaviest=inf)

    def voters(self, n: int) -> int:
        """Two picks, or as many heads as there are samples."""
        return self._picks.seen if self._picks else n


def _cut(got: Sampled) -> bool:
    return got.completion is not None and got.completion.finish == "length"
