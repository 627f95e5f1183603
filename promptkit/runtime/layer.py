"""What the layers between the journal and the provider have in common: they are providers around a provider."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.types import Capabilities, Completion, Provider, Request


class Layer:
    """A provider that passes everything on; a layer overrides complete_many()."""

    def __init__(self, inner: Provider) -> None:
        self.inner = inner

    @property
    def id(self) -> str:
        """The provider's."""
        return self.inner.id

    @property
    def capabilities(self) -> Capabilities:
        """The provider's."""
        return self.inner.capabilities

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
