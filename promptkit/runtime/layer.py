"""What the layers between the journal and the provider have in common: they are providers around a provider."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.around import Around
from promptkit.types import Completion, Provider, Request


class Layer(Around):
    """A provider that passes everything on; a layer overrides complete_many()."""

    inner: Provider

    def __init__(self, inner: Provider) -> None:
        self.inner = inner

    @property
    def identity(self) -> str:
        """The provider's."""
        return self.inner.identity

    async def complete(self, request: Request, /) -> Completion:
        """One completion, by way of complete_many()."""
        (completion,) = await self.complete_many([request])
        return completion

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        """What the inner provider answers."""
        return await self.inner.complete_many(requests)

    async def aclose(self) -> None:
        """Close the provider."""
        await self.inner.aclose()
