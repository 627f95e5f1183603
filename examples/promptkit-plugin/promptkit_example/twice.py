"""Twice: two independent chains of thought; only what both say is an answer."""

from __future__ import annotations

from dataclasses import dataclass

from promptkit import prompts
from promptkit.exchange import put, read, reader_of
from promptkit.sampling import sample
from promptkit.types import Model, Outcome, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Twice:
    """Ask twice, and answer only if both replies agree."""

    temperature: float = 0.7  # above 0, or both would be the same

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer both replies give; undecided when they differ."""
        pack = prompts.pack(problem.pack)
        template = pack.template("cot")
        reader = reader_of(problem, pack, template)
        drawn = await sample(model, put(problem, template, temperature=self.temperature), range(2), where="asked")
        said = [read(reader, each.completion, each.index) if each.completion else None for each in drawn]
        if said[0] and said[1] and said[0].key == said[1].key:
            return Outcome(answer=said[0].shown)
        differ = f"one says {said[0].shown}, the other {said[1].shown}" if said[0] and said[1] else ""
        reason = differ or "an answer could not be read from both replies"
        return Outcome(answer=None, status="undecided", detail={"reason": reason})
