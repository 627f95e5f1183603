"""The ways to vote by name, each written as a word with its parameters: `cisc(0.5)`, `deepconf(0.1)`, `borda(4)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from promptkit.balloting.confidence import ByBelief
from promptkit.balloting.count import Way
from promptkit.balloting.meanings import ByMeaning
from promptkit.balloting.options import ByShuffle
from promptkit.balloting.picks import ByPick
from promptkit.balloting.plain import ByConfidence, ByHeads, ByLength, ByLikelihood
from promptkit.balloting.rankings import ByPlaces
from promptkit.balloting.words import made

VOTES: dict[str, Callable[..., Any]] = {
    "majority": ByHeads,
    "weighted": ByLikelihood,
    "cisc": ByBelief,
    "complexity": ByLength,
    "cluster": ByMeaning,
    "universal": ByPick,
    "borda": ByPlaces,
    "deepconf": ByConfidence,
    "choice-shuffle": ByShuffle,
}


def voting(word: str) -> Way:
    """The way a word names; UnknownName with the nearest name."""
    way: Way = made("vote", word, VOTES)
    return way
