"""Blocks in a reply that stand between lines of three backticks: code, or JSON, as models write them."""

from __future__ import annotations

import re
from typing import NamedTuple

# What stands behind the opening marks is a language, and more may follow; behind the closing ones stands no word.
_BLOCK = re.compile(
    r"^[ \t]*```[ \t]*(?P<language>[\w+-]*)[^\n`]*\n(?P<text>.*?)^[ \t]*```(?![\w`])", re.DOTALL | re.MULTILINE
)


class Block(NamedTuple):
    """One block: the language that it says it is in, in lower case, or "", and the lines between its marks."""

    language: str
    text: str


def blocks(reply: str) -> list[Block]:
    """The blocks of a reply in order; one that is never closed is none."""
    return [Block(found["language"].lower(), found["text"]) for found in _BLOCK.finditer(reply)]
