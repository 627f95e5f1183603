"""The stopping rules by name, each written as a word with its thresholds: `beta(0.99)`, `lead(3)`, `futility(ppr)`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from promptkit.algorithms.stopping.beta import Beta
from promptkit.algorithms.stopping.certified import Certified
from promptkit.algorithms.stopping.consensus import Entropy, MajorityShare
from promptkit.algorithms.stopping.dirichlet import Dirichlet
from promptkit.algorithms.stopping.esc import ESC
from promptkit.algorithms.stopping.futility import Futility
from promptkit.algorithms.stopping.lead import Lead
from promptkit.algorithms.stopping.ppr import PPR
from promptkit.algorithms.stopping.rule import StoppingRule
from promptkit.balloting.words import made
from promptkit.errors import BadInput

NONE = "none"
BATCH = 4  # the widest round under a rule: few rounds, and few samples more than one at a time would take


@dataclass(frozen=True, slots=True)
class _Futile:
    """`futility(RULE)`: the rule, and undecided as soon as not even all samples to come could satisfy it."""

    of: str = "beta"


@dataclass(frozen=True, slots=True)
class _Never:
    """`none`."""


STOPS: dict[str, Callable[..., Any]] = {
    "beta": Beta,
    "dirichlet": Dirichlet,
    "esc": ESC,
    "entropy": Entropy,
    "majority-share": MajorityShare,
    "lead": Lead,
    "ppr": PPR,
    "certified": Certified,
    "futility": _Futile,
}


def stopping(word: str) -> StoppingRule | None:
    """The rule a word names; None for "none", which leaves curtailment, UnknownName with the nearest name."""
    found = made("stop", word, {NONE: _Never, **STOPS})
    if not isinstance(found, (_Futile, _Never)):
        rule: StoppingRule = found
        return rule
    if isinstance(found, _Never):
        return None
    inner = stopping(found.of)
    if inner is None or isinstance(inner, Futility):
        raise BadInput(f"futility is about another rule, not {found.of}", hint='e.g. --stop "futility(beta(0.95))"')
    return Futility(inner)


def certifies(rule: StoppingRule | None) -> bool:
    """Whether the rule bounds how often it errs: then each sample's answer must stay what it was."""
    return isinstance(rule, (PPR, Certified)) or (isinstance(rule, Futility) and certifies(rule.of))
