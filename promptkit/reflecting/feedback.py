"""Feedback on a draft, with a verdict read from its own last line: never from the draft it talks about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from promptkit import prompts
from promptkit.decisions import decide
from promptkit.errors import PromptkitError
from promptkit.exchange import put
from promptkit.sampling import LOSING
from promptkit.types import Model, Outcome, Problem

RIGHT_OR_WRONG = {"right": 1.0, "wrong": 0.0}  # what a critique ends in whose template scores nothing


@dataclass(frozen=True, slots=True)
class Feedback:
    """What was said of a draft; `score` is None where no verdict could be read, and `lost` where the call failed."""

    text: str
    score: float | None
    fine: bool  # the verdict is the best there is: nothing is left to mend
    lost: PromptkitError | None = None


async def feedback(problem: Problem, model: Model, draft: Outcome, *, where: str, **decoding: Any) -> Feedback:
    """The critique of a draft by the pack's template `critique`; an unreadable verdict is asked for once more."""
    template = prompts.pack(problem.pack).template("critique")
    scores = dict(template.scores) or RIGHT_OR_WRONG
    request = put(problem, template, {"draft": draft.text.strip()}, **decoding)
    try:
        (decision,) = await decide(model, request, tuple(scores), where=where, pack=problem.pack)
    except LOSING as error:
        return Feedback("", None, False, error)
    score = scores[decision.verdict] if decision.verdict else None
    return Feedback(decision.judgement.strip(), score, score == max(scores.values()), decision.error)
