"""Root's processes are counted by nobody: the kernel excuses them from RLIMIT_NPROC, in a user namespace too.

So root's keeper first becomes a user that is nobody else, and goes on as any user's would. What root was to see is put
under a staging folder of its own, mounted so that files of their owner appear as files of that user: what a program
writes into its workspace belongs, on disk, to whom the workspace belongs. Where a file system cannot be mounted so, the
workspace is lent: its owner's files are given to that user, and taken back by the caller (promptkit/sandbox/lent.py).
"""

from __future__ import annotations

import codecs
import ctypes
import os
import signal
import stat
from collections.abc import Iterator
from typing import Any

from promptkit.sandbox.inside.kernel import (
    MOUNT_SETATTR,
    PR_SET_DUMPABLE,
    PR_SET_PDEATHSIG,
    SetupFailed,
    checked,
    libc,
    prctl,
    syscall,
)
from promptkit.sandbox.inside.mounts import AT_EMPTY_PATH, AT_RECURSIVE, RECURSIVE, SLAVE, Attributes, mount

STAGE = "/tmp"  # in a mount namespace of the keeper's own: nobody else sees what lies over it
USER, MOUNTS = 0x10000000, 0x00020000
OPEN_TREE, MOVE_MOUNT = 428, 429
CLONE, CLOEXEC, FROM_EMPTY = 1, os.O_CLOEXEC, 4
IDMAP = 0x00100000
UNUSED = 1_999_999_999  # beyond what systems and containers give out: no process of another's may touch the keeper
NOBODY = 65534  # … where a container has no such number


def needed() -> bool:
    """Whether this process is root as the kernel counts: by name, and not just inside a container of a user's."""
    return os.getuid() == 0 and next((outside == 0 for inside, outside, _ in _mapped("uid") if inside == 0), True)


def lower(spec: dict[str, Any]) -> None:
    """Go on as a user whose processes are counted, with all that `spec` shows within reach; SetupFailed if it fails."""
    who = next((each for each in (UNUSED, NOBODY) if _is_mapped("uid", each) and _is_mapped("gid", each)), None)
    if who is None:
        raise SetupFailed("a user for root's programs: this container has no number to spare")
    for name in ("ascii", "latin-1"):
        codecs.lookup(name)  # whoever it becomes may not be able to read the interpreter's library
    checked(libc().unshare(MOUNTS), "mount namespace")
    mount(None, "/", None, SLAVE | RECURSIVE)
    _stage(spec["view"], who)
    os.setgroups([])
    os.setresgid(who, who, who)
    os.setresuid(who, who, who)
    # Both are forgotten with the old identity; without the first, /proc/self would still be root's.
    checked(prctl(PR_SET_DUMPABLE, 1), "own /proc")
    checked(prctl(PR_SET_PDEATHSIG, signal.SIGTERM), "parent's end")
    if os.getppid() != spec["parent"]:
        raise SetupFailed("its caller has ended")


def _stage(view: dict[str, Any], who: int) -> None:
    """Put what is to be seen where that user can reach it, and let `view` say so."""
    spaces: dict[tuple[int, int], int] = {}
    sources = list(dict.fromkeys([source for source, _ in view["read"]] + [view["workspace"][0]]))
    trees = {}
    for source in sources:
        trees[source] = tree = checked(_tree(source), f"view of {source}")
        found = os.fstat(tree)
        owner = found.st_uid, found.st_gid
        if owner not in spaces:
            spaces[owner] = _space(owner, who)
        seen_as = Attributes(IDMAP, 0, 0, spaces[owner])
        flags = AT_EMPTY_PATH | AT_RECURSIVE
        mapped = syscall(MOUNT_SETATTR, tree, ctypes.c_char_p(b""), flags, ctypes.byref(seen_as), 32) == 0
        if not mapped and source == view["workspace"][0]:
            _lend(source, owner[0], who)
    for fd in spaces.values():
        os.close(fd)
    mount("tmpfs", STAGE, "tmpfs", 6, "mode=755,size=1m")
    staged = {source: _staged(f"{STAGE}/{n}", trees[source]) for n, source in enumerate(sources)}
    view["read"] = [(staged[source], path) for source, path in view["read"]]
    view["workspace"] = (staged[view["workspace"][0]], view["workspace"][1])


def _tree(path: str) -> int:
    return syscall(OPEN_TREE, -100, ctypes.c_char_p(os.fsencode(path)), CLONE | CLOEXEC | AT_RECURSIVE)


def _staged(place: str, tree: int) -> str:
    if stat.S_ISDIR(os.fstat(tree).st_mode):
        os.mkdir(place, 0o755)
    else:
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY, 0o644))
    here = ctypes.c_char_p(os.fsencode(place))
    checked(syscall(MOVE_MOUNT, tree, ctypes.c_char_p(b""), -100, here, FROM_EMPTY), f"staging at {place}")
    os.close(tree)
    return place


def _space(owner: tuple[int, int], who: int) -> int:
    """A user namespace that says: who on disk is `owner` is `who` here."""
    ready, says = os.pipe()
    waits, lets_go = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(lets_go)
        os.write(says, b"x" if libc().unshare(USER) == 0 else b"")
        os.close(says)
        os.read(waits, 1)
        os._exit(0)
    os.close(says)
    os.close(waits)
    try:
        if not os.read(ready, 1):
            raise SetupFailed("user namespace: refused to root")
        for kind, number in zip(("uid", "gid"), owner, strict=True):
            with open(f"/proc/{pid}/{kind}_map", "w", encoding="ascii") as file:
                file.write(f"{number} {who} 1")
        return os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(ready)
        os.close(lets_go)
        os.waitpid(pid, 0)


def _lend(folder: str, owner: int, who: int) -> None:
    for path in (folder, *_below(folder)):
        if os.lstat(path).st_uid == owner:
            os.lchown(path, who, -1)


def _below(folder: str) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        yield from (os.path.join(parent, name) for name in (*folders, *files))


def _is_mapped(kind: str, number: int) -> bool:
    return any(inside <= number < inside + count for inside, _, count in _mapped(kind))


def _mapped(kind: str) -> list[tuple[int, int, int]]:
    with open(f"/proc/self/{kind}_map", encoding="ascii") as file:
        return [(int(inside), int(outside), int(count)) for inside, outside, count in map(str.split, file)]
