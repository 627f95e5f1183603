"""The root that a program sees without bubblewrap: empty, then what it may read, then what it may write."""

from __future__ import annotations

import ctypes
import os
import stat
from pathlib import Path
from typing import Any

from promptkit.sandbox.inside.kernel import MOUNT_SETATTR, checked, libc, syscall

NOSUID, NODEV, NOEXEC, RDONLY = 2, 4, 8, 1
REMOUNT, BIND, RECURSIVE, SLAVE, DETACH = 32, 4096, 16384, 1 << 19, 2
AT_RECURSIVE, AT_EMPTY_PATH = 0x8000, 0x1000

DEVICES = ("null", "zero", "full", "random", "urandom")
STANDARD = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}


class Attributes(ctypes.Structure):
    """struct mount_attr."""

    _fields_ = (("set", ctypes.c_uint64), ("clear", ctypes.c_uint64), ("way", ctypes.c_uint64), ("ns", ctypes.c_uint64))


def build(view: dict[str, Any], scratch: int) -> None:
    """Make `view` the root of this mount namespace; `scratch` is the bytes of /tmp. SetupFailed if it fails."""
    mount(None, "/", None, SLAVE | RECURSIVE)
    # Opened first: the new root will lie over a folder that some of them may be in.
    sources = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in _sources(view)}
    base = "/tmp"
    mount("tmpfs", base, "tmpfs", NOSUID | NODEV, "mode=755,size=16m")
    tmp = _folder(base, "/tmp")
    mount("tmpfs", tmp, "tmpfs", NOSUID | NODEV, f"mode=1777,size={scratch},nr_inodes=16384")
    for target, path in view["links"]:
        _parents(base, path)
        os.symlink(target, base + path)
    for source, path in view["read"]:
        folder = stat.S_ISDIR(os.fstat(sources[source]).st_mode)
        _bind(sources[source], _place(base, path, folder=folder), NOSUID | NODEV | RDONLY)
    for path in view["masked"]:
        mount("tmpfs", base + path, "tmpfs", NOSUID | NODEV | RDONLY, "size=4k")
    mount("proc", _folder(base, "/proc"), "proc", NOSUID | NODEV | NOEXEC | RDONLY)
    _devices(base, sources)
    source, path = view["workspace"]
    _bind(sources[source], _place(base, path, folder=True), NOSUID | NODEV)
    if view["program"] is not None:
        Path(base + view["program_path"]).write_text(view["program"], "utf-8")
        os.chmod(base + view["program_path"], 0o444)
    for sealed in (f"{base}/dev", base):
        mount(None, sealed, None, REMOUNT | BIND | RDONLY | NOSUID | (NODEV if sealed == base else 0))
    os.chdir(base)
    checked(libc().syscall(ctypes.c_long(_pivot_root()), b".", b"."), "pivot_root")
    checked(libc().umount2(b".", DETACH), "umount of the old root")
    os.chdir("/")


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """mount(2); SetupFailed if it fails."""
    words = [None if each is None else os.fsencode(each) for each in (source, target, kind)]
    extra = None if data is None else data.encode()
    checked(libc().mount(*words, ctypes.c_ulong(flags), extra), f"mount {kind or ''} on {target}")


def _sources(view: dict[str, Any]) -> list[str]:
    return [*(source for source, _ in view["read"]), view["workspace"][0], *(f"/dev/{name}" for name in DEVICES)]


def _devices(base: str, sources: dict[str, int]) -> None:
    dev = _folder(base, "/dev")
    mount("tmpfs", dev, "tmpfs", NOSUID, "mode=755,size=64k")
    for name in DEVICES:
        _bind(sources[f"/dev/{name}"], _place(base, f"/dev/{name}", folder=False), NOSUID)
    for name, target in STANDARD.items():
        os.symlink(target, f"{dev}/{name}")
    os.symlink("/tmp", f"{dev}/shm")  # POSIX semaphores and shared memory, within the same size


def _bind(source: int, target: str, flags: int) -> None:
    mount(f"/proc/self/fd/{source}", target, None, BIND | RECURSIVE)
    wanted = Attributes(flags, 0, 0, 0)
    path = ctypes.c_char_p(os.fsencode(target))
    # Recursive: a file system mounted below would otherwise stay writable.
    checked(syscall(MOUNT_SETATTR, -100, path, AT_RECURSIVE, ctypes.byref(wanted), 32), f"flags of {target}")


def _place(base: str, path: str, *, folder: bool) -> str:
    if folder:
        return _folder(base, path)
    _parents(base, path)
    if not os.path.exists(base + path):
        Path(base + path).touch()
    return base + path


def _parents(base: str, path: str) -> None:
    _folder(base, os.path.dirname(path))


def _folder(base: str, path: str) -> str:
    os.makedirs(base + path, mode=0o755, exist_ok=True)
    return base + path


def _pivot_root() -> int:
    return {"x86_64": 155, "aarch64": 41}.get(os.uname().machine, 41)  # the generic table's number elsewhere
