"""How many samples the parts of a reflection take, and the largest reflection that fits a number of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar, cast

from promptkit.announced import Forecast, first_fitting, fits, within
from promptkit.types import Problem, Strategy

S = TypeVar("S", bound=Strategy)


def rising(least: Forecast, most: Forecast) -> Forecast:
    """Between two efforts: nobody knows how soon it stops."""
    return Forecast(least.least, least.expected if least == most else None, most.most)


def largest(make: Callable[[int], S], problem: Problem, samples: int, sizes: range) -> S | None:
    """What `make` gives for the largest of these sizes that takes at most so many samples; None when none does.

    Where even the smallest takes more, the strategy inside it is made smaller.
    """
    made = first_fitting(map(make, reversed(sizes)), problem, samples)
    return made if made is not None else slimmer(make(sizes[0]), problem, samples)


def slimmer(strategy: S, problem: Problem, samples: int) -> S | None:
    """The strategy with a smaller one inside, so that it takes at most so many samples; None when none fits."""
    of: Any = getattr(strategy, "of", None)
    left = samples if of is not None else 0
    while left > 0 and (smaller := within(of, problem, left)) is not None:
        made = cast(S, replace(cast(Any, strategy), of=smaller))
        if fits(made, problem, samples):
            return made
        left = left * 3 // 4
    return None
