"""What a whole tree of processes uses: processor time, memory, processes, and the disk below its workspace."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Iterator
from typing import Any

TICK = 0.02  # seconds between two looks
HIDDEN = 1 << 40  # entries: a folder closed to the watch, or deeper than a path may be long
SHARE = 0.05  # of the time, at most, goes into walking the workspace
_PAGE, _HERTZ = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")


class Watch:
    """Looks at the descendants of this process and at the workspace; `peak` is the most memory seen, in bytes."""

    def __init__(self, limits: dict[str, Any], workspace: str, infrastructure: tuple[int, ...]) -> None:
        self.limits = limits
        self.workspace = workspace
        self.infrastructure = infrastructure
        self.peak = 0
        self.cpu = 0.0
        self._next_walk = 0.0
        self._before = disk(workspace)
        free = _free(workspace)
        # What the walk cannot see (files deleted and held open) must not fill the disk either.
        self._reserve = max(0, min(free // 2, free - 2 * limits["disk_bytes"]))

    def exceeded(self) -> str | None:
        """The limit that is passed, by name; None while all hold."""
        pids = [pid for pid in descendants(os.getpid()) if pid not in self.infrastructure]
        memory, cpu, threads = 0, 0.0, 0
        for pid in pids:
            with contextlib.suppress(OSError, ValueError, IndexError):  # it may end while it is looked at
                fields = _stat(pid)
                # user, system, and both of children already buried; the 14th field is 11 after the state
                cpu += sum(int(each) for each in fields[11:15]) / _HERTZ
                threads += int(fields[17])
                memory += int(fields[21]) * _PAGE
        self.cpu = max(self.cpu, cpu)
        if memory > self.limits["memory"]:  # counts shared pages once for each process: look closer
            memory = sum(_proportional(pid) for pid in pids)
        self.peak = max(self.peak, memory)
        if threads > self.limits["processes"]:
            return "processes"
        if memory > self.limits["memory"]:
            return "memory"
        if self.cpu > self.limits["cpu_seconds"]:
            return "cpu"
        return self._disk()

    def _disk(self) -> str | None:
        now = time.monotonic()
        if now < self._next_walk:
            return None
        if _free(self.workspace) < self._reserve:
            return "disk"
        size, files = disk(self.workspace)
        took = time.monotonic() - now
        self._next_walk = now + max(TICK, took / SHARE)
        grown = size - self._before[0] > self.limits["disk_bytes"]
        return "disk" if grown or files - self._before[1] > self.limits["disk_files"] else None


def descendants(root: int) -> Iterator[int]:
    """Every process below `root`, as far as they are to be seen."""
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                    found = [int(child) for child in file.read().split()]
                waiting += found
                yield from found


def disk(folder: str) -> tuple[int, int]:
    """Bytes on disk and entries below a folder; links are not followed, and what is hidden counts as too many."""
    size = files = 0
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    files += 1
                    with contextlib.suppress(OSError):
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)  # first: of one too deep nothing else can be had
                        size += entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError as error:  # another may just be gone
            files += HIDDEN if error.errno in (errno.EACCES, errno.ENAMETOOLONG) else 0
    return size, files


def _stat(pid: int) -> list[bytes]:
    """The fields after the name, which may hold spaces: the first is the state."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()


def _proportional(pid: int) -> int:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup", "rb") as file:
        for line in file:
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _free(folder: str) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
