"""The limits that the kernel counts for each process by itself."""

from __future__ import annotations

import os
import resource
from typing import Any


def of(limits: dict[str, Any], *, processes: bool) -> dict[int, int]:
    """Resource and hard limit; without `processes` their number is left to the watch."""
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: limits["cpu_seconds"],
        resource.RLIMIT_AS: limits["memory"],
        resource.RLIMIT_FSIZE: limits["file_bytes"],
        resource.RLIMIT_NOFILE: limits["open_files"],
        resource.RLIMIT_MEMLOCK: 0,
    }
    if processes:
        wanted[resource.RLIMIT_NPROC] = limits["processes"]
    return wanted


def countable() -> bool:
    """Whether the kernel counts a sandbox's processes alone: since 5.14, and never those of root."""
    major, minor = (int(part) for part in os.uname().release.split(".")[:2])
    return (major, minor) >= (5, 14) and os.getuid() != 0


def impose(wanted: dict[int, int], pid: int = 0) -> None:
    """Set them for a process, this one by default; one that is lower already stays."""
    for kind, value in wanted.items():
        _, hard = resource.prlimit(pid, kind)
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # A second of grace in which the program may still say something after SIGXCPU.
        resource.prlimit(pid, kind, (most, most + (kind == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY)))
