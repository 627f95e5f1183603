"""The rung with nothing to install: namespaces of one's own, a root of one's own, Landlock and seccomp on top."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import struct
from typing import Any

from promptkit.sandbox.inside import credentials, mounts
from promptkit.sandbox.inside.kernel import PR_SET_DUMPABLE, PR_SET_PDEATHSIG, checked, libc, prctl
from promptkit.sandbox.inside.started import Started, forked

USER, PID = 0x10000000, 0x20000000
OTHERS = 0x00020000 | 0x40000000 | 0x08000000 | 0x04000000 | 0x02000000  # mounts, network, IPC, host name, cgroups
INSIDE = 1000  # user and group as the program sees them: not root, whoever runs it
OWN = 2  # its keeper and its init, counted with the program's processes


def start(spec: dict[str, Any]) -> Started:
    """The program, started under an init of its own; SetupFailed if a wall does not stand."""
    separate(USER | PID)
    spec["others"] += OWN
    # Leaving the old credentials behind forgets the wish to end with the parent.
    checked(prctl(PR_SET_PDEATHSIG, signal.SIGTERM), "parent's end")
    pid = forked(lambda: _init(spec))
    return Started(pid, infrastructure=(pid,))


def separate(first: int) -> None:
    """Enter a user namespace, and with it `first`, as an ordinary user; SetupFailed where that is not permitted."""
    uid, gid = os.getuid(), os.getgid()
    checked(libc().unshare(first), "user namespace")
    for name, line in (("setgroups", "deny"), ("uid_map", f"{INSIDE} {uid} 1"), ("gid_map", f"{INSIDE} {gid} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(line)


def _init(spec: dict[str, Any]) -> None:
    """Process 1: builds the root, starts the program, buries orphans, ends with the program, and all others with it."""
    checked(prctl(PR_SET_PDEATHSIG, signal.SIGKILL), "parent's end")
    checked(libc().unshare(OTHERS), "namespaces")
    socket.sethostname("sandbox")
    _loopback_up()
    mounts.build(spec["view"], spec["limits"]["scratch_bytes"])
    prctl(PR_SET_DUMPABLE, 0)  # what it holds open is not the program's business
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = forked(lambda: credentials.become(spec))
    for fd in (0, 1, 2):
        os.dup2(os.open("/dev/null", os.O_RDWR), fd)
    credentials.close_all_but()
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0x41))  # SIOCSIFFLAGS: up, running
