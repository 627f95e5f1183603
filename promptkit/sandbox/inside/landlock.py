"""Landlock: a process gives up what it may open, for itself and all its children."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable

from promptkit.sandbox.inside.kernel import (
    LANDLOCK_ADD_RULE,
    LANDLOCK_CREATE_RULESET,
    LANDLOCK_RESTRICT_SELF,
    checked,
    syscall,
)

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
MAKE_CHAR, MAKE_BLOCK = 1 << 6, 1 << 11
ALL_FILES = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}  # by the ABI that brought them
TRUNCATE = 1 << 14
ALL_TCP = 0b11  # bind and connect, since ABI 4
ALL_SCOPES = 0b11  # abstract unix sockets and signals, since ABI 6
OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE  # what may be allowed below a path that is no directory


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("tcp", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def abi() -> int:
    """The version this kernel speaks; 0 where it has none or has it switched off."""
    return max(0, syscall(LANDLOCK_CREATE_RULESET, None, 0, 1))


def restrict(version: int, *, read: Iterable[str], write: Iterable[str], devices: Iterable[str], tcp: bool) -> None:
    """From here on open nothing else, signal nothing outside; without `tcp`, no TCP either. SetupFailed if it fails."""
    files = ALL_FILES[max(known for known in ALL_FILES if known <= version)]
    ruleset = _Ruleset(files, ALL_TCP if version >= 4 and not tcp else 0, ALL_SCOPES if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8  # an older kernel refuses fields it does not know
    held = checked(syscall(LANDLOCK_CREATE_RULESET, ctypes.byref(ruleset), size, 0), "landlock ruleset")
    try:
        for paths, allowed in (
            (read, EXECUTE | READ_FILE | READ_DIR),
            (write, files & ~(MAKE_CHAR | MAKE_BLOCK)),
            (devices, READ_FILE | WRITE_FILE),
        ):
            for path in paths:
                _allow(held, path, allowed & files)
        checked(syscall(LANDLOCK_RESTRICT_SELF, held, 0), "landlock")
    finally:
        os.close(held)


def _allow(ruleset: int, path: str, allowed: int) -> None:
    parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _Beneath(allowed if os.path.isdir(path) else allowed & OF_A_FILE, parent)
        checked(syscall(LANDLOCK_ADD_RULE, ruleset, 1, ctypes.byref(rule), 0), f"landlock rule for {path}")
    finally:
        os.close(parent)
