"""How many calls may be in flight at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from promptkit.runtime.layer import Layer
from promptkit.types import Completion, Provider, Request


class Limited(Layer):
    """Lets at most `concurrency` calls through at a time, in the order they come."""

    def __init__(self, inner: Provider, concurrency: int) -> None:
        super().__init__(inner)
        self._slots = asyncio.Semaphore(concurrency)

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        """The completions, when a slot is free."""
        async with self._slots:
            return await self.inner.complete_many(requests)
