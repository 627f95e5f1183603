"""What strategies are measured on: questions of a test split, and what counts as right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from promptkit.types import Outcome


@dataclass(frozen=True, slots=True)
class Task:
    """The questions of a section, and those on which it chooses sizes."""

    section: str
    pack: str
    asked: tuple[str, ...]  # of the test split
    fitting: tuple[str, ...]  # of the validation split: sizes are chosen on them, by their tokens alone
    right: Callable[[str, Outcome], bool]  # whether the one answer given to a question is right; undecided is wrong


def checked(question: str, outcome: Outcome) -> bool:
    """Whether a program found the answer right."""
    return outcome.detail.get("verified") is True
