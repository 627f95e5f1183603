"""Evidence that may be looked at after every item: an e-process for the mean of bounded numbers.

A bettor who starts with 1 stakes a part of its money on each number before it is known. If the mean is what the null
says, no way of staking makes money on average, so P(it ever has 1/alpha) <= alpha (Ville 1939), however often one
looks and whenever one stops. Several fixed stakes go side by side, the money split evenly among them
(Waudby-Smith & Ramdas, arXiv:2010.09686, section 4); a mixture needs no tuning, and knows no order of the items.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import exp, fsum, log, log1p
from typing import Literal

from promptkit.errors import BadInput

Side = Literal["above", "below"]

STAKES = 12  # fixed stakes of a mixture, at even steps over all that cannot lose everything
_FINEST = 1e-4  # how exact the ends of an interval are, as a part of the range
_LARGEST = 700.0  # logarithm of the largest wealth that is told: more is no float


@dataclass(slots=True)
class Bets:
    """The logarithm of the wealth of who bets that a mean is above (or below) `null`, where numbers lie in a range."""

    null: float
    side: Side
    low: float = -1.0
    high: float = 1.0
    _wealth: list[float] = field(default_factory=lambda: [0.0] * STAKES, repr=False)
    _gains: dict[float, tuple[float, ...]] = field(default_factory=dict, repr=False)
    _log: float | None = field(default=0.0, repr=False)

    def add(self, x: float, times: int = 1) -> None:
        """Settle the bets on a number, or on several equal ones."""
        if x == self.null:  # nobody wins
            return
        gains = self._gains.get(x)
        if gains is None:
            gains = self._gains[x] = _gains(x - self.null, self.null - self.low, self.high - self.null, self.side)
        self._wealth = [wealth + times * gain for wealth, gain in zip(self._wealth, gains, strict=True)]
        self._log = None

    @property
    def log(self) -> float:
        """The logarithm of the money all bettors have together, of 1."""
        if self._log is None:
            most = max(self._wealth)
            self._log = most + log(fsum(exp(each - most) for each in self._wealth) / STAKES)
        return self._log


def _gains(gap: float, below: float, above: float, side: Side) -> tuple[float, ...]:
    """What each stake makes of a number that lies `gap` above the null, as logarithms."""
    most, won = (below, gap) if side == "above" else (above, -gap)  # the most that may be lost of a stake of 1
    stakes = ((at + 0.5) / STAKES / most for at in range(STAKES))
    return tuple(log1p(stake * won) for stake in stakes)


@dataclass(slots=True, kw_only=True)
class EProcess:
    """Evidence about the mean of numbers that come one by one, valid at every look; what it decides stays decided."""

    alpha: float = 0.05  # how often it may ever decide where the mean is `null`
    null: float = 0.0
    side: Side | None = None  # the only side to look for; None: both
    margin: float | None = None  # a mean within so much of the null is as good as there: then it is futile
    low: float = -1.0  # what the numbers cannot be below …
    high: float = 1.0  # … or above
    n: int = field(default=0, init=False)
    decided: Side | None = field(default=None, init=False)  # where the mean lies, once that is shown
    futile: bool = field(default=False, init=False)  # shown not to lie `margin` or more away
    p: float = field(default=1.0, init=False)  # valid at every look; never rises
    _seen: Counter[float] = field(default_factory=Counter, init=False, repr=False)
    _for: list[Bets] = field(default_factory=list, init=False, repr=False)
    _against: list[Bets] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise BadInput(f"alpha must be between 0 and 1, not {self.alpha:g}", hint="e.g. 0.05")
        if not self.low < self.null < self.high:
            raise BadInput(f"a null of {self.null:g} is not between {self.low:g} and {self.high:g}")
        sides: tuple[Side, ...] = (self.side,) if self.side else ("above", "below")
        self._for = [Bets(self.null, side, self.low, self.high) for side in sides]
        if self.margin is not None:
            ends: dict[Side, float] = {"above": self.null + self.margin, "below": self.null - self.margin}
            if self.margin <= 0 or any(not self.low < ends[side] < self.high for side in sides):
                raise BadInput(f"a margin of {self.margin:g} leaves no room in the range", hint="e.g. 0.02")
            other: dict[Side, Side] = {"above": "below", "below": "above"}
            self._against = [Bets(ends[side], other[side], self.low, self.high) for side in sides]

    def update(self, x: float) -> float:
        """The e-value after another number; BadInput for one out of range."""
        if not self.low <= x <= self.high:
            raise BadInput(f"{x:g} is not between {self.low:g} and {self.high:g}")
        self.n += 1
        self._seen[x] += 1
        for bets in (*self._for, *self._against):
            bets.add(x)
        value = self.value
        self.p = min(self.p, 1 / value if value > 1 else 1.0)
        if self.decided is None and value * self.alpha >= 1:
            self.decided = max(self._for, key=lambda bets: bets.log).side
        if self._against and all(bets.log >= -log(self.alpha) for bets in self._against):
            self.futile = True
        return value

    @property
    def value(self) -> float:
        """The e-value: how many times its money a bettor against the null has; its mean under the null is 1."""
        return fsum(exp(min(bets.log, _LARGEST)) for bets in self._for) / len(self._for)

    @property
    def mean(self) -> float:
        """The mean of the numbers so far; the null before the first."""
        return fsum(x * times for x, times in self._seen.items()) / self.n if self.n else self.null

    @property
    def interval(self) -> tuple[float, float]:
        """Where the mean lies at the level 1 - alpha, valid at all looks together: each mean that is not refuted."""
        return self._end("below"), self._end("above")

    def _end(self, side: Side) -> float:
        """The farthest mean on that side that the bets do not refute, by bisection: they grow the farther it is."""
        towards: Side = "above" if side == "below" else "below"
        inside, outside = self.mean, self.low if side == "below" else self.high
        needed = log(2 / self.alpha)
        while abs(outside - inside) > _FINEST * (self.high - self.low):
            middle = (inside + outside) / 2
            bets = Bets(middle, towards, self.low, self.high)
            for x, times in self._seen.items():
                bets.add(x, times)
            inside, outside = (inside, middle) if bets.log >= needed else (middle, outside)
        return outside
