"""The rung that most eyes have seen: Debian's bubblewrap builds the walls, ours are the limits and the filter."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

from promptkit.sandbox.inside import rlimits, seccomp
from promptkit.sandbox.inside.credentials import YIELDING
from promptkit.sandbox.inside.kernel import SetupFailed
from promptkit.sandbox.inside.started import Started, forked

OWN = 1  # its init, counted with the program's processes


def start(spec: dict[str, Any]) -> Started:
    """The program, started by bubblewrap; SetupFailed if it cannot be."""
    told, tells = os.pipe()
    held, lets_go = os.pipe()
    data = _held(spec["view"]["program"].encode()) if spec["view"]["program"] is not None else None
    filter_fd = _held(seccomp.program(network=True, ipc=True)) if spec["seccomp"] else None
    words = arguments(spec, program=data, filter_fd=filter_fd, status=tells, block=held)

    def become_bubblewrap() -> None:
        kept = [fd for fd in (data, filter_fd, tells, held) if fd is not None]
        for fd in kept:
            os.set_inheritable(fd, True)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        os.umask(0o077)
        os.execve(spec["bubblewrap"], words, {})

    pid = forked(become_bubblewrap)
    for fd in (data, filter_fd, tells, held):
        if fd is not None:
            os.close(fd)
    with open(told, encoding="ascii", closefd=False) as lines:
        line = lines.readline()
        if not line:
            os.waitpid(pid, 0)
            raise SetupFailed("bubblewrap could not build it")
        first = int(json.loads(line)["child-pid"])
    # Set while it waits, before it becomes the program: its own namespaces are already there, so that what is
    # counted for a user is counted for this sandbox alone.
    rlimits.impose(rlimits.of(spec["limits"], spec["others"] + OWN), first)
    os.setpriority(os.PRIO_PROCESS, first, min(19, os.nice(0) + YIELDING))
    os.write(lets_go, b"x")
    os.close(lets_go)
    return Started(pid, first, infrastructure=(pid, first), status=lambda code: _status(told, code))


def arguments(
    spec: dict[str, Any], *, program: int | None, filter_fd: int | None, status: int, block: int
) -> list[str]:
    """The command line of bubblewrap for a view."""
    view, size = spec["view"], str(spec["limits"]["scratch_bytes"])
    words = [spec["bubblewrap"], "--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000"]
    words += ["--hostname", "sandbox", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
    words += ["--json-status-fd", str(status), "--block-fd", str(block)]
    words += ["--perms", "1777", "--size", size, "--tmpfs", "/tmp"]
    for target, path in view["links"]:
        words += ["--symlink", target, path]
    for source, path in view["read"]:
        words += ["--ro-bind", source, path]
    for path in view["masked"]:
        words += ["--size", "4096", "--tmpfs", path, "--remount-ro", path]
    # /dev/shm and /tmp of one limited size; nothing else under /dev can be written to.
    words += ["--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev"]
    words += ["--perms", "1777", "--size", size, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
    source, path = view["workspace"]
    words += ["--bind", source, path]
    if program is not None:
        words += ["--perms", "0444", "--ro-bind-data", str(program), view["program_path"]]
    words += ["--remount-ro", "/", "--chdir", spec["cwd"]]
    for name, value in spec["env"].items():
        words += ["--setenv", name, value]
    if filter_fd is not None:
        words += ["--seccomp", str(filter_fd)]
    return [*words, "--", *spec["argv"]]


def _status(told: int, code: int) -> int | None:
    """What bubblewrap said the program ended with; None when it never came to that."""
    with open(told, encoding="ascii") as lines:
        for line in lines:
            if "exit-code" in (said := json.loads(line)):
                return int(said["exit-code"])
    return None


def _held(content: bytes) -> int:
    fd = os.memfd_create("sandbox")
    os.write(fd, content)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
