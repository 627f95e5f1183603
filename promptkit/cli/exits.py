"""How a command ends."""

from __future__ import annotations

from enum import IntEnum

from promptkit.types import Status


class Exit(IntEnum):
    """Exit codes, the same for every command."""

    DONE = 0
    FAILED = 1  # a provider or promptkit itself
    USAGE = 2  # bad input; nothing was spent
    UNDECIDED = 3  # finished, and the answer is null
    KEY = 4  # a key is missing or was refused
    BUDGET = 5  # a cap was reached; the best so far was printed
    GATE = 6  # a gate of an experiment was not met
    INTERRUPTED = 130


OF_STATUS: dict[Status, Exit] = {
    "done": Exit.DONE,
    "undecided": Exit.UNDECIDED,
    "budget": Exit.BUDGET,
    "cancelled": Exit.INTERRUPTED,
    "error": Exit.FAILED,
}
