"""How many samples a search will take, before it runs, and the largest search that a number of samples allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

from promptkit import prompts
from promptkit.announced import VERDICT, Forecast, fits, forecast
from promptkit.searching.terms import Terms
from promptkit.types import Problem

T = TypeVar("T")

NOTHING = Forecast(0, 0, 0)


def announced(
    terms: Terms,
    problem: Problem,
    *,
    expansions: int,
    generated: int | None = None,
    first: int | None = None,
    judged: int | None = None,
    rounds: int | None = None,
    judges: bool = True,
) -> Forecast:
    """The samples of a search that expands at most so many states.

    `generated` samples bring the thoughts, the `first` of them in any case: k a state, or one list, unless it is said
    otherwise. All thoughts are judged, unless at most so many are, or they are voted on in `rounds`, one a level.
    """
    world = prompts.pack(problem.pack).world is not None
    each = terms.k if terms.generate == "sample" else 1
    calls = expansions * each if generated is None else generated
    conclusion = NOTHING if world else Forecast(0, 1, 1 + (problem.output_schema is not None))
    verdicts = _verdicts(terms, problem) if judges else NOTHING
    states: int | None = 0
    about: int | None = 0
    if not judges:
        pass
    elif terms.evaluate == "vote" and terms.evaluator is None:
        states = about = terms.depth if rounds is None else rounds
    else:
        wide = expansions * terms.k
        known = wide if terms.generate == "sample" else None
        states = _least(known if judged is None else judged, terms.nodes)
        about = _least(wide if judged is None else judged, terms.nodes)
    most = None if states is None or verdicts.most is None else calls + states * verdicts.most
    expected = None if about is None or verdicts.expected is None else calls + about * verdicts.expected
    if world:
        expected = None  # nobody knows when it comes upon a goal
    return Forecast(each if first is None else first, expected, most) + conclusion


def expanded(most: int, terms: Terms) -> int:
    """States that a search expands which may expand so many: no more than there can be, where that is known."""
    if terms.generate != "sample":
        return most
    if terms.k == 1:
        return min(most, terms.depth)
    states, wide = 0, 1
    for _ in range(terms.depth):  # the levels grow by k: it is past `most` soon, however deep the tree may be
        if states >= most:
            break
        states, wide = states + wide, wide * terms.k
    return min(most, states)


def _verdicts(terms: Terms, problem: Problem) -> Forecast:
    """What it takes to judge one state, or to hold one vote."""
    if terms.evaluator is None:
        return VERDICT.times(terms.n_evaluate)
    return forecast(terms.evaluator, replace(problem, pack=prompts.DEFAULT_PACK, output_schema=None))


def _least(*numbers: int | None) -> int | None:
    return min((number for number in numbers if number is not None), default=None)


def in_step(strategy: T, problem: Problem, samples: int, names: Sequence[str]) -> T | None:
    """The strategy with these numbers made smaller, all in step, until it surely takes no more than these samples.

    Then each is made as large again as it can be, the first one first. None where 1 for each is too much; a number
    without a limit is taken for the number of samples.
    """

    def enough(numbers: dict[str, int]) -> bool:
        return fits(replace(cast(Any, strategy), **numbers), problem, samples)

    if enough({}):
        return strategy
    full = {name: getattr(strategy, name) or max(1, samples) for name in names}

    def at(share: float) -> dict[str, int]:
        return {name: max(1, int(value * share)) for name, value in full.items()}

    if not enough(at(0)):
        return None
    low, high = 0.0, 1.0
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if enough(at(middle)) else (low, middle)
    numbers = at(low)
    for name in names:
        least, most = numbers[name], full[name]
        while least < most:
            middle = (least + most + 1) // 2
            if enough({**numbers, name: middle}):
                least = middle
            else:
                most = middle - 1
        numbers[name] = least
    return cast(T, replace(cast(Any, strategy), **numbers))
