"""What became of a program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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

    @property
    def ok(self) -> bool:
        """Whether it came to its own end, and called it a success."""
        return self.ended == "exit" and self.status == 0

    @property
    def timed_out(self) -> bool:
        """Whether its time, on the clock or the processor, was up."""
        return self.ended in ("timeout", "cpu")
