"""A run's model that embeds texts, too: such requests go to the embedding model they name, by a stack of its own.

A vector depends on its text alone. What a seed, a fork or a layer adds to every request is no part of such a call, so
that the journal answers it whoever asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from promptkit.around import Around
from promptkit.providers.remote.embedding import EMBEDDING
from promptkit.types import Completion, Model, Request


class Closing(Model, Protocol):
    """A model that stops what is under way."""

    async def aclose(self) -> None:
        """Stop it."""


class Embedding(Around):
    """A model beside which embedding models stand; `open` makes the stack of one by its name."""

    inner: Closing

    def __init__(self, inner: Closing, open: Callable[[str], Awaitable[Closing]]) -> None:
        self.inner = inner
        self._open = open
        self._opened: dict[str, Closing] = {}
        self._opening = asyncio.Lock()

    async def complete(self, request: Request, /) -> Completion:
        """The completion, of the model itself or of the one that embeds."""
        name = next((value for key, value in request.extra if key == EMBEDDING), None)
        if name is None:
            return await self.inner.complete(request)
        async with self._opening:
            if name not in self._opened:
                self._opened[name] = await self._open(name)
        texts = tuple(turn for turn in request.messages if turn.role == "user")
        return await self._opened[name].complete(Request(messages=texts, max_tokens=0, extra=((EMBEDDING, name),)))

    async def aclose(self) -> None:
        """Stop what is under way."""
        for each in (self.inner, *self._opened.values()):
            await each.aclose()
