"""What there is to say about this machine's sandbox, for `promptkit doctor` and a run's journal."""

from __future__ import annotations

from typing import Any

from promptkit.errors import SandboxMissing
from promptkit.sandbox.certificate import CLAIMS
from promptkit.sandbox.promise import held_by
from promptkit.sandbox.rungs import INSTALL, Rungs, available


def facts(rungs: Rungs | None = None) -> dict[str, Any]:
    """JSON-able: `rung` that a program would get (None: refused), `lacks` by claim, `problems` by rung, `mend`."""
    found = available() if rungs is None else rungs
    told: dict[str, Any] = {"rung": None, "version": "", "lacks": [], "problems": found.problems, "mend": ""}
    try:
        rung = found.best()
    except SandboxMissing as error:
        return told | {"lacks": list(CLAIMS), "mend": error.hint.splitlines()[0]}
    lacks = [claim for claim in CLAIMS if claim not in held_by(rung)]
    return told | {"rung": rung.name, "version": rung.version, "lacks": lacks, "mend": INSTALL if lacks else ""}
