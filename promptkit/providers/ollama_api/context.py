"""A prompt that does not fit: Ollama may drop its beginning and answer all the same, with no word about it.

It is asked not to (`truncate`, `shift`); one too old to know these words is found out by its own counts.
"""

from __future__ import annotations

import re

from promptkit.errors import ContextOverflow
from promptkit.providers.ollama_api.installed import Installed
from promptkit.types import Request

WORD = re.compile(r"\S*\w\S*")
LAST = 2  # tokens of a reply, cut off at the end of the context, that never went into it
USUAL = 8192  # tokens: what most prompts that do not fit want


def least_tokens(request: Request) -> int:
    """A lower bound of the prompt's tokens: no usual tokenizer has one for more than a word between blanks."""
    return sum(len(WORD.findall(turn.text)) for turn in request.messages)


def most_tokens(request: Request) -> int:
    """An upper bound of the prompt's tokens: a token is at least a byte; a template may add some."""
    return sum(16 + len(turn.text.encode("utf-8", "replace")) for turn in request.messages)


def lost(request: Request, known: Installed, given: int, written: int) -> ContextOverflow | None:
    """The error for a reply that was written without all of its prompt; None for any that may be whole."""
    if not known.sure or not given:
        return None
    if given >= known.context or given + written > known.context + LAST:
        return overflow(request, known, max(least_tokens(request), given + written))
    # Counts of an Ollama that tells no abilities may leave out what it has cached.
    counts_all, may_overflow = known.abilities is not None, most_tokens(request) > known.context
    if counts_all and may_overflow and given < (least := least_tokens(request)):
        return overflow(request, known, least)
    return None


def overflow(request: Request, known: Installed, needed: int, *, exact: bool = False) -> ContextOverflow:
    """The error that says how many tokens are needed, how many there are, and the option to type."""
    about = "takes" if exact else "and its reply take at least"
    said = f"the prompt {about} {needed:,} tokens, and there are {known.context:,}"
    if known.trained and needed >= known.trained:
        return ContextOverflow(said, hint=f"shorten the prompt: the model reads {known.trained:,} tokens at most")
    size = USUAL
    while size < (needed if exact else needed * 4 // 3) + (request.max_tokens or 0):
        size *= 2
    size = min(size, known.trained or size)
    return ContextOverflow(said, hint=f"-o num_ctx={size}\nor shorten the prompt")


def told(said: str) -> tuple[int, int] | None:
    """Tokens needed and tokens there, where an error of the server names both."""
    numbers = re.search(r"\((\d+) tokens\).*?context.*?\((\d+) tokens\)", said)
    return (int(numbers[1]), int(numbers[2])) if numbers else None
