"""Generated knowledge: the model states what it knows, and answers with each statement in view (arXiv:2110.08387).

As in the paper, statements are sampled, repeated and empty ones are left out, and the question is also answered without
any. The paper takes the answer whose probability is the highest with some statement; a text has none of its own, so the
confidence in an answer is its part of the votes, or with `weighted` of the likelihood of the replies.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

from promptkit import prompts
from promptkit.announced import About, Forecast
from promptkit.balloting.count import Poll
from promptkit.balloting.sampled import Chains
from promptkit.balloting.vote import Drawing, concluded, detailed
from promptkit.balloting.votes import voting
from promptkit.errors import BadInput
from promptkit.events import Warned, emit
from promptkit.examples import same
from promptkit.exchange import put, world_of
from promptkit.prompting.subquestions import said
from promptkit.ranges import at_least, fraction, warm
from promptkit.sampling import hold, sample
from promptkit.types import Model, Outcome, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedKnowledge:
    """Sample statements of knowledge, answer with each of them and without, and take the answer of the vote."""

    about: ClassVar[About] = About(
        calls="m + up to m + 1",
        helps="common sense, by the paper's four data sets, with large models asked to generate (arXiv:2110.08387)",
        fails="arithmetic and reasoning; what the model states wrongly it is then told as a fact. At equal calls a "
        "vote over plain samples is the one to beat",
    )

    m: int = 5  # statements sampled; the paper takes 20
    vote: Literal["majority", "weighted"] = "majority"  # by heads, or by the likelihood of the replies
    temperature: float = 0.7  # of the statements; above 0, or they are all the same
    reply_tokens: int | None = None  # longest reply; default: the templates'
    quorum: float = 0.5  # part of the statements, and of the answers, that must come back

    def __post_init__(self) -> None:
        at_least(1, "5, or: promptkit run cot", m=self.m)
        if self.vote not in ("majority", "weighted"):
            raise BadInput(f"--vote must be majority or weighted, not {self.vote!r}", hint="e.g. --vote majority")
        if self.m > 1:
            warm(self.temperature, "statements")
        fraction(0.5, quorum=self.quorum)

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer that most statements, and none, lead to; ties are reported, not broken."""
        pack = prompts.pack(problem.pack)
        world = world_of(pack, problem)
        request = put(problem, pack.template("knowledge"), temperature=self.temperature, max_tokens=self.reply_tokens)
        drawn = await sample(model, request, range(self.m), where="knowledge", quorum=None)
        hold(drawn, self.quorum)
        read = [text for got in drawn if (text := said(got.completion))]
        statements = list({same(text): text for text in reversed(read)}.values())[::-1]
        if not statements:
            emit(Warned("no statement could be read: the question is answered without"))
        views = ["", *statements]

        def seen(index: int) -> Problem:
            return replace(problem, vars={**problem.vars, "knowledge": views[index]})

        poll = Poll(problem=problem, model=model, n=len(views), temperature=0.0, reply_tokens=self.reply_tokens)
        count = voting(self.vote).opened(poll)
        source = Chains(
            problem,
            model,
            "knowledge-solve",
            temperature=None,
            reply_tokens=self.reply_tokens,
            logprobs=count.logprobs,
            asked=seen,
        )
        result = await Drawing(count, len(views)).drawn(source, self.quorum)
        told = {"statements": statements, "lost": self.m - len(read), "repeated": len(read) - len(statements)}
        detail = {**detailed(count, result, self.vote, "none"), **told}
        if source.problem.output_schema is not None and not result.votes.counts:
            return await source.mend(count.came, detail)
        return concluded(result, detail, problem, world)

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes: fewer where statements repeat each other, or the vote is settled early."""
        return Forecast(self.m + 1, None, 2 * self.m + 1 + (problem.output_schema is not None))

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With fewer statements."""
        fewer = min(self.m, (samples - 1 - (problem.output_schema is not None)) // 2)
        return replace(self, m=fewer) if fewer > 0 else None
