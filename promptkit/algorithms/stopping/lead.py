"""Stop when the leader is k votes ahead: what the released SPRT of ConSol (arXiv:2503.17587) comes to with k = 3."""

from __future__ import annotations

from dataclasses import dataclass

from promptkit.algorithms.stopping.rule import Answers, Decision, fewest, top_two
from promptkit.errors import BadInput


@dataclass(frozen=True, slots=True)
class Lead:
    """Stop when the first answer is k votes ahead of the second.

    Of two answers it errs with probability 1/(1 + (p/q)^k) if it may go on for ever: little for one that is clear,
    a half for two that are alike (Wald 1945).
    """

    k: int = 3

    def __post_init__(self) -> None:
        if self.k < 1:
            raise BadInput(f"a lead must be at least 1, not {self.k}", hint="e.g. 3")

    @property
    def guarantee(self) -> str:
        """What is known of the answer when it stops, in one line."""
        return f"{self.k} votes ahead of the second; how often that errs depends on the model: no bound"

    def check(self, answers: Answers, n: int, /) -> Decision:
        """Whether to stop now, of n samples at most."""
        leader, first, second = top_two(answers)
        stop = first - second >= self.k
        reason = f"{first} votes against {second}: a lead of {first - second} of {self.k}"
        return Decision(stop, reason, leader if stop else None, self.guarantee, level=first - second, needed=self.k)

    def next_batch(self, answers: Answers, n: int, /) -> int | None:
        """The fewest further samples after which it could stop; None when it cannot within n."""
        return fewest(lambda seen: self.check(seen, n).stop, answers, n)
