"""From a model's name to a provider, and from a provider to the stack a run talks to."""

from __future__ import annotations

import inspect
import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

from promptkit import keys, registry
from promptkit.errors import BadInput, KeyMissing, PromptkitError
from promptkit.journal import Journal
from promptkit.places import FILE_MODELS
from promptkit.redaction import redacted
from promptkit.runtime import probes
from promptkit.runtime.budgeted import Budget, Budgeted
from promptkit.runtime.fallback import Chain, Fallback, chain
from promptkit.runtime.fitted import Fitted
from promptkit.runtime.journaled import Journaled
from promptkit.runtime.ledger import Nominal
from promptkit.runtime.limited import Limited
from promptkit.runtime.retried import ATTEMPTS, DEADLINE, Retried
from promptkit.runtime.thinking_room import Roomy
from promptkit.types import Capabilities, Completion, Model, Provider, Request

_KIND = re.compile(r"[a-z][a-z0-9_-]*")

_open: dict[str, Provider] = {}
_lock = threading.Lock()


def open_provider(name: str, options: Mapping[str, object] | None = None) -> Provider:
    """The provider of `provider:name`; one a process for the same name and options, so its weights load once.

    Several names with commas between them are models that stand in for each other, the favourite first; an option
    for one of them is given as `provider.option`.
    """
    if len(names := split(name)) > 1:
        return chain([_one_of(names, each, options or {}) for each in names])
    kind, rest = parted(name)
    name = f"{kind}:{rest}" if rest else name
    given = sorted((options or {}).items())
    probed = probes.noted(kind, rest, options or {})  # a probe counts at once
    label = f"{os.getpid()} {name} {given} {probed}"  # what a fork inherits has lost its threads
    with _lock:
        if label not in _open:
            _open[label] = _opened(kind, rest, dict(options or {}))
        return _open[label]


def parted(name: str) -> tuple[str, str]:
    """The provider of a model's name, and what follows the colon; a file by its whole path: a run goes on anywhere."""
    kind, _, rest = name.partition(":")
    if kind in FILE_MODELS and rest and not rest.startswith("hf://"):
        rest = str(Path(rest).expanduser().absolute())
    return kind, rest


def split(names: str) -> list[str]:
    """The models of a list. A comma may be part of a file's name: what follows it then names no provider."""
    found: list[str] = []
    for piece in names.split(","):
        kind, colon, _ = piece.strip().partition(":")
        named = bool(_KIND.fullmatch(kind)) and (colon or kind in registry.names("provider"))
        if found and not named and found[-1].partition(":")[0] in FILE_MODELS:
            found[-1] += f",{piece}"
        else:
            found.append(piece.strip() if named or found else piece)
    if any(not each or each.rstrip().endswith(",") for each in found) and "," in names:
        raise BadInput(f"a model is missing in the list {names!r}", hint="-m groq:llama-3.3-70b-versatile,builtin")
    return found


def _one_of(names: Sequence[str], name: str, options: Mapping[str, object]) -> Provider:
    """A model of a list; when an option for all of them is not for this one, the error says how to name whose it is."""
    try:
        return open_provider(name, meant_for(name, options))
    except BadInput as error:
        named = set(re.findall(r"\w+", error.message))
        shared = [option for option in options if option in named]
        others = dict.fromkeys(kind for each in names if (kind := _kind(each)) != _kind(name))
        if not (shared and others):
            raise
        hints = [f"or for one of the list: -o {kind}.{option}=…" for option in shared for kind in others]
        raise BadInput(error.message, hint="\n".join([error.hint, *hints])) from None


def meant_for(name: str, options: Mapping[str, object]) -> dict[str, object]:
    """The options of one model of a list: those with its provider in front, and those with none."""
    parted = [(option.rpartition("."), value) for option, value in options.items()]
    return {option: value for (kind, _, option), value in parted if kind in ("", _kind(name))}


def _kind(name: str) -> str:
    return name.partition(":")[0]


def _refuse_keys(kind: str, rest: str, options: Mapping[str, object]) -> None:
    """BadInput when a key was given where a name or an option belongs: both are written to the journal."""
    if kind in (*FILE_MODELS, "builtin"):
        return
    with suppress(KeyMissing):  # a file of keys that cannot be used is told of when a key is needed
        keys.find(kind)
    if any(redacted(text) != text for text in (rest, *map(str, options.values()))):
        told = f"{kind}: a key is no model's name and no option: those are written to the journal"
        raise BadInput(told, hint=f"promptkit keys set {kind}")


def _opened(kind: str, rest: str, options: dict[str, object]) -> Provider:
    probe = probes.stored(kind, rest, options)
    provider = open_fresh(kind, rest, probes.declared(kind, probe.found, options) if probe else options)
    return probes.Probed(provider, probe) if probe else provider


def open_fresh(kind: str, rest: str, options: dict[str, object]) -> Provider:
    """A provider of its own, as its adapter knows it: no probe is in force over it, and the caller closes it."""
    _refuse_keys(kind, rest, options)
    opener, plugin = registry.load("provider", kind), registry.plugin("provider", kind)
    if plugin is None:
        ours: Provider = opener(rest, options)
        return ours
    try:
        theirs = opener(rest, options)
    except PromptkitError:
        raise
    except Exception as error:
        raise plugin.broken(f"{type(error).__name__}: {error}") from error
    if not isinstance(theirs, Model):
        raise plugin.broken(f"it opens a {type(theirs).__name__}, and a model has id, capabilities and complete()")
    return as_provider(theirs)


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
    attempts: int = ATTEMPTS,
    deadline: float = DEADLINE,
    fresh: int = 0,
    replay: bool = False,
) -> Roomy:
    """Where the wrappers meet: Roomy(Journaled(Fitted(Retried(Limited(Budgeted(provider))))))."""
    paced = Limited(Budgeted(provider, budget, journal, run), concurrency, provider, patience=deadline, run=run)
    paid = Fitted(Retried(paced, attempts, deadline, run=run))
    return Roomy(Journaled(paid, journal, run, nominal, replay=replay, fresh=fresh))


def stacks(
    provider: Provider, pack: str, journal: Journal, run: str, budget: Budget, nominal: Nominal, **how: Any
) -> Roomy | Fallback:
    """What a run talks to: the provider's stack, or one stack for each model of a list that the pack is for."""
    if not isinstance(provider, Chain):
        return stack(provider, journal, run, budget, nominal, **how)
    models = [stack(each, journal, run, budget, nominal, **how) for each in provider.for_pack(pack)]
    return Fallback(provider.id, provider.capabilities, models)


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


@runtime_checkable
class LangChainChatModel(Protocol):
    """A chat model of LangChain's, known by its methods: no import of LangChain is needed to tell."""

    @property
    def bind_tools(self) -> Callable[..., Any]:
        """What tells it from any other Runnable."""

    @property
    def astream(self) -> Callable[..., Any]:
        """How it is asked."""


def as_provider(model: Model | LangChainChatModel) -> Provider:
    """The model itself when it is a provider, else wrapped as one."""
    # Before Python 3.12 isinstance() of a protocol would look `identity` up, which may ask a server.
    if all(inspect.getattr_static(model, name, None) is not None for name in ("identity", "complete_many", "aclose")):
        return cast(Provider, model)
    if isinstance(model, Model):
        return Adapted(model)
    if not callable(getattr(model, "astream", None)):
        kind = f"{'an' if type(model).__name__[0] in 'aeiouAEIOU' else 'a'} {type(model).__name__}"
        hint = 'a name such as "builtin", or what has id, capabilities and complete()'
        raise BadInput(f"{kind} is no model", hint=hint)
    from promptkit.providers.langchain import from_langchain  # whoever has such a model has loaded LangChain

    return from_langchain(model)
