"""Beam search over tokens: the `width` likeliest beginnings go on, by the product of their tokens' probabilities.

Nothing is corrected for length: a longer text is never likelier, and who compares lengths must say by what rule.
An ended path stands beside the growing ones with the probability it ended with. Equal candidates keep their order
(that of their parents, then that of the distribution); where one of them stays and another goes, both are reported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, log
from typing import Generic

from promptkit.algorithms.decoding.distribution import EQUAL, Distribution, T, equal


@dataclass(frozen=True, slots=True)
class Beam(Generic[T]):
    """A beginning: its tokens, the logarithm of its probability, and whether it has ended."""

    tokens: tuple[T, ...] = ()
    logprob: float = 0.0
    ended: bool = False

    @property
    def probability(self) -> float:
        """The product of its tokens' probabilities."""
        return exp(self.logprob)


@dataclass(frozen=True, slots=True)
class Round(Generic[T]):
    """What a step leaves: the beams, likeliest first, and the candidates that tie where the beam ends."""

    beams: tuple[Beam[T], ...]
    tie: tuple[Beam[T], ...] = ()  # as probable as the last beam, it among them; empty unless one of them fell out
    open: bool = False  # a token that nobody has told of might have been among them


def stepped(
    beams: Sequence[Beam[T]],
    following: Mapping[tuple[T, ...], Distribution[T]],
    width: int,
    ends: Callable[[T], bool] = lambda _: False,
) -> Round[T]:
    """One token further: `following` has what may come after each beam that has not ended."""
    if width < 1:
        raise ValueError(f"a beam is at least 1 wide, not {width}")
    grown: list[Beam[T]] = []
    unseen = -inf  # the likeliest that a candidate which nobody has told of could be
    for beam in beams:
        if beam.ended:
            grown.append(beam)
            continue
        distribution = following[beam.tokens]
        for token, p in _candidates(distribution, width):
            grown.append(Beam((*beam.tokens, token), beam.logprob + log(p), ends(token)))
        most = min(distribution.rest, distribution.tokens[-1][1])
        if not distribution.whole and most > 0:
            unseen = max(unseen, beam.logprob + log(most))
    grown = _in_order(grown)
    kept, dropped = grown[:width], grown[width:]
    last = kept[-1].logprob
    tie = [beam for beam in grown if abs(beam.logprob - last) <= EQUAL]
    over = [beam for beam in dropped if abs(beam.logprob - last) <= EQUAL]
    missed = unseen > last + EQUAL or (len(kept) < width and unseen > -inf)
    return Round(tuple(kept), tuple(tie) if over else (), missed)


def _candidates(distribution: Distribution[T], width: int) -> list[tuple[T, float]]:
    """The tokens that can be among the `width` best, or tie with the last of them: any other is beaten at home."""
    tokens = [(token, p) for token, p in distribution.tokens if p > 0]
    if len(tokens) <= width:
        return tokens
    last = tokens[width - 1][1]
    return [(token, p) for place, (token, p) in enumerate(tokens) if place < width or equal(p, last)]


def _in_order(beams: Sequence[Beam[T]]) -> list[Beam[T]]:
    """Likeliest first; those that are equal but for rounding in the order they were made in."""
    places = sorted(range(len(beams)), key=lambda place: -beams[place].logprob)
    found: list[Beam[T]] = []
    while places:
        best = beams[places[0]].logprob
        even = [place for place in places if best - beams[place].logprob <= EQUAL]
        found += [beams[place] for place in sorted(even)]
        places = places[len(even) :]
    return found


def beam_search(
    following: Callable[[tuple[T, ...]], Distribution[T]],
    *,
    width: int,
    steps: int,
    ends: Callable[[T], bool] = lambda _: False,
) -> list[Round[T]]:
    """Every step of the search over a function from a beginning to what may follow it."""
    rounds: list[Round[T]] = []
    beams: tuple[Beam[T], ...] = (Beam(),)
    for _ in range(steps):
        if all(beam.ended for beam in beams):
            break
        told = {beam.tokens: following(beam.tokens) for beam in beams if not beam.ended}
        rounds.append(stepped(beams, told, width, ends))
        beams = rounds[-1].beams
    return rounds
