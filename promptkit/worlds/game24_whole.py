"""The Game of 24 in whole numbers from 0 to 300: the game that the built-in model is taught and measured on."""

from __future__ import annotations

from collections.abc import Iterator

TARGET = 24
LARGEST = 300  # of any number on the way
LISTED = {4: 8, 3: 6, 2: 4}  # next steps in a list of proposals, by how many numbers are left

Numbers = tuple[int, ...]  # sorted


def results(low: int, high: int) -> Iterator[tuple[int, str, int, int]]:
    """What two numbers, low <= high, make: (a, sign, b, result)."""
    yield low, "+", high, low + high
    yield high, "-", low, high - low
    if low * high <= LARGEST:
        yield low, "*", high, low * high
    if low and high % low == 0:
        yield high, "/", low, high // low
