"""Keys kept out of what is shown and stored: those this process has read or could read, and what is shaped like one."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re

SHORTEST = 8  # characters; "none" or "ollama", as local servers are sent, is a word and no secret
VARIABLES = ("_API_KEY", "_TOKEN")  # how the environment's names of secrets end
STAND_IN = "…"

# What promptkit says of itself is full of names; a digit tells a key from them.
_SHAPES = r"\b(?:sk|gsk|xai|hf)[-_](?=[\w-]*\d)[\w-]{16,}|\bBearer\s+(?=\S*\d)[^\s\"'…]{8,}"
# What a server says of a request may hold a part of the key, or one with its middle starred out.
_FOREIGN = r"\b(?:sk|gsk|xai|hf|key)[-_][\w*.\-]{6,}|\bBearer\s+\S+|\S*\*{4,}\S*"

_read: frozenset[str] = frozenset()


def keep_out(secret: str) -> None:
    """From now on this text is no part of anything that redacted() gives, also as JSON or a URL writes it."""
    global _read
    _read |= {secret}


def redacted(text: str, *, foreign: bool = False) -> str:
    """The text without any key; with `foreign`, as a server sent it, also without what may be a part of one."""
    exported = {value.strip() for name, value in os.environ.items() if name.endswith(VARIABLES)}
    for secret in sorted(_read | exported, key=len, reverse=True):
        if len(secret) >= SHORTEST:
            for form in _forms(secret):
                text = text.replace(form, STAND_IN)
    return _shapes(foreign).sub(STAND_IN, text)


# Errors are imported by everything, and most commands have none: what it takes is loaded when there is one.


def _forms(secret: str) -> tuple[str, ...]:
    import json
    from urllib.parse import quote

    return secret, json.dumps(secret)[1:-1], quote(secret, safe="")


@cache
def _shapes(foreign: bool) -> re.Pattern[str]:
    import re

    return re.compile(_FOREIGN if foreign else _SHAPES)
