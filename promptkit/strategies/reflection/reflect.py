"""Reflect, review, refine: errors are cited and mended; the mend is accepted only if a reviewer finds it better.

promptkit's own, against what correcting oneself does to answers: the one who mends does not decide whether it helped.
The reviewer has draws and instructions of its own, sees neither the criticism nor which version is the newer one, and
gives every criterion a verdict; a version with a verdict that cannot be read is not accepted. Where the pack has rules,
they review, and nothing is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from promptkit.announced import VERDICT, About, Forecast, forecast, reply
from promptkit.composition import Of, inner
from promptkit.events import Stopped, emit
from promptkit.ranges import at_least, warm
from promptkit.reflecting.drafts import Reply, drafted, drafting, lost
from promptkit.reflecting.feedback import feedback
from promptkit.reflecting.forecasts import largest, rising
from promptkit.reflecting.grades import graded, reviewing, rubric
from promptkit.reflecting.kept import Kept
from promptkit.sampling import fork
from promptkit.types import Model, Outcome, Problem

REVIEW = 0  # the branch of draws that the reviewer has for itself; rounds have those from 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reflect:
    """Cite the errors of a draft, mend them, and accept the mend only when an independent review finds it better."""

    of: Of = field(default=None, metadata={"flag": str | None})  # strategy that writes the draft; default: cot
    rounds: int = 3  # of reflecting, at most
    rubric: str = "correct=3, complete=1, clear=1"  # what the reviewer grades, with the weight of each
    temperature: float = 0.7  # of reflecting and refining; above 0, or a round after a refusal would be the same again
    reply_tokens: int | None = None  # longest reflection or draft; default: the template's

    about: ClassVar[About] = About(
        calls="of + rounds·2 + (rounds + 1)·criteria, fewer when nothing is left to mend",
        helps="where rules or a verifier decide; a refused mend costs its calls, never the answer",
        fails="where the model cannot tell right from wrong, the review cannot either (arXiv:2310.01798): compare with "
        "sc at the same number of samples",
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", inner(self.of))
        rubric(self.rubric)
        at_least(1, 3, rounds=self.rounds)
        if self.rounds > 1:
            warm(self.temperature, "rounds")

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The last version that was accepted; a call that is lost ends the rounds, not the run."""
        (draft,) = await drafted([(drafting(self.of), problem, model)], where="draft")
        kept, criteria, reviewer = Kept(), rubric(self.rubric), fork(model, REVIEW)
        kept.better(draft, None, 1)
        score: float | None = None
        why, failed, rounds = "the draft was checked and is right" if draft.verified else "", 0, list[bool]()
        if not why and draft.text.strip():
            (score,) = await graded(problem, reviewer, [draft], criteria, where="review-0")
            kept.better(draft, score, 1)
            if score is None and draft.answer is not None:  # no mend could be found better than that
                why = "no review of the draft could be read"
        while not why and len(rounds) < self.rounds and draft.text.strip():
            number = len(rounds) + 1
            branch, place = fork(model, number), f"round-{number}"
            decoding = {"temperature": self.temperature, "max_tokens": self.reply_tokens}
            said = await feedback(problem, branch, draft, where=f"{place}/critique", **decoding)
            if said.lost or not said.text or (said.fine and draft.verified is None):
                failed += said.lost is not None
                why = "the reflection was lost" if said.lost else "the reflection finds nothing to mend"
                break
            told = {"draft": draft.text.strip(), "critique": said.text, "earlier": ()}
            task = (Reply("refine", told, self.temperature, self.reply_tokens), problem, branch)
            (mended,) = await drafted([task], where=f"{place}/refine", needed=False)
            failed += lost(mended)
            grade: float | None = None
            if not lost(mended) and not mended.verified:
                (grade,) = await graded(problem, reviewer, [mended], criteria, where=f"{place}/review")
            accepted = mended.verified is True or _improved(draft, score, mended, grade)
            rounds.append(accepted)
            if accepted:
                kept.better(mended, 1.0 if mended.verified else grade, number + 1)
                draft, score = mended, grade
                why = "the mended version was checked and is right" if mended.verified else ""
        if why:
            emit(Stopped(why))
        return kept.outcome(accepted=rounds, score=score, failed=failed)

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes: from the draft alone, which may be right or empty, up to every round."""
        draft, review = forecast(drafting(self.of), problem), reviewing(problem, rubric(self.rubric))
        each = VERDICT.times(1 + review) + reply(problem)
        return rising(draft, draft + VERDICT.times(review) + each.times(self.rounds))

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With as many rounds as fit."""
        return largest(lambda n: replace(self, rounds=n), problem, samples, range(1, self.rounds + 1))


def _improved(old: Outcome, before: float | None, new: Outcome, after: float | None) -> bool:
    """Whether the review finds the new version better; an answer that can be read is better than none."""
    if new.answer is None or after is None:
        return False
    return old.answer is None or (before is not None and after > before)
