"""Chance that is the same in every run: a generator for each place where a search draws."""

from __future__ import annotations

import hashlib
import random


def rng(seed: int, *place: object) -> random.Random:
    """A generator that depends on the seed and the place alone, never on what was drawn elsewhere."""
    name = "|".join(map(repr, (seed, *place)))
    return random.Random(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"))
