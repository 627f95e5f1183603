"""As many examples as there is room for, in tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from promptkit.examples.example import Example

BYTES = 4  # of UTF-8 in a token: what English has; other scripts have fewer, so that an estimate is too large there


def estimated(text: str) -> int:
    """About how many tokens a text is: its bytes in UTF-8 over four, rounded up."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES)


def fitting(wanted: Sequence[Example], tokens: Callable[[Example], int], most: int) -> list[Example]:
    """Those that fit together, the most wanted first; one that is too long makes room for the next."""
    kept: list[Example] = []
    left = most
    for each in wanted:
        if (size := tokens(each)) <= left:
            kept.append(each)
            left -= size
    return kept
