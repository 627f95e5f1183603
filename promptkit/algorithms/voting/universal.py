"""Universal self-consistency (arXiv:2311.17311): a model picks the most consistent of several replies.

A model prefers places to contents, so each question is put in both orders; this file lays the orders out and puts the
picks together. What is asked and how a pick is read is the strategy's.
"""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.algorithms.voting.tally import Tally, tally

Order = tuple[int, ...]  # the sample at each place of a prompt


def both_orders(samples: int) -> tuple[Order, Order]:
    """The samples as drawn and the other way round: what is first in one prompt is last in the other."""
    forward = tuple(range(samples))
    return forward, forward[::-1]


def picked(order: Order, place: int | None) -> int | None:
    """The sample at the place a model named, counted from 0; None when it named none that was there."""
    return order[place] if place is not None and 0 <= place < len(order) else None


def universal(
    answers: Sequence[str | None], orders: Sequence[Order], places: Sequence[int | None], failed: int = 0
) -> Tally:
    """A vote for the answer of each picked sample, one a prompt; picks that disagree are a tie.

    For free text give each reply its own answer, e.g. its index. A prompt that never came back is `failed`, and has
    neither order nor place here.
    """
    samples = [picked(order, place) for order, place in zip(orders, places, strict=True)]
    return tally((None if sample is None else answers[sample] for sample in samples), failed)
