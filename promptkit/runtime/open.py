"""From a model's name to a provider, and from a provider to the stack a run talks to."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from promptkit import registry
from promptkit.journal import Journal
from promptkit.runtime.budgeted import Budget, Budgeted
from promptkit.runtime.journaled import Journaled
from promptkit.runtime.ledger import Nominal
from promptkit.runtime.limited import Limited
from promptkit.runtime.retried import Retried
from promptkit.types import Capabilities, Completion, Model, Provider, Request

FILES = ("llamacpp", "scripted")  # providers whose models are named by a path

_open: dict[str, Provider] = {}
_lock = threading.Lock()


def open_provider(name: str, options: Mapping[str, object] | None = None) -> Provider:
    """The provider of `provider:name`; one a process for the same name and options, so its weights load once."""
    kind, _, rest = name.partition(":")
    if kind in FILES and rest:  # a run is resumed from any folder
        rest = str(Path(rest).expanduser().absolute())
        name = f"{kind}:{rest}"
    label = f"{name} {sorted((options or {}).items())}"
    with _lock:
        if label not in _open:
            _open[label] = registry.load("provider", kind)(rest, dict(options or {}))
        return _open[label]


async def close_providers() -> None:
    """Close every provider this process has opened by name; they are opened anew when they are named again."""
    with _lock:
        providers = list(_open.values())
        _open.clear()
    for provider in providers:
        await provider.aclose()


def stack(
    provider: Provider,
    journal: Journal,
    run: str,
    budget: Budget,
    nominal: Nominal,
    *,
    concurrency: int,
    fresh: int = 0,
    replay: bool = False,
) -> Journaled:
    """The one place where the wrappers meet: Journaled(Retried(Limited(Budgeted(provider))))."""
    paid = Retried(Limited(Budgeted(provider, budget, journal, run), concurrency))
    return Journaled(paid, journal, run, nominal, replay=replay, fresh=fresh)


class Remembered:
    """A provider that only the journal remembers: enough to replay a run whose model is gone."""

    def __init__(self, name: str, identity: str, capabilities: Capabilities) -> None:
        self.id = name
        self.identity = identity
        self.capabilities = capabilities

    async def complete(self, request: Request, /) -> Completion:
        """Never: a replay makes no call."""
        raise RuntimeError("a replay made a call")

    async def complete_many(self, requests: Any, /) -> Any:
        """Never: a replay makes no call."""
        raise RuntimeError("a replay made a call")

    async def aclose(self) -> None:
        """Nothing to free."""


class Adapted:
    """Any object with `id`, `capabilities` and `complete()` as a provider."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.id = model.id
        self.identity = getattr(model, "identity", model.id)
        self.capabilities = model.capabilities

    async def complete(self, request: Request, /) -> Completion:
        """The model's completion."""
        return await self._model.complete(request)

    async def complete_many(self, requests: Any, /) -> Any:
        """One after the other: such a model has no native n."""
        return [await self._model.complete(request) for request in requests]

    async def aclose(self) -> None:
        """The model belongs to whoever made it."""


def as_provider(model: Model) -> Provider:
    """The model itself when it is a provider, else wrapped as one."""
    return model if isinstance(model, Provider) else Adapted(model)
