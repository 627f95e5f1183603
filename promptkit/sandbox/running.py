"""Running a program that nobody has looked at: found a rung, refused or run, and what became of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from promptkit.errors import SandboxMissing
from promptkit.sandbox.kept import kept
from promptkit.sandbox.lent import take_back
from promptkit.sandbox.limits import Limits
from promptkit.sandbox.plain import plainly
from promptkit.sandbox.promise import certificate, missing
from promptkit.sandbox.ran import Ran
from promptkit.sandbox.rungs import HOST, INSTALL, Rungs, available
from promptkit.sandbox.scratch import made, removed
from promptkit.sandbox.sent import Rung, refused_system, spec
from promptkit.sandbox.view import view

DEFAULT = Limits()
# A command that is not there, as shells say it.
NOT_THERE = {"status": 127, "ended": "exit", "seconds": 0.0, "cpu_seconds": 0.0, "peak_bytes": 0}


async def run(
    program: str | Sequence[str],
    *,
    workspace: str | Path | None = None,
    limits: Limits = DEFAULT,
    env: Mapping[str, str] | None = None,
    readable: Iterable[str | Path] = (),
    packages: bool = False,
    rung: str | None = None,
    strict: bool = True,
    unsafe_host: bool = False,
    rungs: Rungs | None = None,
) -> Ran:
    """What became of Python code (a text) or a command (words); SandboxMissing when it cannot be held as promised."""
    folder = workspace if workspace is not None else made()
    try:
        return await _in(folder, program, limits, env or {}, readable, packages, rung, strict, unsafe_host, rungs)
    finally:
        if workspace is None:  # off the loop: it may hold thousands of entries
            await asyncio.shield(asyncio.to_thread(removed, str(folder)))


async def _in(
    workspace: str | Path,
    program: str | Sequence[str],
    limits: Limits,
    env: Mapping[str, str],
    readable: Iterable[str | Path],
    packages: bool,
    rung: str | None,
    strict: bool,
    unsafe_host: bool,
    rungs: Rungs | None,
) -> Ran:
    chosen = await _chosen(rungs, rung, unsafe_host=unsafe_host)
    seen = view(workspace, readable, packages=packages)
    told = spec(chosen, program, seen, limits, env)
    held = certificate(chosen, seen, limits, told)
    if strict and not unsafe_host:
        _refuse(chosen)
    owner = os.stat(seen.workspace[0]).st_uid
    try:
        report, out, err = await (plainly if refused_system() else kept)(told, limits)
    finally:
        take_back(seen.workspace[0], owner)
    if "failed" in report and err.text().startswith("bwrap: execvp "):
        report = NOT_THERE  # every wall stood; bubblewrap counts this as its own failure
    if "failed" in report:
        said = " ".join(err.text().split())[:300]
        because = f"{report['failed']}: {said}" if said else report["failed"]
        raise SandboxMissing(f"the sandbox could not be built: {because}", hint=f"{INSTALL}\n{HOST}")
    cut = out.cut or err.cut
    return Ran(
        status=report["status"],
        # Stopped by this side: it wrote too much, or its keeper lost count of time.
        ended={"stopped": "output" if cut else "timeout"}.get(report["ended"], report["ended"]),
        stdout=out.text(),
        stderr=err.text(),
        cut=cut,
        seconds=report["seconds"],
        cpu_seconds=report["cpu_seconds"],
        peak_bytes=report["peak_bytes"],
        certificate=held,
    )


def ready(rungs: Rungs) -> None:
    """SandboxMissing where run() would refuse every program; none is run."""
    _refuse(rungs.best())


def _refuse(rung: Rung) -> None:
    if lacking := missing(rung):
        lacks = "; ".join(f"{claim} ({why})" for claim, why in lacking.items())
        loose = "or accept what there is, and read in the certificate what it is: strict=False"
        raise SandboxMissing(f"this sandbox would not hold everything: {lacks}", hint=f"{INSTALL}\n{loose}\n{HOST}")


async def _chosen(rungs: Rungs | None, want: str | None, *, unsafe_host: bool) -> Rung:
    if unsafe_host:
        return Rung("host", namespaces=False)
    # The trial is a subprocess of a fifth of a second: not on the loop.
    found = rungs if rungs is not None else await asyncio.to_thread(available)
    return found.best(want)
