"""What held while a program ran: said of every run, and kept with its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CLAIMS = {
    "read-only system": "nothing outside the workspace can be changed",
    "files unseen": "no file of the host can be read but the system, the interpreter and what was named",
    "no network": "no address can be reached, the host's own included",
    "no host sockets": "no unix socket of the host can be reached, named or abstract",
    "own processes": "no process outside can be seen or signalled",
    "ends whole": "nothing that it started outlives it",
    "counted processes": "the kernel makes no more of them than allowed: a fork bomb ends there",
    "own memory segments": "no System V or POSIX queue, semaphore or segment is shared with the host",
    "system calls filtered": "tracing, keys, BPF, io_uring, new namespaces and exotic sockets are refused",
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """Which rung a program ran on, what held and how, what did not and why; JSON-able, alike for like runs."""

    rung: str  # bubblewrap, landlock or host
    kernel: str
    layers: tuple[str, ...]
    holds: Mapping[str, str]  # a claim and what makes it hold
    missing: Mapping[str, str]  # a claim and why it does not hold
    limits: Mapping[str, Mapping[str, Any]]  # value, and by what it is held
    read: tuple[str, ...] = field(default=())  # what it could read, as it saw it
    write: tuple[str, ...] = field(default=())
    tried: tuple[str, ...] = field(default=())  # claims that a first program tested on this machine, in vain

    @property
    def whole(self) -> bool:
        """Whether every claim holds."""
        return not self.missing

    def __str__(self) -> str:
        if self.rung == "host":
            return "not sandboxed: it ran on the host"
        lacks = "".join(f"; does not hold: {claim} ({why})" for claim, why in self.missing.items())
        return f"sandboxed by {', '.join(self.layers)}{lacks}"
