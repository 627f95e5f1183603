"""What a sample is worth: found right by a program, judged or rated by a model, or rewarded by a function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import fsum, inf, isfinite, nan
from typing import Any, Literal

from promptkit import prompts
from promptkit.balloting.sampled import Sampled
from promptkit.decisions import Decision, decide_all
from promptkit.errors import BadInput
from promptkit.events import Warned, emit
from promptkit.exchange import put, verified
from promptkit.lazy import Lazy
from promptkit.types import Model, Outcome, Problem, Request, World

By = Literal["verifier", "judge", "rating", "reward"]
Reward = Callable[[str, str], float | None]  # (question, answer): the higher the better; None where it cannot tell


@dataclass(frozen=True, slots=True)
class Scored:
    """A sample with its score; None where nobody could tell: it cannot win."""

    got: Sampled
    score: float | None

    @property
    def key(self) -> str:
        """Its answer, canonical; "" without one."""
        return self.got.answer.key if self.got.answer else ""

    @property
    def shown(self) -> str:
        """Its answer as it was written."""
        return self.got.answer.shown if self.got.answer else ""


def best(scored: Sequence[Scored], *, above: float = -inf) -> list[Scored]:
    """The samples that share the best score, those of the answer that most of them give first; empty: none has one."""
    top = max((each.score for each in scored if each.score is not None), default=-inf)
    if top <= above:
        return []
    found = [each for each in scored if each.score == top]
    heads = Counter(each.key for each in found)
    return sorted(found, key=lambda each: -heads[each.key])


def by_program(world: World, problem: Problem, fresh: Sequence[Sampled]) -> list[Scored]:
    """1 for an answer that the pack's rules find right, 0 for a wrong one."""
    return [
        Scored(got, float(bool(verified(world, problem, got.answer.shown))) if got.answer else None) for got in fresh
    ]


def by_function(reward: Reward, problem: Problem, fresh: Sequence[Sampled]) -> list[Scored]:
    """What the function gives; an answer for which that is None, or no finite number, cannot win."""
    scored = []
    for got in fresh:
        given = reward(problem.text, got.answer.shown) if got.answer else None
        try:
            value = nan if given is None else float(given)
        except (TypeError, ValueError):
            raise BadInput(f"a reward is a number, not {given!r}", hint="None for an answer it cannot tell") from None
        scored.append(Scored(got, value if isfinite(value) else None))
    return scored


async def by_model(
    problem: Problem,
    model: Model,
    template: str,
    fresh: Sequence[Sampled],
    verdicts: int,
    *,
    where: str,
    needed: bool = True,  # whether it is an error when all the calls are lost
) -> list[Scored]:
    """The mean of several verdicts of a template, over those that could be read; the words and scores are its own."""
    pack = prompts.pack(problem.pack)
    words = pack.template(template)
    if not words.scores:
        raise BadInput(f"the template {words.id} has no scores", hint=f"promptkit prompts show {words.id}")
    asked = [(got, got.answer.shown) for got in fresh if got.answer]

    def request(index: int) -> Request:
        (got, shown), draw = asked[index // verdicts], index % verdicts
        return put(problem, words, {"answer": shown, "reply": got.text.strip()}).at(got.index * verdicts + draw)

    requests = Lazy(range(verdicts * len(asked)), request)
    options, made = tuple(words.scores), list[Decision]()
    if requests:
        made = await decide_all(model, requests, options, where=where, needed=needed, pack=problem.pack)
    scores: dict[int, float | None] = {}
    for at, (got, _) in enumerate(asked):
        read = [words.scores[each.verdict] for each in made[at * verdicts : (at + 1) * verdicts] if each.verdict]
        scores[got.index] = fsum(read) / len(read) if read else None
    return [Scored(got, scores.get(got.index)) for got in fresh]


def chosen(scored: Sequence[Scored], top: Sequence[Scored], by: By, world: World | None, problem: Problem) -> Outcome:
    """The outcome that the best samples make: their answer, every score, and who else had the best one."""
    first = top[0] if top else None
    same = {each.got.index for each in top if first and each.key == first.key}
    tied = list({each.key: each.shown for each in reversed(top)}.values())[::-1] if by != "verifier" else []
    detail: dict[str, Any] = {
        "by": by,
        "samples": len(scored),
        "scores": [each.score for each in scored],
        "unread": sum(each.got.answer is None and each.got.error is None for each in scored),
        "failed": sum(each.got.error is not None for each in scored),
        "tied": tied if len(tied) > 1 else [],
        "accepted": sorted(each.got.index for each in top) if by == "verifier" else sorted(same),
        "rejected": [each.got.index for each in scored if first and _worse(each, first)],
    }
    if first is None:
        reason = f"none of {len(scored)} answers was found right" if by == "verifier" else "no answer has a score"
        return Outcome(answer=None, status="undecided", detail={**detail, "reason": reason})
    if len(tied) > 1:
        emit(
            Warned(f"{len(tied)} answers share the best score, {first.score:g}: of the one most often given, the first")
        )
    right = verified(world, problem, first.shown)
    detail |= {"verified": right, "accepted": [] if right is False else detail["accepted"]}
    return Outcome(answer=first.shown, text=first.got.text, confidence=None, detail={**detail, "score": first.score})


def _worse(each: Scored, first: Scored) -> bool:
    scores = each.score is not None and first.score is not None and each.score < first.score
    return scores and each.key != first.key  # the same answer, judged once so and once otherwise, is no worse one
