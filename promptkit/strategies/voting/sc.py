"""Self-consistency: sample several chains of thought and take the answer most of them reach (arXiv:2203.11171).

Votes: majority; weighted (by the likelihood of the chains, same paper); cisc (by P(True), arXiv:2502.06233);
complexity (the longest chains, arXiv:2210.00720); cluster (by meaning, arXiv:2302.09664); universal (a model picks, in
both orders, arXiv:2311.17311); borda (samples that rank); deepconf (the most confident traces, arXiv:2508.15260);
choice-shuffle (options in several orders, arXiv:2311.16452).

Stopping rules: beta, dirichlet, entropy, majority-share (arXiv:2305.11860), esc (arXiv:2401.10480), lead
(arXiv:2503.17587), ppr (arXiv:2109.05047), certified (arXiv:2605.05873, arXiv:2510.17472), futility(RULE). What a rule
guarantees is about the answer the model gives most often, not about the truth. Whatever the rule, sampling also stops
when no further sample could change the winner.

Right or wrong, answers only count, as in the paper: `best-of-n` is for a program that can check them. A tie is
reported; among the answers of `of`, one that a program found right there wins it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import ClassVar

from promptkit import announced, prompts
from promptkit.algorithms.stopping.curtailment import next_batch
from promptkit.algorithms.stopping.rule import decide
from promptkit.algorithms.voting.tally import Tally
from promptkit.announced import ONE, About, Forecast
from promptkit.balloting.count import Poll
from promptkit.balloting.sampled import Chains, heated
from promptkit.balloting.stops import certifies, stopping
from promptkit.balloting.vote import Drawing, concluded, detailed
from promptkit.balloting.votes import voting
from promptkit.composition import Of, inner
from promptkit.errors import BadInput
from promptkit.exchange import world_of
from promptkit.ranges import at_least, fraction, warm
from promptkit.types import Model, Outcome, Problem, Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfConsistency:
    """Vote over n sampled chains of thought, or over a strategy's answers; ties are reported."""

    about: ClassVar[About] = About(
        calls="up to n × the samples of `of`; cisc: up to 3n; universal: n + up to 4; cluster: up to n + 2n(n − 1)",
        helps="one answer that can be reached in many ways: GSM8K 56.5 → 74.4 % with PaLM-540B, 40 chains "
        "(arXiv:2203.11171). Stopping rules save: 3.3 × fewer samples at −0.1 points (arXiv:2305.11860)",
        fails="models that are right already: 20 samples gain 0.4 to 1.6 points on Gemini 2.5 (arXiv:2511.00751); "
        "an answer that most chains get wrong. Rules without a bound err: beta(0.95), looked at after every "
        "sample, stops on the wrong one of two answers at 55:45 in 10.9 % of runs (exact)",
    )

    of: Of = field(default=None, metadata={"flag": str | None})  # strategy to vote over; default: the pack's chains
    n: int = 10  # independent samples, at most
    vote: str = "majority"  # or weighted, cisc, complexity, cluster, universal, borda, deepconf, choice-shuffle
    stop: str = "none"  # or beta(0.95), dirichlet, esc(5), entropy, majority-share, lead(3), ppr, certified, futility
    batch: int | None = None  # widest round; default: 4 under a stopping rule, else the fewest that can end the vote
    temperature: float = 0.7  # above 0, or every vote is the same
    reply_tokens: int | None = None  # longest reply; default: the template's
    quorum: float = 0.5  # part of the samples that must come back

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", inner(self.of))
        at_least(1, 10, n=self.n)
        warm(self.temperature, "votes", hint="e.g. --temperature 0.7, or one greedy chain: promptkit run cot")
        fraction(0.5, quorum=self.quorum)
        at_least(1, 4, batch=self.batch)
        way, rule = voting(self.vote), stopping(self.stop)
        if rule and not way.heads:
            raise BadInput(
                f"--stop {self.stop} counts heads, and --vote {self.vote} does not: it could stop on a loser",
                hint="--stop none (what cannot change the winner is never drawn), or --vote majority",
            )
        if rule and decide(rule, [], self.n).stop:
            hint = f"a larger --n, or --stop none: {decide(rule, [], self.n).reason}"
            raise BadInput(f"--stop {self.stop} could never decide with --n {self.n}", hint=hint)
        if certifies(rule) and self.vote == "cluster":
            raise BadInput(
                f"--stop {self.stop} certifies nothing where answers are joined later, as --vote cluster does",
                hint='e.g. --stop "beta(0.95)", or --vote majority',
            )
        if isinstance(self.of, Strategy):
            if not way.takes_of:
                raise BadInput(
                    f"--vote {self.vote} reads what the model itself wrote: it cannot weigh another strategy's answers",
                    hint="--vote cisc or --vote majority, or leave --of out",
                )
            heated(self.of, self.temperature, self.n)

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer that wins. Sampling stops by the rule, or when no further sample could change it."""
        world = world_of(prompts.pack(problem.pack), problem)
        of = heated(self.of, self.temperature, self.n) if isinstance(self.of, Strategy) else None
        poll = Poll(
            problem=problem,
            model=model,
            n=self.n,
            temperature=self.temperature,
            reply_tokens=self.reply_tokens,
            of=of,
        )
        count = voting(self.vote).opened(poll)
        drawing, source = Drawing(count, self.n, stopping(self.stop), self.batch), count.source()
        result = await drawing.drawn(source, self.quorum)
        detail = detailed(count, result, self.vote, self.stop)
        unread = not any(got.answer for got in count.came)
        if unread and isinstance(source, Chains) and source.problem.output_schema is not None:
            return await source.mend(count.came, detail)
        if result.shown is None and result.ruled:
            detail["reason"] = result.verdict.reason
        return concluded(result, detail, problem, world)

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes: at least those that could end the vote, at most all of them and what a vote asks."""
        way, rule = voting(self.vote), stopping(self.stop)
        fewest = next_batch(Tally(()), self.n) if way.settles else self.n
        if rule:
            fewest = min(fewest, rule.next_batch([], self.n) or fewest)
        each = announced.forecast(self.of, problem) if isinstance(self.of, Strategy) else ONE
        most = each.times(self.n).most
        further = way.further(self.n).most or 0
        mending = 1 if problem.output_schema is not None and self.of is None else 0
        return Forecast(each.times(fewest).least, None, None if most is None else most + further + mending)

    def within(self, problem: Problem, samples: int) -> SelfConsistency | None:
        """With as many samples as fit."""
        for n in range(min(self.n, samples), 0, -1):
            with suppress(BadInput):  # a rule may need more samples than these to decide at all
                most = (smaller := replace(self, n=n)).forecast(problem).most
                if most is not None and most <= samples:
                    return smaller
        return None
