"""The process beside a program: begun, listened to, and ended in any case."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from typing import Any

from promptkit.sandbox.heard import Heard
from promptkit.sandbox.limits import Limits
from promptkit.sandbox.sent import keeper

LATE = 30.0  # seconds beyond a program's time, for a busy machine, until its keeper is told to stop
GRACE = 2.0  # … and then to do so


async def kept(told: dict[str, Any], limits: Limits) -> tuple[dict[str, Any], Heard, Heard]:
    """The keeper's report, stdout and stderr; cancelled or not, all it started has ended before this returns."""
    ear, mouth = os.pipe()
    try:
        process = await _begun(told, mouth)
        os.set_blocking(ear, False)
        out, err = Heard(limits.output_bytes), Heard(limits.output_bytes)
        await _until_over(process, out, err, limits.seconds + LATE)
        return _report(ear), out, err
    finally:
        os.close(ear)


async def _begun(told: dict[str, Any], mouth: int) -> Process:
    asked = os.memfd_create("promptkit-sandbox")
    try:
        _write(asked, json.dumps(told).encode())
        words = [*keeper(), str(asked), str(mouth)]
        # A session of its own: Ctrl-C in a terminal is for promptkit, which ends this in its turn.
        return await asyncio.create_subprocess_exec(
            *words,
            pass_fds=(asked, mouth),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
            cwd="/",
            env={},
        )
    finally:
        os.close(asked)
        os.close(mouth)


def _write(fd: int, content: bytes) -> None:
    with open(fd, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(fd, 0, os.SEEK_SET)


async def _until_over(process: Process, out: Heard, err: Heard, patience: float) -> None:
    def stop() -> None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)

    def kill() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    assert process.stdout is not None
    assert process.stderr is not None
    over = asyncio.gather(out.listen(process.stdout, stop), err.listen(process.stderr, stop), process.wait())
    cancelled: asyncio.CancelledError | None = None
    for seconds, push in ((patience, stop), (GRACE, kill), (GRACE, over.cancel)):
        try:
            await asyncio.wait({over}, timeout=seconds)
        except asyncio.CancelledError as error:
            cancelled = error
        if over.done():
            break
        push()
    if cancelled is not None:
        raise cancelled


def _report(ear: int) -> dict[str, Any]:
    try:
        said = os.read(ear, 1 << 16)
    except BlockingIOError:  # something else still holds the other end
        said = b""
    return dict(json.loads(said)) if said else {"failed": "its keeper was ended from outside"}
