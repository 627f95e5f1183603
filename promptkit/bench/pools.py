"""A store of examples of several hidden rules: what a choice of examples is measured on."""

from __future__ import annotations

import random
from typing import get_args

from promptkit.worlds.patterns import Kind, Pattern, draw

EACH = 8  # examples of each rule


def mixed(pattern: Pattern) -> list[dict[str, str]]:
    """The pattern's own examples among those of a rule of every other kind, shuffled; always the same ones.

    None asks the pattern's question. The other rules are of the train split: nothing held out is told by them.
    """
    rng = random.Random(f"pool {pattern}")
    others = [draw(rng, n=EACH, kind=kind, split="train") for kind in get_args(Kind) if kind != pattern.kind]
    held = [pair for each in (pattern, *others) for pair in each.examples[:EACH] if pair[0] != pattern.question]
    rng.shuffle(held)
    return [{"question": asked, "answer": answer} for asked, answer in held]
