"""A first program behind new walls, before any other: it tries each, and says which let it through.

Every attempt is harmless where it succeeds; the forks are few, and end with the program, as what it leaves behind must.
"""

import contextlib
import ctypes
import json
import os
import signal
import socket
from collections.abc import Callable

HOST = json.loads(os.environ["HOST"])  # the host's namespaces by kind, and a socket that listens there
MANY = 24  # three times the limit of a trial


def writes_into_the_system() -> None:
    os.close(os.open("/usr/promptkit-was-here", os.O_CREAT | os.O_WRONLY))
    os.unlink("/usr/promptkit-was-here")


def reads_a_file_of_the_host() -> None:
    os.close(os.open("/etc/passwd", os.O_RDONLY))


def sees_the_hosts_network() -> None:
    if os.readlink("/proc/self/ns/net") != HOST["net"]:
        raise PermissionError
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM):
        pass


def talks_to_the_host() -> None:
    with socket.socket(socket.AF_UNIX) as reaching:
        reaching.connect("\0" + HOST["socket"])


def sees_processes_of_the_host() -> None:
    if os.readlink("/proc/self/ns/pid") != HOST["pid"] and max(_processes()) < 10:
        raise PermissionError


def shares_memory_segments() -> None:
    if os.readlink("/proc/self/ns/ipc") != HOST["ipc"]:
        raise PermissionError


def makes_a_namespace() -> None:
    if ctypes.CDLL(None).unshare(0x10000000) != 0:
        raise PermissionError


def forks_without_end() -> None:
    for _ in range(MANY):
        if os.fork() == 0:
            signal.pause()


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


TRIES: dict[str, Callable[[], None]] = {
    "read-only system": writes_into_the_system,
    "files unseen": reads_a_file_of_the_host,
    "no network": sees_the_hosts_network,
    "no host sockets": talks_to_the_host,
    "own processes": sees_processes_of_the_host,
    "own memory segments": shares_memory_segments,
    "system calls filtered": makes_a_namespace,
    "counted processes": forks_without_end,  # last: it may be ended for it
}

for claim, attempt in TRIES.items():
    came_through = False
    with contextlib.suppress(OSError):
        attempt()
        came_through = True
    print(json.dumps([claim, came_through]), flush=True)
