"""Running a program from a strategy: in the sandbox, and in a run once only, whatever is resumed or replayed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from promptkit.events import ProgramEnded, emit
from promptkit.runtime import executed
from promptkit.runtime.executed import Asked

if TYPE_CHECKING:
    from promptkit.sandbox import Limits, Ran


async def execute(
    program: str | Sequence[str],
    *,
    files: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    unsafe_host: bool = False,
) -> Ran:
    """What became of Python code (a text) or a command (words) in a folder with these files; SandboxMissing if none."""
    from promptkit.sandbox import Limits

    words = program if isinstance(program, str) else tuple(program)
    asked = Asked(words, limits or Limits(), files or {}, env or {}, unsafe_host)
    here = executed.executions()
    key, ran, cached = await here.have(asked) if here else ("", await executed.run(asked), False)
    emit(ProgramEnded(key, ran.ended, ran.status, ran.seconds, cached, str(ran.certificate)))
    return ran


async def sandboxed(*, unsafe_host: bool = False) -> None:
    """SandboxMissing where none could be run as promised: known before anything is paid for. A replay runs none."""
    here = executed.executions()
    if unsafe_host or (here and (here.replaying or here.resumed)):
        return
    from promptkit.sandbox import available, ready

    ready(await asyncio.to_thread(available))
