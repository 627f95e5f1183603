"""The limits that the kernel counts for each process by itself."""

from __future__ import annotations

import contextlib
import os
import resource
from typing import Any


def of(limits: dict[str, Any], others: int) -> dict[int, int]:
    """Resource and hard limit; `others` is how many processes are counted with the program's."""
    return {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: limits["cpu_seconds"],
        resource.RLIMIT_AS: limits["memory"],
        resource.RLIMIT_FSIZE: limits["file_bytes"],
        resource.RLIMIT_NOFILE: limits["open_files"],
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_NPROC: others + limits["processes"],
    }


def others(*, namespaces: bool) -> int:
    """Processes and threads that the kernel counts with a sandbox's: none in a namespace of users since Linux 5.14."""
    major, minor = (int(part) for part in os.uname().release.split(".")[:2])
    if namespaces and (major, minor) >= (5, 14):
        return 0
    found, mine = 0, os.getuid()
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):  # it may end while it is looked at
            if os.stat(f"/proc/{name}").st_uid == mine:
                found += len(os.listdir(f"/proc/{name}/task"))
    return found


def impose(wanted: dict[int, int], pid: int = 0) -> None:
    """Set them for a process, this one by default; one that is lower already stays."""
    for kind, value in wanted.items():
        _, hard = resource.prlimit(pid, kind)
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # A second of grace in which the program may still say something after SIGXCPU.
        resource.prlimit(pid, kind, (most, most + (kind == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY)))
