"""What a rung promises for a run, before it begins: the keeper starts nothing unless every layer stands."""

from __future__ import annotations

import platform
from typing import Any

from promptkit.sandbox.certificate import CLAIMS, Certificate
from promptkit.sandbox.limits import Limits
from promptkit.sandbox.sent import Rung, refused_system
from promptkit.sandbox.view import View

NO_FILTER = "no seccomp filter for this kernel or processor"
NO_NAMESPACES = "no namespaces here"
CAME_THROUGH = "a first program came through on this machine"
NOT_COUNTED = "the kernel was not seen to count them here"
IN_A_NAMESPACE = {
    "read-only system": "mount namespace",
    "files unseen": "mount namespace",
    "no network": "network namespace",
    "no host sockets": "mount and network namespace",
    "own processes": "process namespace",
    "ends whole": "process namespace",
    "counted processes": "user namespace and RLIMIT_NPROC",
    "own memory segments": "IPC namespace",
}


def certificate(rung: Rung, seen: View, limits: Limits, told: dict[str, Any]) -> Certificate:
    """The certificate of a run on `rung` that did begin."""
    holds = held_by(rung)
    return Certificate(
        rung=rung.name,
        kernel=platform.release(),
        layers=_layers(rung),
        holds=holds,
        missing=missing(rung),
        limits=_limits(rung, limits, counted="counted processes" in holds),
        read=() if rung.name == "host" else tuple(path for _, path in seen.read),
        tried=rung.held if rung.namespaces else (),
        write=(told["cwd"], f"{told['env']['TMPDIR']} (private)") if rung.namespaces else (told["cwd"],),
    )


def _layers(rung: Rung) -> tuple[str, ...]:
    if rung.name == "host":
        return ()
    namespaces = ("namespaces",) if rung.namespaces else ()
    first = (f"bubblewrap {rung.version}",) if rung.name == "bubblewrap" else namespaces
    landlock = (f"Landlock {rung.landlock}",) if rung.landlock else ()
    return (*first, *landlock, *(("seccomp",) if rung.seccomp else ()))


def held_by(rung: Rung) -> dict[str, str]:
    """Each claim that `rung` makes, and what makes it hold."""
    if rung.name == "host":
        return {}
    if rung.namespaces:
        held = dict(IN_A_NAMESPACE)
        if rung.landlock:
            held |= {claim: f"{held[claim]}, Landlock" for claim in ("read-only system", "files unseen")}
    else:
        held = {"read-only system": "Landlock", "files unseen": "Landlock", "ends whole": "swept up by the keeper"}
        if rung.seccomp:  # it refuses to make a socket at all, or a segment
            held |= dict.fromkeys(("no network", "no host sockets", "own memory segments"), "seccomp")
    if "counted processes" not in rung.held:
        held.pop("counted processes", None)
    held |= {"system calls filtered": "seccomp"} if rung.seccomp else {}
    return {claim: how for claim, how in held.items() if claim not in rung.open}


def missing(rung: Rung) -> dict[str, str]:
    """Each claim that `rung` does not make, and why."""
    holds = held_by(rung)
    return {claim: _why(rung, claim) for claim in CLAIMS if claim not in holds}


def _why(rung: Rung, claim: str) -> str:
    if rung.name == "host":
        return "it runs on the host"
    if claim in rung.open:
        return CAME_THROUGH
    if claim == "counted processes" and rung.namespaces:
        return NOT_COUNTED
    return NO_FILTER if claim == "system calls filtered" or not rung.seccomp else NO_NAMESPACES


def _limits(rung: Rung, limits: Limits, *, counted: bool) -> dict[str, dict[str, Any]]:
    kernel, watch = "kernel", "watch"
    by = {
        "seconds": watch,
        "cpu_seconds": f"{kernel} for each process, {watch} for all",
        "memory": f"{kernel} for each process, {watch} for all",
        "processes": f"{kernel}, {watch}" if counted else watch,
        "open_files": kernel,
        "file_bytes": kernel,
        "disk_bytes": watch,
        "disk_files": watch,
        "scratch_bytes": kernel,
        "output_bytes": "reader",
    }
    if not rung.namespaces:
        del by["scratch_bytes"]  # there is none
    if refused_system():
        by = {name: by[name] for name in ("seconds", "output_bytes")}
    return {name: {"value": getattr(limits, name), "by": how} for name, how in by.items()}
