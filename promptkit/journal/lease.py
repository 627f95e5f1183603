"""Who holds a run or a claim, and whether they still live."""

from __future__ import annotations

import os
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

from promptkit.journal import windows

_open: set[str] = set()  # sessions of this process; one whose release never reached the disk must not look alive


@dataclass(frozen=True, slots=True)
class Owner:
    """An open journal in a process. A pid alone would be fooled by its reuse, a start time by a reboot."""

    boot: str  # "" where the system does not tell
    pid: int
    born: int  # the process's start in the system's own ticks; 0 where it does not tell
    session: str

    @classmethod
    def here(cls) -> Owner:
        """A new owner in this process, alive until `leave`."""
        pid = os.getpid()
        _, born = _stat(pid) or ("", 0)
        owner = cls(_boot(), pid, born, uuid.uuid4().hex[:12])
        _open.add(owner.session)
        return owner

    @classmethod
    def parse(cls, text: str) -> Owner:
        """The owner that was written down."""
        boot, pid, born, session = text.split("/")
        return cls(boot, int(pid), int(born), session)

    def leave(self) -> None:
        """Hold nothing any more."""
        _open.discard(self.session)

    @property
    def alive(self) -> bool:
        """Whether its process is the one that wrote it, still running, with its journal open."""
        if self.boot != _boot():
            return False
        if self.pid == os.getpid():
            return self.session in _open
        stat = _stat(self.pid)
        if stat is None:  # no /proc here, or it hides other users' processes
            return _exists(self.pid)
        state, born = stat
        return state not in "ZXx" and self.born in (0, born)

    def __str__(self) -> str:
        return f"{self.boot}/{self.pid}/{self.born}/{self.session}"


def alive(owner: str | None) -> bool:
    """Whether an owner as it was written down still lives; nobody does not."""
    return owner is not None and Owner.parse(owner).alive


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def _stat(pid: int) -> tuple[str, int] | None:
    """State and start time of a process; None where they cannot be read."""
    if sys.platform == "win32":
        return windows.process(pid)
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
        rest = text[text.rindex(b")") + 1 :].split()  # the name before it may hold spaces and brackets
        return rest[0].decode("ascii"), int(rest[19])
    except (OSError, ValueError, IndexError):
        return None


def _exists(pid: int) -> bool:
    if sys.platform == "win32":  # asked only where access is denied: then it is there
        return True
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True
