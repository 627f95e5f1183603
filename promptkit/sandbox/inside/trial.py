"""A trial of the walls: what this kernel has, and for each rung which attempts of a first program were refused."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import uuid
from typing import Any

from promptkit.sandbox.inside import keeper, landlock, seccomp

TOO_OLD = "it is too old: 0.8 or newer is needed"


def main() -> None:
    """Read specs by rung from stdin; one JSON object with what was found is the answer."""
    asked = json.load(sys.stdin)
    found: dict[str, Any] = {"landlock": landlock.abi(), "seccomp": seccomp.available(), "version": ""}
    found |= {"problems": {}, "held": {}, "open": {}}
    if asked["bubblewrap"]:
        found["version"] = _said(asked["bubblewrap"], "--version").removeprefix("bubblewrap").strip()
    with socket.socket(socket.AF_UNIX) as listening:
        name = f"promptkit-{uuid.uuid4().hex}"
        listening.bind(f"\0{name}")
        listening.listen()
        host = {kind: os.readlink(f"/proc/self/ns/{kind}") for kind in ("net", "pid", "ipc")} | {"socket": name}
        for rung, spec in asked["specs"].items():
            if rung == "bubblewrap" and "--size" not in _said(spec["bubblewrap"], "--help"):
                found["problems"][rung] = TOO_OLD
                continue
            spec |= {"landlock": found["landlock"] if rung == "landlock" else 0}
            spec |= {"seccomp": found["seccomp"], "parent": os.getpid()}
            spec["env"]["HOST"] = json.dumps(host)
            problem, tried = _tried(spec)
            if problem:
                found["problems"][rung] = problem
            found["held"][rung] = [claim for claim, came_through in tried.items() if not came_through]
            found["open"][rung] = [claim for claim, came_through in tried.items() if came_through]
    print(json.dumps(found))


def _said(path: str, flag: str) -> str:
    try:
        return subprocess.run([path, flag], capture_output=True, text=True, timeout=5, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _tried(spec: dict[str, Any]) -> tuple[str, dict[str, bool]]:
    """Why the program did not come to its end behind these walls ("" when it did), and what came through where."""
    ear, mouth = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, keeper.HEARD)
        for fd in (1, 2):
            os.dup2(mouth, fd)
        try:
            report = keeper.kept(spec)
            fine = report["status"] == 0 or report["ended"] == "processes"  # not counted: a rung all the same
            said = "" if fine else f"a first program failed: {report}"
        except Exception as error:
            said = str(error) or type(error).__name__
        os.write(mouth, said.encode(errors="replace"))
        os._exit(0)
    os.close(mouth)
    with open(ear, encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()  # ends when everything that could write to it has ended
    os.waitpid(pid, 0)
    tried = dict(json.loads(line) for line in lines if line.startswith("["))
    said = " ".join(" ".join(line for line in lines if not line.startswith("[")).split())
    return said[:300], tried
