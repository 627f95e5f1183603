"""Futility: stop at once, undecided, when not even n samples could satisfy a rule."""

from __future__ import annotations

from dataclasses import dataclass

from promptkit.algorithms.stopping.rule import SOMETHING_ELSE, Answers, Decision, StoppingRule


@dataclass(frozen=True, slots=True)
class Futility:
    """The rule `of`, which also stops when all samples to come, for one answer, would not be enough for it.

    A vote that ends so is undecided: its majority would be an answer without what the rule guarantees.
    """

    of: StoppingRule

    @property
    def guarantee(self) -> str:
        """What is known of the answer when it stops, in one line."""
        return self.of.guarantee

    def check(self, answers: Answers, n: int, /) -> Decision:
        """Whether to stop now, of n samples at most."""
        verdict = self.of.check(answers, n)
        if verdict.stop or self.of.next_batch(answers, n) is not None:
            return verdict
        left = n - len(answers)
        reason = f"not even {left} more equal answers would be enough: {verdict.reason}"
        return Decision(True, reason, None, "none: it is undecided", level=verdict.level, needed=verdict.needed)

    def next_batch(self, answers: Answers, n: int, /) -> int | None:
        """The fewest further samples after which it could stop, decided or not."""
        enough = self.of.next_batch(answers, n)
        if not enough:
            return 0
        worst = list(answers)
        hostile = [*dict.fromkeys(answers), SOMETHING_ELSE, None]
        for more in range(1, enough):  # each time the sample that puts the rule's end farthest off
            far = {answer: self.of.next_batch([*worst, answer], n) for answer in hostile}
            if None in far.values():
                return more
            worst.append(max(far, key=lambda answer: far[answer] or 0))
        return enough
