"""Best of N: draw several answers and keep the one that scores best, by a verifier, a judge or a reward function.

Rejection sampling with a learned or a given judge of answers (verifiers: arXiv:2110.14168). The score of the sample
that is returned is its judge's, never the best one that the truth would have picked: what it gives is one answer, and
that one is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import ClassVar

from promptkit import announced, prompts
from promptkit.announced import ONE, About, Forecast, first_fitting
from promptkit.balloting.rewards import By, Reward, Scored, best, by_function, by_model, by_program, chosen
from promptkit.balloting.sampled import Answers, Chains, Sampled, heated, kept
from promptkit.composition import Of, inner
from promptkit.errors import BadInput
from promptkit.events import Best, Stopped, emit
from promptkit.exchange import world_of
from promptkit.ranges import at_least, fraction, warm
from promptkit.types import Model, Outcome, Problem, Strategy, World


@dataclass(frozen=True, slots=True, kw_only=True)
class BestOfN:
    """Draw n answers and keep the one with the best score; ties are told."""

    about: ClassVar[About] = About(
        calls="up to n × the samples of `of`, and with a judge up to 2 × n × verdicts",
        helps="a program that can check answers: then one right sample is enough. With trained verifiers a small model "
        "beat one 30 times its size on GSM8K (arXiv:2110.14168)",
        fails="a judge no better than the model: self-correction without outside feedback lowers accuracy "
        "(arXiv:2310.01798). Compare with `sc` at the same tokens before believing it",
    )

    of: Of = field(default=None, metadata={"flag": str | None})  # strategy to draw from; default: the pack's chains
    n: int = 8  # answers, at most
    by: By | None = None  # what scores them; default: reward, the pack's rules, judge
    reward: Reward | None = field(
        default=None, metadata={"flag": None}
    )  # a function of question and answer, whose number is the score
    verdicts: int = 1  # verdicts on each answer, by judge or rating; their mean is its score
    batch: int = 4  # answers in a round; a verifier stops at the first that is right
    temperature: float = 0.7  # above 0, or all answers are the same
    reply_tokens: int | None = None  # longest reply; default: the template's
    quorum: float = 0.5  # part of the answers that must come back

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", inner(self.of))
        at_least(1, 4, n=self.n, verdicts=self.verdicts, batch=self.batch)
        warm(self.temperature, "answers")
        fraction(0.5, quorum=self.quorum)
        if self.reward is not None and not callable(self.reward):
            raise BadInput(  # the text of one, as a journal has it, says nothing
                "a reward is a Python function: no journal and no command line has it",
                hint='pk.run("best-of-n", question, reward=score), or --by judge',
            )
        if self.by not in (None, "verifier", "judge", "rating", "reward") or (self.by == "reward") > bool(self.reward):
            raise BadInput(f"--by {self.by} needs something else", hint="verifier, judge, rating, or reward= in Python")
        if isinstance(self.of, Strategy):
            heated(self.of, self.temperature, self.n)

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer with the best score; undecided when none has one, or when a verifier finds none right."""
        by = self._by(problem)
        world = world_of(prompts.pack(problem.pack), problem)
        source, above = self._source(problem, model), 0.0 if by == "verifier" else -inf
        came: list[Sampled] = []
        scored: list[Scored] = []
        while len(came) < self.n:
            draws = range(len(came), min(len(came) + self.batch, self.n))
            fresh = await source.draw(draws, came.append)
            kept(came, self.quorum)
            needed = all(each.score is None for each in scored)
            scored += await self._scored(by, world, problem, model, fresh, needed)
            first = next(iter(best(scored, above=above)), None)
            if first:
                emit(Best(first.shown, first.score, first.got.text, verified=by == "verifier"))
            if by == "verifier" and first and len(came) < self.n:
                emit(Stopped(f"sample {first.got.index + 1} is right"))
                break
        return chosen(scored, best(scored, above=above), by, world, problem)

    def _by(self, problem: Problem) -> By:
        rules = prompts.pack(problem.pack).world is not None
        by = self.by or ("reward" if self.reward else "verifier" if rules else "judge")
        if by == "verifier" and not rules:
            hint = "--by judge, or a pack with rules: -P game24"
            raise BadInput(f"no program checks the answers of the pack {problem.pack}", hint=hint)
        return by

    def _source(self, problem: Problem, model: Model) -> Answers | Chains:
        if isinstance(self.of, Strategy):
            return Answers(heated(self.of, self.temperature, self.n), problem, model)
        return Chains(problem, model, temperature=self.temperature, reply_tokens=self.reply_tokens)

    async def _scored(
        self, by: By, world: World | None, problem: Problem, model: Model, fresh: Sequence[Sampled], needed: bool
    ) -> list[Scored]:
        if by == "verifier" and world:
            return by_program(world, problem, fresh)
        if by == "reward" and self.reward:
            return by_function(self.reward, problem, fresh)
        where = f"{by}-{fresh[0].index}"
        return await by_model(problem, model, by, fresh, self.verdicts, where=where, needed=needed)

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes, verdicts and what may be asked again for them included."""
        by = self._by(problem)
        each = announced.forecast(self.of, problem) if isinstance(self.of, Strategy) else ONE
        most = each.times(self.n).most
        if by in ("judge", "rating") and most is not None:
            most += 2 * self.n * self.verdicts
        least = each.times(min(self.batch, self.n) if by == "verifier" else self.n).least
        return Forecast(least, None if by != "reward" else each.times(self.n).expected, most)

    def within(self, problem: Problem, samples: int) -> BestOfN | None:
        """With as many answers as fit."""
        sizes = range(min(self.n, samples), 0, -1)
        return first_fitting((replace(self, n=n) for n in sizes), problem, samples)
