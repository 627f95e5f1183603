"""The leakage guard: which examples give the answer of a question away, because they ask it, or nearly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from promptkit.algorithms.selection.near import near
from promptkit.errors import BadInput
from promptkit.examples.example import Example, same
from promptkit.examples.selection import Leak

Leakage = Literal["leave-out", "refuse"]


def guard(question: str, key: Callable[[str], str] | None, leakage: Leakage) -> Leak:
    """Whether an example is a leak; under "refuse" BadInput for one. `key` is that of a world, whose word is final."""
    own = key(question) if key else same(question)

    def leak(each: Example) -> bool:
        try:
            found = key(each.question) == own if key else same(each.question) == own or near(each.question, question)
        except BadInput as error:  # no puzzle of the pack's world
            raise BadInput(f"{each.origin}: {error.message}", hint=error.hint) from error
        if found and leakage == "refuse":
            told = f"{each.origin} {asks(each, question)}: what is measured with it counts for nothing"
            raise BadInput(told, hint="take it out of the examples, or the question out of what is asked")
        return found

    return leak


def asks(each: Example, question: str) -> str:
    """What a leak does, in words."""
    return "asks the question itself" if same(each.question) == same(question) else "asks nearly the question"
