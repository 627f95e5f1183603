"""What became of a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, Self

from promptkit.sandbox.certificate import Certificate

Ended = Literal["exit", "timeout", "output", "cpu", "memory", "processes", "disk"]


@dataclass(frozen=True, slots=True)
class Ran:
    """How it ended, what it wrote, what it took, and the certificate of what held meanwhile; JSON-able."""

    status: int  # as shells say it: 128 + n when signal n ended it
    ended: Ended  # by itself, or by the limit that it passed
    stdout: str
    stderr: str
    cut: bool  # it wrote more than it may, and what is above is the beginning
    seconds: float
    cpu_seconds: float  # as last seen; the end of a short program may be missing
    peak_bytes: int  # … of memory
    certificate: Certificate

    @classmethod
    def revived(cls, body: Mapping[str, Any]) -> Self:
        """The result that JSON was made of; ValueError when it was none. What a later promptkit adds is ignored."""
        try:
            known = {each.name: body[each.name] for each in fields(cls)}
            held = {each.name: known["certificate"][each.name] for each in fields(Certificate)}
            held = {name: tuple(value) if isinstance(value, list) else value for name, value in held.items()}
            return cls(**{**known, "certificate": Certificate(**held)})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a program's result: {error}") from error

    @property
    def ok(self) -> bool:
        """Whether it came to its own end, and called it a success."""
        return self.ended == "exit" and self.status == 0

    @property
    def timed_out(self) -> bool:
        """Whether its time, on the clock or the processor, was up."""
        return self.ended in ("timeout", "cpu")
