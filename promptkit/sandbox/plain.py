"""A program on a host that is not Linux: no walls, asked for by `unsafe_host`; its time and its output are limited."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from typing import Any

from promptkit.sandbox.heard import Heard
from promptkit.sandbox.limits import Limits

TICK = 0.02  # seconds between two looks
GRACE = 2.0  # seconds for output that is still on its way when a program has ended


async def plainly(told: dict[str, Any], limits: Limits) -> tuple[dict[str, Any], Heard, Heard]:
    """A report like a keeper's, stdout and stderr; cancelled or not, the program has ended before this returns."""
    code, file = told["view"]["program"], told["view"]["program_path"]
    if code is not None:
        await asyncio.to_thread(_written, file, code)
    out, err = Heard(limits.output_bytes), Heard(limits.output_bytes)
    begun = time.monotonic()
    try:
        process = await asyncio.create_subprocess_exec(
            *told["argv"],
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            cwd=told["cwd"],
            env=told["env"],
            start_new_session=sys.platform != "win32",
        )
        ended = await _until_over(process, out, err, limits.seconds)
    except FileNotFoundError as error:
        err.take(f"{told['argv'][0]}: {error.strerror}\n".encode())
        return _report("exit", 127, 0.0), out, err
    finally:
        if code is not None:
            os.unlink(file)
    status = process.returncode or 0
    return _report(ended, status if status >= 0 else 128 - status, time.monotonic() - begun), out, err


def _written(path: str, code: str) -> None:
    with open(path, "x", encoding="utf-8") as file:
        file.write(code)


def _report(ended: str, status: int, seconds: float) -> dict[str, Any]:
    return {"status": status, "ended": ended, "seconds": seconds, "cpu_seconds": 0.0, "peak_bytes": 0}


async def _until_over(process: Process, out: Heard, err: Heard, seconds: float) -> str:
    assert process.stdout is not None
    assert process.stderr is not None
    enough = asyncio.Event()
    reading = asyncio.gather(out.listen(process.stdout, enough.set), err.listen(process.stderr, enough.set))
    deadline = time.monotonic() + seconds
    try:
        # Looked at, not waited for: wait() of some Pythons ends only with the last that holds its output open.
        while process.returncode is None and not enough.is_set() and time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(enough.wait(), TICK)
        ended = "stopped" if enough.is_set() else "timeout" if process.returncode is None else "exit"
        _end(process)
        await asyncio.wait({reading}, timeout=GRACE)  # what left its group may hold the other end for ever
        return ended
    finally:
        _end(process)
        reading.cancel()
        while process.returncode is None:  # noqa: ASYNC110 - for the same reason
            await asyncio.sleep(TICK)


def _end(process: Process) -> None:
    """End it and its group; what it started in a session of its own is out of reach without walls."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
