"""How good drafts are, by a reviewer that sees the question and the draft and nothing of how it came about.

Rules come before any reviewer: where the pack has them, they grade, and nothing is asked. A pack whose own template
`judge` says yes or no is reviewed by that; any other by `grade`, from 1 to 5 for each criterion.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from promptkit import prompts
from promptkit.decisions import decide_all
from promptkit.errors import BadInput
from promptkit.events import Warned, emit
from promptkit.exchange import put
from promptkit.prompts import Prompt
from promptkit.sampling import LOSING
from promptkit.types import Model, Outcome, Problem

HINT = 'e.g. --rubric "correct=3, complete=1, clear=1"'


@dataclass(frozen=True, slots=True)
class Criterion:
    """What a reviewer looks at, and how much it weighs."""

    name: str
    weight: float


CORRECT = (Criterion("correct", 1.0),)
YES_OR_NO = {"yes": 1.0, "no": 0.0}  # the verdicts of a template that scores nothing


def rubric(text: str) -> tuple[Criterion, ...]:
    """The criteria written as `correct=3, clear=1`; a weight left out is 1."""
    found = []
    for part in text.split(","):
        name, _, weight = (piece.strip() for piece in part.partition("="))
        try:
            weighs = float(weight) if weight else 1.0
        except ValueError:
            weighs = math.nan
        if not name or not 0 < weighs < math.inf:
            raise BadInput(f"--rubric cannot be read: {part.strip()!r}", hint=HINT)
        found.append(Criterion(name, weighs))
    if len({each.name for each in found}) < len(found):
        raise BadInput("--rubric names a criterion twice", hint=HINT)
    return tuple(found)


def reviewing(problem: Problem, criteria: Sequence[Criterion]) -> int:
    """Verdicts that the grade of one draft takes; none where rules grade."""
    if prompts.pack(problem.pack).world is not None:
        return 0
    return len(criteria) if _template(problem).name == "grade" else 1


async def graded(
    problem: Problem, model: Model, drafts: Sequence[Outcome], criteria: Sequence[Criterion], *, where: str
) -> list[float | None]:
    """The weighted grade of each draft, from 0 to 1; None where a verdict could not be read or there is no answer."""
    if prompts.pack(problem.pack).world is not None:
        return [float(each.verified is True) for each in drafts]
    template = _template(problem)
    asked = criteria if template.name == "grade" else CORRECT
    shown = [at for at, each in enumerate(drafts) if each.answer is not None]
    requests = [
        put(
            problem,
            template,
            {
                "criterion": each.name,
                "draft": drafts[at].text.strip(),
                "reply": drafts[at].text.strip(),
                "answer": drafts[at].answer,
            },
        ).at(at)
        for at in shown
        for each in asked
    ]
    scores = dict(template.scores) or YES_OR_NO
    least, most = min(scores.values()), max(scores.values())
    found: list[float | None] = [None] * len(drafts)
    if not requests:
        return found
    try:
        made = await decide_all(model, requests, tuple(scores), where=where, pack=problem.pack)
    except LOSING as error:  # the grades are lost, not the drafts
        emit(Warned(f"no review came back: {error}"))
        return found
    for index, at in enumerate(shown):
        verdicts = [each.verdict for each in made[index * len(asked) : (index + 1) * len(asked)]]
        if None not in verdicts:
            parts = [(scores[word] - least) / (most - least) for word in verdicts if word is not None]
            weights = [each.weight for each in asked]
            found[at] = sum(w * part for w, part in zip(weights, parts, strict=True)) / sum(weights)
    return found


def _template(problem: Problem) -> Prompt:
    """The pack's own `grade` or `judge`; general's `grade` where it has neither."""
    pack = prompts.pack(problem.pack)
    grade = pack.template("grade")
    if grade.pack != pack.name and (judge := pack.template("judge")).pack == pack.name:
        return judge
    return grade
