"""A trial of the walls: what this kernel has, and for each rung whether a program came to its end behind it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any

from promptkit.sandbox.inside import keeper, landlock, seccomp

TOO_OLD = "it is too old: 0.8 or newer is needed"


def main() -> None:
    """Read specs by rung from stdin; one JSON object with what was found is the answer."""
    asked = json.load(sys.stdin)
    found: dict[str, Any] = {"landlock": landlock.abi(), "seccomp": seccomp.available(), "problems": {}, "version": ""}
    if asked["bubblewrap"]:
        found["version"] = _said(asked["bubblewrap"], "--version").removeprefix("bubblewrap").strip()
    for name, spec in asked["specs"].items():
        if name == "bubblewrap" and "--size" not in _said(spec["bubblewrap"], "--help"):
            found["problems"][name] = TOO_OLD
        elif problem := _problem({**spec, "landlock": 0, "seccomp": found["seccomp"], "parent": os.getpid()}):
            found["problems"][name] = problem
    print(json.dumps(found))


def _said(path: str, flag: str) -> str:
    try:
        return subprocess.run([path, flag], capture_output=True, text=True, timeout=5, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _problem(spec: dict[str, Any]) -> str:
    """Why a program does not come to its end behind these walls; "" when it does."""
    ear, mouth = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, keeper.HEARD)
        for fd in (1, 2):
            os.dup2(mouth, fd)
        try:
            report = keeper.kept(spec)
            said = "" if report["status"] == 0 else f"a program that does nothing failed: {report}"
        except Exception as error:
            said = str(error) or type(error).__name__
        os.write(mouth, said.encode(errors="replace"))
        os._exit(0)
    os.close(mouth)
    with open(ear, encoding="utf-8", errors="replace") as file:
        said = file.read()
    os.waitpid(pid, 0)
    return " ".join(said.split())[:300]
