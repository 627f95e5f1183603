"""DeepConf, online: traces that grow unsure of themselves are ended and do not vote (arXiv:2508.15260, section 3.2).

Some whole traces come first; the confidence that the best part of them reaches is what no window of a further trace
may fall below. Sampling stops when the leader holds nearly all of the weight. The offline form, in which all traces
are whole and the most confident ones vote, is `sc --vote deepconf`.

Models tell log-probabilities with a whole reply, not word by word, so a weak trace cannot be cut off while it is
written: it runs to its end, is read up to where it would have been ended, and is set aside. The votes are those of
the paper; its savings in tokens are not had, and the outcome says what they would have been.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from promptkit import prompts
from promptkit.algorithms.voting import deepconf
from promptkit.algorithms.voting.ballot import Ballot
from promptkit.algorithms.voting.tally import Tally
from promptkit.announced import About, Forecast
from promptkit.balloting.count import Count, Poll
from promptkit.balloting.plain import confidences, told
from promptkit.balloting.sampled import Sampled
from promptkit.balloting.vote import Consensus, detailed
from promptkit.errors import BadInput
from promptkit.exchange import verified, world_of
from promptkit.types import Model, Outcome, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class DeepConf:
    """Vote over confident traces only, and stop when they agree; for models that tell log-probabilities."""

    about: ClassVar[About] = About(
        calls="warmup to n",
        helps="long reasoning of large models: AIME25 with GPT-OSS-120B 99.9 % against 97.0 % of a plain vote over "
        "512, with 84.7 % fewer tokens (arXiv:2508.15260)",
        fails="short replies, whose windows are too few to tell traces apart; a model that is confidently wrong. "
        "Fewer tokens need a provider that can be cut off in mid-reply: here the whole reply is paid for",
    )

    n: int = 40  # traces, at most
    warmup: int = 16  # whole traces that set the threshold
    keep: float = 0.9  # part of them that reaches it: the paper's are 0.9 and 0.1
    window: int = deepconf.WINDOW  # tokens in a group; fewer where replies are short
    consensus: float = 0.95  # part of all weight at which the leader ends the sampling
    batch: int = 8  # traces in a round after the warm-up
    temperature: float = 0.7  # above 0, or every vote is the same
    reply_tokens: int | None = None  # longest reply; default: the template's
    quorum: float = 0.5  # part of the traces that must come back

    def __post_init__(self) -> None:
        if not 1 <= self.warmup <= self.n:
            raise BadInput(f"--warmup must be between 1 and --n {self.n}, not {self.warmup}", hint="e.g. --warmup 8")
        if self.batch < 1:
            raise BadInput(f"--batch must be at least 1, not {self.batch}", hint="e.g. --batch 8")
        if self.temperature <= 0:
            raise BadInput(
                f"deepconf at temperature {self.temperature:g} would count one answer {self.n} times",
                hint="e.g. --temperature 0.7",
            )
        if not 0.5 < self.consensus <= 1:
            raise BadInput(
                f"--consensus must be above 0.5 and at most 1, not {self.consensus:g}", hint="e.g. --consensus 0.95"
            )
        if not 0 <= self.quorum <= 1:
            raise BadInput(f"--quorum must be between 0 and 1, not {self.quorum:g}", hint="e.g. --quorum 0.5")
        deepconf.threshold((), self.keep)
        deepconf.group_confidences((), self.window)

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer of the confident traces; CapabilityMissing for a model that tells no log-probabilities."""
        logprobs = told(model, "deepconf", deepconf.TOP)
        world = world_of(prompts.pack(problem.pack), problem)
        poll = Poll(
            problem=problem, model=model, n=self.n, temperature=self.temperature, reply_tokens=self.reply_tokens
        )
        count = _Online(poll, self, logprobs)
        drawing = Consensus(count, self.n, self.warmup, self.batch, count.agreed)
        result = await drawing.drawn(count.source(), self.quorum)
        detail = {**detailed(count, result, "deepconf", "none"), **count.saved()}
        if result.shown is None:
            return Outcome(answer=None, status="undecided", detail=detail)
        right = verified(world, problem, result.shown)
        detail |= {"verified": right, "accepted": [] if right is False else detail["accepted"]}
        return Outcome(answer=result.shown, text=result.text, confidence=result.share, detail=detail)

    def forecast(self, problem: Problem) -> Forecast:
        """The traces it takes."""
        return Forecast(self.warmup, None, self.n)

    def within(self, problem: Problem, samples: int) -> DeepConf | None:
        """With as many traces as fit, the warm-up among them."""
        n = min(self.n, samples)
        return replace(self, n=n, warmup=min(self.warmup, n)) if n >= 1 else None


class _Online(Count):
    """The traces, and which of them would have been ended where."""

    def __init__(self, poll: Poll, how: DeepConf, logprobs: int) -> None:
        super().__init__(poll, deepconf.DeepConf(1.0), logprobs=logprobs)
        self._how = how
        self._lowest: list[float] = []  # of the warm-up
        self._unneeded = 0

    def ballot(self, got: Sampled) -> Ballot:
        """With its confidence; ended where a window falls below the threshold."""
        tokens = confidences(got.completion) if got.completion else ()
        mean = deepconf.mean_confidence(tokens)
        plain = replace(super().ballot(got), confidence=mean if mean > 0 else None)
        if got.index < self._how.warmup:
            self._lowest.append(deepconf.lowest_group_confidence(tokens, self._how.window))
            return plain
        return self._ended(plain, tokens)

    async def complete(self, fresh: Sequence[Sampled]) -> None:
        """After the warm-up its own weak traces do not vote either."""
        if fresh and fresh[0].index == 0:
            least = self.least()
            for got, lowest in zip(fresh, self._lowest, strict=True):
                if lowest < least and not got.error:
                    self.ballots[got.index] = replace(self.ballots[got.index], cut=True)

    def least(self) -> float:
        """The confidence that no window may fall below."""
        came = [low for low, got in zip(self._lowest, self.came, strict=False) if not got.error]
        return deepconf.threshold(came, self._how.keep)

    def _ended(self, ballot: Ballot, tokens: Sequence[float]) -> Ballot:
        trace = deepconf.Trace(self.least(), self._how.window)
        at = next((at for at, confidence in enumerate(tokens, start=1) if trace.add(confidence)), None)
        if at is None:
            return ballot
        self._unneeded += len(tokens) - at
        return replace(ballot, cut=True)

    def agreed(self, votes: Tally) -> bool:
        """Whether the leader holds nearly all of the weight."""
        return deepconf.consensus(votes, self._how.consensus)

    def saved(self) -> dict[str, Any]:
        """What ending weak traces at once would have saved."""
        told = "weak traces ran to their end: log-probabilities come with a whole reply"
        return {"ended": sum(b.cut for b in self.ballots), "tokens_after_end": self._unneeded, "cancelling": told}
