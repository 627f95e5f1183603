"""What a reader gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer: equal answers are equal strings."""

    answer: str  # canonical
    shown: str  # as the model wrote it, markup aside
    layer: str  # how it was found: hash, boxed, phrase, last …


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """An answer that can be read in more than one way, such as "1.234": reported, never guessed."""

    candidates: tuple[str, ...]  # canonical
    layer: str


Read = Reading | Ambiguous | None
Reader = Callable[[str, tuple[str, ...]], Read]  # (the reply without its reasoning, the options if it was given any)
