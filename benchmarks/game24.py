"""Game of 24 on `builtin`: what each strategy answers right on puzzles the model was not trained on.

One answer a puzzle counts, checked by program; an undecided vote or an empty tree is wrong. The puzzles are the ones
the model's training held out by hash; prompts contain none of them.

    python -m benchmarks.game24 [NUMBER OF PUZZLES]
"""

from __future__ import annotations

import random
import sys
import time
import zlib
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import Any

import promptkit as pk
from promptkit.algorithms.stats.intervals import wilson
from promptkit.worlds.game24 import TARGET, Numbers, apply, moves

LADDER: list[tuple[str, str, dict[str, Any]]] = [
    ("direct", "direct", {}),
    ("cot", "cot", {}),
    ("sc n=10", "sc", {"n": 10}),
    ("sc n=20", "sc", {"n": 20}),
    ("tot b=1", "tot", {"b": 1}),
    ("tot b=5", "tot", {"b": 5}),
]


@lru_cache(maxsize=100_000)
def solvable_in_integers(numbers: Numbers) -> bool:
    """Whether 24 can be made with whole numbers up to 300 on the way, which is what the model was taught."""
    if len(numbers) == 1:
        return numbers[0] == TARGET
    rests = (apply(numbers, move) for move in moves(numbers) if whole(move.result))
    return any(solvable_in_integers(rest) for rest in rests if rest)


def whole(number: Fraction) -> bool:
    """A whole number from 0 to 300."""
    return number.denominator == 1 and 0 <= number <= 300


def held_out() -> Iterator[str]:
    """The puzzles of 1 to 13 that training left out: those whose hash falls in one fifth."""
    for puzzle in combinations_with_replacement(range(1, 14), 4):
        if zlib.crc32(repr(puzzle).encode()) % 5 == 0 and solvable_in_integers(tuple(map(Fraction, puzzle))):
            yield " ".join(map(str, puzzle))


def sampled(n: int) -> list[str]:
    """n of them, always the same."""
    puzzles = list(held_out())
    random.Random(24).shuffle(puzzles)
    return puzzles[:n]


def main() -> None:
    """Print the table."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    puzzles = sampled(n)
    print(f"Game of 24, builtin, {len(puzzles)} held-out puzzles, seed 0; 95 % Wilson intervals; one answer counted\n")
    print("| strategy | right | interval | calls | tokens out | seconds |\n|---|--:|---|--:|--:|--:|")
    for label, name, how in LADDER:
        started = time.monotonic()
        outcomes = [pk.run(name, puzzle, pack="game24", model="builtin", journal="memory", **how) for puzzle in puzzles]
        seconds = (time.monotonic() - started) / len(puzzles)
        right = sum(outcome.detail.get("verified") is True for outcome in outcomes)
        low, high = wilson(right, len(puzzles))
        calls = sum(o.usage.calls for o in outcomes) / len(puzzles)
        tokens = sum(o.usage.output_tokens for o in outcomes) / len(puzzles)
        share = f"{right / len(puzzles):.0%} | {low:.0%} – {high:.0%}"
        print(f"| {label} | {share} | {calls:.1f} | {tokens:,.0f} | {seconds:.2f} |", flush=True)


if __name__ == "__main__":
    main()
