"""Early-stopping self-consistency (ESC, arXiv:2401.10480, algorithm 1): stop after a window of equal answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from promptkit.algorithms.stopping.rule import Answers, Decision
from promptkit.errors import BadInput


@dataclass(frozen=True, slots=True)
class ESC:
    """Stop when all w samples of a window agree, on their answer; an unread one agrees with nothing.

    Windows lie end to end from the first sample, whatever the batches.
    """

    w: int = 5  # 8 for hard questions

    def __post_init__(self) -> None:
        if self.w < 2:
            raise BadInput(f"a window of {self.w} always agrees", hint="the paper's is 5, or 8 for hard questions")

    @property
    def guarantee(self) -> str:
        """What is known of the answer when it stops, in one line."""
        return f"{self.w} samples in a row agreed; how often that errs depends on the model: no bound"

    def check(self, answers: Answers, n: int, /) -> Decision:
        """Whether to stop now, of n samples at most."""
        for start in range(0, len(answers) - self.w + 1, self.w):
            window = answers[start : start + self.w]
            if window[0] is not None and len(set(window)) == 1:
                reason = f"samples {start + 1} to {start + self.w} agree"
                return Decision(True, reason, window[0], self.guarantee, level=1.0, needed=1.0)
        return Decision(False, f"no window of {self.w} agrees", None, self.guarantee, level=0.0, needed=1.0)

    def next_batch(self, answers: Answers, n: int, /) -> int | None:
        """The fewest further samples after which it could stop; None when it cannot within n."""
        if self.check(answers, n).stop:
            return 0
        begun = answers[len(answers) - len(answers) % self.w :]
        lost = len(set(begun)) > 1 or None in begun
        more = self.w * (2 if lost else 1) - len(begun)
        return more if more <= n - len(answers) else None

    def expected(self, probabilities: Sequence[float], n: int) -> float:
        """The samples it takes on average (section 3.3) when answers have these probabilities; w must divide n."""
        windows, rest = divmod(n, self.w)
        if rest:
            raise BadInput(f"windows of {self.w} do not fill {n} samples", hint=f"e.g. --n {(windows + 1) * self.w}")
        q = sum(p**self.w for p in probabilities)
        ended = sum((i + 1) * q * (1 - q) ** i for i in range(windows - 1))
        return self.w * (ended + windows * (1 - q) ** (windows - 1))
