"""Which examples are shown for a question: chosen by rules, by chance, by likeness, or by likeness and variety."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from promptkit.algorithms.clustering.tfidf import vectors
from promptkit.algorithms.selection.balanced import balanced
from promptkit.algorithms.selection.bm25 import BM25
from promptkit.algorithms.selection.mmr import LAMBDA, mmr
from promptkit.algorithms.selection.terms import terms
from promptkit.errors import BadInput
from promptkit.examples.example import Example

Policy = Literal["fixed", "random", "balanced", "similar", "diverse", "knn"]
LIKENESS = ("similar", "diverse", "knn")  # policies that look at the question

Embedded = Mapping[str, Sequence[float]]  # a vector for the text of each question
Leak = Callable[[Example], bool]


def chosen(
    policy: Policy,
    held: Sequence[Example],
    question: str,
    n: int,
    *,
    dice: Callable[[], random.Random],
    weight: float = LAMBDA,
    embedded: Embedded | None = None,
    leak: Leak = lambda each: False,
) -> tuple[list[Example], list[Example]]:
    """The n that are shown, the most wanted first, and those that would have been, had they not given it away.

    `dice` makes the same generator each time: who is left out changes nothing about the others.
    """
    left, out = list(held), list[Example]()
    while True:
        picked = [left[at] for at in _places(policy, left, question, n, dice(), weight, embedded)]
        if not (leaks := [each for each in picked if leak(each)]):
            return picked, out
        out += leaks
        left = [each for each in left if not any(each is leaking for leaking in leaks)]


def narrowed(policy: Policy, held: Sequence[Example], question: str, most: int) -> tuple[Example, ...]:
    """At most so many of a store, in its order: those the policy would take, its chance the question's own.

    BadInput where labels are to be balanced, and no two of the whole store are the same.
    """
    if policy == "balanced":
        _refuse_all_different(held)
    if len(held) <= most:
        return tuple(held)
    near: Policy = "similar" if policy in LIKENESS else policy
    places = _places(near, held, question, most, random.Random(question), LAMBDA, None)
    return tuple(held[at] for at in sorted(places))


def _places(
    policy: Policy,
    held: Sequence[Example],
    question: str,
    n: int,
    dice: random.Random,
    weight: float,
    embedded: Embedded | None,
) -> list[int]:
    """The places of the chosen ones, the most wanted first."""
    places = list(range(len(held)))
    if policy == "fixed":
        return places[:n]
    if policy == "balanced":
        return balanced([each.kind for each in held], dice)[:n]
    dice.shuffle(places)  # what fits equally well comes in an order of chance
    if policy == "random":
        return places[:n]
    questions = [held[at].question for at in places]
    if policy == "similar" and embedded is None:
        fit = BM25([terms(each) for each in questions]).scores(terms(question))
    else:
        *vector, asked = _vectors([*questions, question], embedded)
        fit = [_cosine(each, asked) for each in vector]
        if policy == "diverse":
            return [places[i] for i in mmr(fit, lambda i, j: _cosine(vector[i], vector[j]), n, weight)]
    return [places[i] for i in sorted(range(len(fit)), key=lambda i: -fit[i])[:n]]


def _refuse_all_different(held: Sequence[Example]) -> None:
    kinds = {each.kind for each in held}
    if len(held) > 2 and len(kinds) == len(held) and not any(each.label for each in held):
        told = f"{held[0].origin}: no label, and no two of the {len(held)} answers are the same: nothing to balance"
        raise BadInput(told, hint="add a label to each example, or --select random")


def _vectors(questions: Sequence[str], embedded: Embedded | None) -> list[Mapping[str, float]]:
    if embedded is None:
        return list(vectors(questions))
    return [{str(at): value for at, value in enumerate(embedded[each])} for each in questions]


def _cosine(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    if len(b) < len(a):
        a, b = b, a
    along = math.fsum(value * b[name] for name, value in a.items() if name in b)
    size = math.sqrt(math.fsum(v * v for v in a.values()) * math.fsum(v * v for v in b.values()))
    return along / size if size else 0.0
