"""Winding up in peace: who cancels a run may do so again and again (anyio does, at every step of the loop)."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")

# A notebook's kernel hears of the stop button in a callback, and nothing wakes its loop for it: we do, now and then.
_WAKE_UP = 0.1


async def cancelled_once(work: Coroutine[Any, Any, T]) -> T:
    """The result of the work. It hears of the first cancellation only, and is always awaited to its end."""
    task = asyncio.ensure_future(work)
    try:
        while "ipykernel" in sys.modules and not task.done():
            await asyncio.wait({task}, timeout=_WAKE_UP)
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.cancel()
        await ended(task)
        if task.cancelled():
            raise
        return task.result()  # it came too late: the work had ended


async def ended(task: asyncio.Task[Any]) -> None:
    """Return when the task has ended, however; a cancellation meanwhile reaches neither."""
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # seen
