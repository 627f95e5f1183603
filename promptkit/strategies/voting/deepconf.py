"""DeepConf, online: traces that grow unsure of themselves are ended and do not vote (arXiv:2508.15260, section 3.2).

Some whole traces come first; the confidence that the best part of them reaches is what no window of a further trace
may fall below. Sampling stops when the leader holds nearly all of the weight. The offline form, in which all traces
are whole and the most confident ones vote, is `sc --vote deepconf`.

Where to end a trace is part of its request: a provider that hears the log-probabilities of tokens as they come hangs
up there, and what was not written is not paid for. Of any other the reply comes whole and is read up to there: the
votes are the same, and the outcome says how many tokens were written for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any, ClassVar

from promptkit import prompts
from promptkit.algorithms.voting import deepconf
from promptkit.algorithms.voting.ballot import Ballot
from promptkit.algorithms.voting.tally import Tally
from promptkit.announced import About, Forecast
from promptkit.balloting.count import Count, Poll
from promptkit.balloting.plain import confidences, told
from promptkit.balloting.sampled import Chains, Sampled, Source
from promptkit.balloting.vote import Consensus, concluded, detailed
from promptkit.errors import BadInput
from promptkit.exchange import world_of
from promptkit.ranges import at_least, fraction, warm
from promptkit.types import Model, Outcome, Problem, Weak


@dataclass(frozen=True, slots=True, kw_only=True)
class DeepConf:
    """Vote over confident traces only, and stop when they agree; for models that tell log-probabilities."""

    about: ClassVar[About] = About(
        calls="warmup to n",
        helps="long reasoning of large models: AIME25 with GPT-OSS-120B 99.9 % against 97.0 % of a plain vote over "
        "512, with 84.7 % fewer tokens (arXiv:2508.15260)",
        fails="short replies, whose windows are too few to tell traces apart; a model that is confidently wrong. "
        "Fewer tokens need a provider that streams log-probabilities: builtin, llamacpp, openai, openai-compatible",
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
        at_least(1, 8, batch=self.batch)
        warm(self.temperature, "votes")
        if not 0.5 < self.consensus <= 1:
            raise BadInput(
                f"--consensus must be above 0.5 and at most 1, not {self.consensus:g}", hint="e.g. --consensus 0.95"
            )
        fraction(0.5, quorum=self.quorum)
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
        return concluded(result, detail, problem, world)

    def forecast(self, problem: Problem) -> Forecast:
        """The traces it takes."""
        return Forecast(self.warmup, None, self.n)

    def within(self, problem: Problem, samples: int) -> DeepConf | None:
        """With as many traces as fit, the warm-up among them."""
        n = min(self.n, samples)
        return replace(self, n=n, warmup=min(self.warmup, n)) if n >= 1 else None


class _Online(Count):
    """The traces, and which of them were ended where."""

    def __init__(self, poll: Poll, how: DeepConf, logprobs: int) -> None:
        super().__init__(poll, deepconf.DeepConf(1.0), logprobs=logprobs)
        self._how = how
        self._lowest: list[float] = []  # of the warm-up
        self._unneeded = 0

    def source(self) -> Source:
        """Whole traces to warm up; from then on each is ended where it grows weak."""
        how: dict[str, Any] = {"temperature": self._how.temperature, "reply_tokens": self._how.reply_tokens}
        return Chains(self.poll.problem, self.poll.model, **how, logprobs=self.logprobs, ending=self._ending)

    def _ending(self, index: int) -> Weak | None:
        least = self.least() if index >= self._how.warmup else -inf
        return Weak(least, self._how.window) if least > -inf else None

    def ballot(self, got: Sampled) -> Ballot:
        """With its confidence; cut where a window fell below the threshold."""
        tokens = confidences(got.completion) if got.completion else ()
        mean = deepconf.mean_confidence(tokens)
        plain = replace(super().ballot(got), confidence=mean if mean > 0 else None)
        if got.index < self._how.warmup:
            self._lowest.append(deepconf.lowest_group_confidence(tokens, self._how.window))
            return plain
        if got.completion is None or got.completion.finish != "weak":
            return plain
        self._unneeded += max(0, got.completion.usage.output_tokens - len(got.completion.logprobs))
        return replace(plain, cut=True)

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

    def agreed(self, votes: Tally) -> bool:
        """Whether the leader holds nearly all of the weight."""
        return deepconf.consensus(votes, self._how.consensus)

    def saved(self) -> dict[str, Any]:
        """How many traces were weak, and what was written of them though it could not count any more."""
        return {"ended": sum(b.cut for b in self.ballots), "tokens_after_end": self._unneeded}
