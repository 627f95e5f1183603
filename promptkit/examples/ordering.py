"""In which order the chosen examples are shown: the last ones weigh most (Zhao et al., arXiv:2102.09690)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal

from promptkit.algorithms.selection.balanced import interleaved
from promptkit.examples.example import Example
from promptkit.examples.selection import LIKENESS, Policy, chosen

Order = Literal["file", "similar-last", "similar-first", "random", "balanced-interleaved"]


def usual(policy: Policy) -> Order:
    """The order where none is asked for: the likest next to the question, kinds in turns, else that of the file."""
    return "similar-last" if policy in LIKENESS else "balanced-interleaved" if policy == "balanced" else "file"


def ordered(
    order: Order, policy: Policy, wanted: Sequence[Example], held: Sequence[Example], question: str, dice: random.Random
) -> list[Example]:
    """The chosen ones as they are shown; `wanted` has the most wanted first, `held` is the store they are from."""
    if order == "random":
        return dice.sample(wanted, len(wanted))
    if order.startswith("similar"):
        near = list(wanted)
        if policy not in LIKENESS:
            near, _ = chosen("similar", near, question, len(near), dice=lambda: dice)
        return near if order == "similar-first" else near[::-1]
    at = {id(each): place for place, each in enumerate(held)}
    filed = sorted(wanted, key=lambda each: at[id(each)])
    return filed if order == "file" else [filed[place] for place in interleaved([each.kind for each in filed])]
