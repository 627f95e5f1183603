"""Calls to the kernel that Python has no name for."""

from __future__ import annotations

import ctypes
import os

# What bears the same number on every architecture since Linux 5.1.
MOUNT_SETATTR = 442
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP = 1, 4, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 36, 38


class SetupFailed(Exception):
    """A wall of the sandbox could not be put up; the message says which."""


def libc() -> ctypes.CDLL:
    """The C library, with errno kept."""
    return ctypes.CDLL(None, use_errno=True)


def checked(result: int, what: str) -> int:
    """The result; SetupFailed when it is an error."""
    if result < 0:
        raise SetupFailed(f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


def syscall(number: int, *arguments: object) -> int:
    """The result of a system call, -1 with errno set on failure."""
    wide = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    return int(libc().syscall(ctypes.c_long(number), *wide))


def prctl(option: int, value: int) -> int:
    """The result of prctl(option, value, 0, 0, 0)."""
    return int(libc().prctl(option, *(ctypes.c_ulong(each) for each in (value, 0, 0, 0))))
