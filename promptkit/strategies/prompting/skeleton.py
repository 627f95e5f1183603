"""Skeleton-of-thought: the points of an answer first, then all of them written out at once (arXiv:2307.15337).

It is for answers that are texts, and made to be fast: two rounds, however long the text. A program puts the points
together in their order. Where the answer must be read from the text (a number, a choice, an output's form, a puzzle),
one more call draws it. A skeleton that cannot be read is no error: the question is then answered in one go, which is
what the paper's router does with questions that do not suit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from promptkit import prompts
from promptkit.announced import About, Forecast, reply
from promptkit.events import Best, Stopped, Warned, emit
from promptkit.exchange import WHOLE, answer_once, answer_to, put, reader_of
from promptkit.prompting.items import numbered
from promptkit.ranges import at_least
from promptkit.sampling import Sample, ask, ask_all
from promptkit.types import Model, Outcome, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class SkeletonOfThought:
    """List the points of the answer, write all of them out in parallel, and put them together."""

    about: ClassVar[About] = About(
        calls="1 + p for p points, p at most --most; one more where the answer is read from the text",
        helps="long answers made of independent points: up to 2.39 times faster on 12 models (arXiv:2307.15337)",
        fails="anything where a point needs the one before it: arithmetic, reasoning, code; and short answers",
    )

    most: int = 10  # points at most
    temperature: float | None = None  # sampling temperature; default: the templates'
    reply_tokens: int | None = None  # longest reply to one call; default: the templates'

    def __post_init__(self) -> None:
        at_least(1, 10, most=self.most)

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The text put together from its points."""
        pack, decoding = prompts.pack(problem.pack), {"temperature": self.temperature, "max_tokens": self.reply_tokens}
        listing = await ask(
            model, put(problem, pack.template("skeleton"), {"most": self.most}, **decoding), where="skeleton"
        )
        points = numbered(listing)[: self.most]
        if not points:
            emit(Stopped("no skeleton could be read: the question is answered in one go"))
            outcome = await answer_once(problem, model, "solve", **decoding)
            return replace(outcome, detail={**outcome.detail, "points": 0})
        template = pack.template("skeleton-point")
        whole = "\n".join(f"{number}. {point}" for number, point in enumerate(points, start=1))
        requests = [
            put(problem, template, {"skeleton": whole, "index": number, "point": point}, **decoding)
            for number, point in enumerate(points, start=1)
        ]
        written = await ask_all(model, requests, where="points")
        text = "\n\n".join(
            _written(number, point, got)
            for number, (point, got) in enumerate(zip(points, written, strict=True), start=1)
        )
        detail = _counted(written)
        if _read_from_text(problem):
            return await self._drawn(problem, model, text, detail)
        emit(Best(text, text=text))
        return Outcome(answer=text, text=text, detail={**detail, "verified": None})

    async def _drawn(self, problem: Problem, model: Model, text: str, detail: dict[str, Any]) -> Outcome:
        """The answer that the text leads to, by one more call."""
        template = prompts.pack(problem.pack).template("answer")
        request = put(problem, template, {"state": text}, temperature=self.temperature, max_tokens=self.reply_tokens)
        outcome = await answer_to(request, problem, model, template)
        return replace(outcome, text=f"{text}\n\n{outcome.text}", detail={**outcome.detail, **detail})

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes; how many points there are is for the model to say."""
        points = Forecast(2, None, 1 + self.most)
        return points + replace(reply(problem), least=0) if _read_from_text(problem) else points

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With fewer points."""
        fewer = min(self.most, samples - 1 - _read_from_text(problem) - (problem.output_schema is not None))
        return replace(self, most=fewer) if fewer > 0 else None


def _read_from_text(problem: Problem) -> bool:
    pack = prompts.pack(problem.pack)
    return pack.world is not None or reader_of(problem, pack, pack.template("skeleton-point")) != WHOLE


def _written(number: int, point: str, got: Sample) -> str:
    """A point as it stands in the text: its title, and what was written of it, once."""
    title = f"{number}. {point.rstrip(':')}"
    words, body = re.escape(point.rstrip(":.")), (got.text or "").strip()
    # The title ends where its last word does: "Cost" is not the beginning of "Costs", nor "Non" that of "Non-profit".
    again = re.match(rf"[\s*_#]*(?:{number}[.)]\s*)?[*_]*{words}[*_]*(?![\w'’-])[\s.:–—-]*", body, re.IGNORECASE)
    body = body[again.end() :] if again else body
    return f"{title}: {body}" if body else title


def _counted(written: list[Sample]) -> dict[str, Any]:
    """How many points there are, failed or were cut off; the last two are told."""
    failed = sum(got.completion is None for got in written)
    cut = sum(got.completion is not None and got.completion.finish == "length" for got in written)
    for number, what in ((failed, "could not be written"), (cut, "were cut off")):
        if number:
            emit(Warned(f"{number} of {len(written)} points {what}"))
    return {"points": len(written), "failed": failed, "cut_off": cut}
