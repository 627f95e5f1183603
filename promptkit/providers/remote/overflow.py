"""What a server says of a prompt that does not fit: how many tokens it takes, and how many there are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from promptkit.errors import ContextOverflow

_NUMBER = r"\D{0,12}?(\d[\d,]*)"
_NEEDED = re.compile(
    rf"(?:resulted in|you requested|the request|^request|prompt \(length|input \(|has){_NUMBER}(?: tokens)?", re.I
)
_ROOM = re.compile(rf"(?:context (?:length|size|window)(?: of| is)?|model length(?: of| is)?){_NUMBER}", re.I)
_REPLY = re.compile(r"in the completion|max_(?:completion_)?tokens|output tokens", re.I)


def overflow(model: str, said: str, body: Mapping[str, Any], larger: str) -> ContextOverflow:
    """The error that names tokens needed, tokens there and what to type; `larger` is how its context grows."""
    needed = body.get("n_prompt_tokens") or _found(_NEEDED, said)
    room = body.get("n_ctx") or _found(_ROOM, said)
    hints = ["attach a part of it, or shorten the prompt"]
    if _REPLY.search(said):
        hints.append("or ask for a shorter reply: --reply-tokens N")
    if larger:
        hints.append(larger)
    told = f"it takes {needed} tokens and the context holds {room}" if needed and room else said
    return ContextOverflow(f"the prompt does not fit {model}: {told}", hint="\n".join(hints))


def _found(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.search(text)
    return int(found[1].replace(",", "")) if found else None
