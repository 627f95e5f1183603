"""Templates that are text with holes in it, filled without a template engine: most prompts need no more.

What is filled here reads exactly as Jinja2 would have it (a test compares the two); anything else is left to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

LONGEST = 1_000_000  # characters; what is longer is refused where templates with logic are rendered
_HOLE = re.compile(r"\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*\}\}")
_WORDS = frozenset("true false none True False None not and or if elif else in is self super caller loop".split())


@lru_cache(maxsize=512)
def holes(body: str) -> tuple[str, ...] | None:
    """Text and names by turns, beginning and ending with text; None when the body is more than text with holes."""
    pieces = tuple(_HOLE.split(body))
    texts, names = pieces[::2], pieces[1::2]
    if "\r" in body or not _WORDS.isdisjoint(names) or any(mark in text for text in texts for mark in ("{", "}")):
        return None  # a lone brace may be the rest of a mark
    return pieces


def fill_holes(body: str, inputs: Mapping[str, Any]) -> str | None:
    """The text with every hole filled; None when that takes more than putting texts in."""
    pieces = holes(body)
    if pieces is None:
        return None
    filled = list(pieces)
    for at in range(1, len(filled), 2):
        value = inputs.get(filled[at])
        if type(value) is not str:
            return None
        filled[at] = value
    return "".join(filled) if sum(map(len, filled)) <= LONGEST else None
