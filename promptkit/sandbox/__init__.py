"""Programs that nobody has looked at, run where they can do no harm: no Docker, no privilege, and never without walls.

running.py      the one verb; ran.py, certificate.py: what it gives; limits.py: what may be used
rungs.py        what this machine has to hold a program with; promise.py: what each rung promises
view.py         what of the disk is seen; sent.py: all of a run as one JSON object
kept.py         the process beside a program, heard.py: what it writes; inside/: what happens there
lent.py         a workspace given back to its owner; scratch.py: a folder for one program
plain.py        a host that is not Linux; described.py: what there is to say about this machine
"""

from __future__ import annotations

TYPE_CHECKING = False  # nothing is loaded here: the process beside a program imports only what lies in inside/

if TYPE_CHECKING:
    from typing import Any

    from promptkit.sandbox.certificate import CLAIMS, Certificate
    from promptkit.sandbox.described import facts
    from promptkit.sandbox.limits import Limits
    from promptkit.sandbox.ran import Ran
    from promptkit.sandbox.rungs import Rungs, available
    from promptkit.sandbox.running import ready, run

_HOMES = {
    "CLAIMS": "certificate",
    "Certificate": "certificate",
    "Limits": "limits",
    "Ran": "ran",
    "Rungs": "rungs",
    "available": "rungs",
    "facts": "described",
    "ready": "running",
    "run": "running",
}

__all__ = ["CLAIMS", "Certificate", "Limits", "Ran", "Rungs", "available", "facts", "ready", "run"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'promptkit.sandbox' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f"promptkit.sandbox.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
