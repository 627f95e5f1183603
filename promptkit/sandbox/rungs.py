"""What this machine has to hold a program with: tried once a process, by running one."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from promptkit.errors import SandboxMissing
from promptkit.sandbox.limits import Limits
from promptkit.sandbox.sent import Rung, keeper, refused_system, spec
from promptkit.sandbox.view import view

_TRYING = threading.Lock()
PATIENCE = 60.0  # seconds for the trial, on a busy machine; it takes a fifth of one
INSTALL = "apt install bubblewrap"
HOST = "or let it run on this machine as it is, if you trust it: --unsafe-host (in Python: unsafe_host=True)"


@dataclass(frozen=True, slots=True)
class Rungs:
    """The rungs that stood a trial, and why the others did not: `problems` by name; JSON-able."""

    bubblewrap: Rung | None
    landlock: Rung | None  # whole, or what is left of it without namespaces
    problems: dict[str, str]
    kernel: str

    def best(self, want: str | None = None) -> Rung:
        """The first rung that can be had, or the one named `want`; SandboxMissing says what to install."""
        for rung in (self.bubblewrap, self.landlock):
            if rung is not None and want in (None, rung.name):
                return rung
        said = "; ".join(f"{name}: {why}" for name, why in self.problems.items() if want in (None, name))
        if why := refused_system():
            raise SandboxMissing(f"there is no sandbox here: {why}", hint=f"{_elsewhere()}\n{HOST}")
        raise SandboxMissing(f"there is no sandbox here: {said or f'no rung {want!r}'}", hint=f"{INSTALL}\n{HOST}")


def _elsewhere() -> str:
    if sys.platform == "win32":
        return "wsl --install, and run promptkit in there (WSL 2), or run it on a Linux machine"
    return "run promptkit on a Linux machine, or in a virtual machine with Linux"


def available() -> Rungs:
    """What held in a trial of each rung, done once a process: a fifth of a second, a few processes, no network."""
    if why := refused_system():
        return Rungs(None, None, {"bubblewrap": why, "landlock": why}, platform.release())
    with _TRYING:  # eight programs that begin at once share one trial
        return _found()


@cache
def _found() -> Rungs:
    path = shutil.which("bwrap") or ""
    with tempfile.TemporaryDirectory(prefix="promptkit-") as folder:
        seen, limits = view(folder, (), packages=False), Limits(seconds=20, processes=8)
        both = (Rung("bubblewrap", bubblewrap=path), Rung("landlock"))
        first = Path(__file__).with_name("inside").joinpath("probes.py").read_text("utf-8")
        tried = {rung.name: spec(rung, first, seen, limits, {}) for rung in both if path or rung.name != "bubblewrap"}
        found = _tried(tried, path)
    problems: dict[str, str] = found["problems"]
    if not path:
        problems["bubblewrap"] = "not installed"
    seccomp, abi = found["seccomp"], found["landlock"]
    bubblewrap = landlock = None
    if "bubblewrap" not in problems:
        bubblewrap = _probed(Rung("bubblewrap", seccomp=seccomp, bubblewrap=path, version=found["version"]), found)
    if "landlock" not in problems:
        landlock = _probed(Rung("landlock", landlock=abi, seccomp=seccomp), found)
    elif abi:
        landlock = Rung("landlock", namespaces=False, landlock=abi, seccomp=seccomp)
    return Rungs(bubblewrap, landlock, problems, platform.release())


def _probed(rung: Rung, found: dict[str, Any]) -> Rung:
    return replace(rung, held=tuple(found["held"][rung.name]), open=tuple(found["open"][rung.name]))


def _tried(specs: dict[str, Any], bubblewrap: str) -> dict[str, Any]:
    asked = json.dumps({"specs": specs, "bubblewrap": bubblewrap})
    try:
        done = subprocess.run(
            keeper("trial"), input=asked, capture_output=True, text=True, timeout=PATIENCE, cwd="/", env={}
        )
        return dict(json.loads(done.stdout))
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        why = f"the trial gave no answer ({type(error).__name__}, {sys.executable})"
        return {
            "problems": dict.fromkeys(specs, why),
            "landlock": 0,
            "seccomp": False,
            "version": "",
            "held": {},
            "open": {},
        }
