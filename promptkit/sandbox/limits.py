"""What a program may use before it is ended."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from promptkit.errors import BadInput

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps on one run, held by the kernel or by a watch that ends the whole tree; BadInput when one is not above 0."""

    seconds: float = 10.0  # from start to end, whatever it does
    cpu_seconds: int = 10  # of all its processes together
    memory: int = GIB  # bytes: address space of each process, and what all of them hold
    processes: int = 64  # threads count
    open_files: int = 256  # in each process
    file_bytes: int = 64 * MIB  # the largest file
    disk_bytes: int = 256 * MIB  # what the workspace may grow by
    disk_files: int = 10_000  # … in entries
    scratch_bytes: int = 64 * MIB  # the private /tmp, in memory
    output_bytes: int = MIB  # of each, stdout and stderr

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not (isinstance(value, (int, float)) and math.isfinite(value) and value > 0):
                raise BadInput(
                    f"sandbox limit {each.name} is {value!r}", hint=f"a number above 0: {each.name}={each.default}"
                )

    def sent(self) -> dict[str, Any]:
        """The limits as the kernel takes them: whole numbers, but for the seconds."""
        return {
            e.name: getattr(self, e.name) if e.name == "seconds" else math.ceil(getattr(self, e.name))
            for e in fields(self)
        }
