"""A place for a socket that only this user can reach, and that does not outlive its process by much."""

from __future__ import annotations

import os
import re
import shutil
import socket
import stat
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

LONGEST = 100  # bytes; the kernel's limit for a socket's path is 104 on macOS and 108 on Linux
NAME = re.compile(r"promptkit-(\d+)-(\d+)-(\d+)-\w+")  # pid namespace, pid, start time, random


def private_socket() -> Path | None:
    """A path for a unix socket in a fresh directory of mode 0700; None where there are no unix sockets."""
    if not hasattr(socket, "AF_UNIX") or not hasattr(os, "getuid"):
        return None
    prefix = f"promptkit-{_namespace()}-{os.getpid()}-{_started(os.getpid())}-"
    for parent in dict.fromkeys((tempfile.gettempdir(), "/tmp")):
        path = Path(parent) / f"{prefix}12345678" / "s.sock"
        if len(os.fsencode(path)) < LONGEST and os.access(parent, os.W_OK):
            _sweep(parent)
            return Path(tempfile.mkdtemp(prefix=prefix, dir=parent)) / "s.sock"
    return None


def remove_socket(path: Path) -> None:
    """Remove the socket and its directory."""
    shutil.rmtree(path.parent, ignore_errors=True)


@cache  # once a process is enough
def _sweep(parent: str) -> None:
    """Remove what killed processes left; never what a live one uses, nor what another container's might."""
    for entry in os.scandir(parent):
        name = NAME.fullmatch(entry.name)
        if name is None or name[1] != _namespace():
            continue
        with suppress(OSError):
            info = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(info.st_mode) and info.st_uid == os.getuid() and not _alive(int(name[2]), name[3]):
                shutil.rmtree(entry.path, ignore_errors=True)


def _alive(pid: int, started: str) -> bool:
    if _started(os.getpid()) != "0":
        return _started(pid) == started  # a pid may have been given to another process since
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _started(pid: int) -> str:
    """When the process started, in clock ticks since boot; "0" when it is gone or the system does not say."""
    try:
        # The command's name stands in brackets and may hold anything, brackets and spaces too.
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return "0"


@cache
def _namespace() -> str:
    try:
        return re.sub(r"\D", "", os.readlink("/proc/self/ns/pid")) or "0"
    except OSError:
        return "0"
