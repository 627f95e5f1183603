"""What a strategy says of itself before it runs: how many samples it takes, when it helps, and when it does not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar, cast

from promptkit.types import Problem, Strategy

S = TypeVar("S", bound=Strategy)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Samples a strategy takes of the model: the fewest, about how many, the most; None where nobody can know."""

    least: int
    expected: float | None
    most: int | None

    def __add__(self, other: Forecast) -> Forecast:
        return Forecast(
            self.least + other.least,
            None if self.expected is None or other.expected is None else self.expected + other.expected,
            None if self.most is None or other.most is None else self.most + other.most,
        )

    def times(self, n: int) -> Forecast:
        """The same n times over."""
        return Forecast(
            self.least * n,
            None if self.expected is None else self.expected * n,
            None if self.most is None else self.most * n,
        )


ONE = Forecast(1, 1, 1)
VERDICT = Forecast(1, 1, 2)  # one that cannot be read is asked for once more
UNKNOWN = Forecast(1, None, None)


def reply(problem: Problem) -> Forecast:
    """One reply that the answer is read from; where an output has a form, one more may mend it."""
    return ONE if problem.output_schema is None else Forecast(1, 1, 2)


def exactly(n: int) -> Forecast:
    """A strategy that always takes n samples."""
    return Forecast(n, n, n)


@dataclass(frozen=True, slots=True)
class About:
    """What a reader should know before choosing a strategy; a class variable `about` of it."""

    calls: str  # the number of samples as a formula over its parameters, as in "n" or "k + (depth − 1)·b·k"
    helps: str  # when the evidence says that it helps, with the source
    fails: str  # when the evidence says that it does not


def forecast(strategy: Strategy, problem: Problem) -> Forecast:
    """What the strategy announces for this problem; at least one sample where it announces nothing."""
    said: Any = getattr(strategy, "forecast", None)
    return said(problem) if callable(said) else UNKNOWN


def within(strategy: Strategy, problem: Problem, samples: int) -> Strategy | None:
    """The strategy, made smaller where it must be to take at most so many samples; None when it cannot be."""
    if fits(strategy, problem, samples):
        return strategy
    smaller: Any = getattr(strategy, "within", None)
    made = smaller(problem, samples) if callable(smaller) and samples > 0 else None
    return made if made is not None and fits(made, problem, samples) else None


def fits(strategy: Strategy, problem: Problem, samples: int) -> bool:
    """Whether it surely takes at most so many samples."""
    most = forecast(strategy, problem).most
    return most is not None and most <= samples


def first_fitting(versions: Iterable[S], problem: Problem, samples: int) -> S | None:
    """The first of these versions of a strategy that surely takes at most so many samples; None when none does."""
    return next((each for each in versions if fits(each, problem, samples)), None)


def changed(before: Strategy, after: Strategy) -> list[str]:
    """What differs between two versions of a strategy, one parameter each: `n 40 -> 20`, `of.n 4 -> 2`."""
    found = []
    for f in fields(before):  # type: ignore[arg-type]
        old, new = getattr(before, f.name), getattr(after, f.name)
        if old == new:
            continue
        if is_dataclass(old) and type(old) is type(new):
            found += [f"{f.name}.{each}" for each in changed(cast(Strategy, old), cast(Strategy, new))]
        else:
            # What nobody gave is None: the strategy decides, which its own words for the field say.
            was = "default" if old is None and f.default is None else old
            found.append(f"{f.name} {was} -> {new}")
    return found
