"""The last step before a program's first instruction: every right it could still have is given up."""

from __future__ import annotations

import ctypes
import os
import signal
from typing import Any

from promptkit.sandbox.inside import landlock, rlimits, seccomp
from promptkit.sandbox.inside.kernel import PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, checked, libc, prctl

YIELDING = 5  # nicer than its keeper, which must get its turn while a program floods the machine


def become(spec: dict[str, Any]) -> None:
    """Replace this process by the program, behind the walls that `spec` names; SetupFailed if one does not stand."""
    os.setsid()
    os.nice(YIELDING)
    checked(prctl(PR_SET_NO_NEW_PRIVS, 1), "no new privileges")
    rlimits.impose(rlimits.of(spec["limits"], spec["others"]))
    if spec["rung"] != "host":
        _drop_capabilities()
    if spec["landlock"]:
        rules = spec["rules"]
        landlock.restrict(spec["landlock"], read=rules["read"], write=rules["write"], devices=rules["devices"],
                          tcp=spec["namespaces"])  # fmt: skip
    os.chdir(spec["cwd"])
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)  # Python ignores or catches them; a program starts without that
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    os.umask(0o077)
    if spec["seccomp"]:
        seccomp.install(seccomp.program(network=spec["namespaces"], ipc=spec["namespaces"]))
    try:
        os.execvpe(spec["argv"][0], spec["argv"], spec["env"])
    except OSError as error:
        os.write(2, f"{spec['argv'][0]}: {error.strerror}\n".encode(errors="replace"))
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


def close_all_but(*kept: int) -> None:
    """Leave no file open but the three standard ones and `kept`."""
    low = 3
    for fd in sorted(kept):
        os.closerange(low, fd)
        low = max(low, fd + 1)
    os.closerange(low, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") > 0 else 1 << 20)


def _drop_capabilities() -> None:
    """None in any set; a process without any cannot drop from the bounding set, which then does not matter."""
    for capability in range(64):
        if prctl(PR_CAPBSET_DROP, capability) < 0:
            break
    header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    checked(libc().capset(header, nothing), "capabilities")
