"""What was found out about models by asking them: kept beside the user's data, put in force when a model is opened.

One file for each model as it is named, with its options and the address they and the environment give: nothing has to
be asked to find it. It is written whole or not at all.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from promptkit import places
from promptkit.errors import BadInput, PromptkitError
from promptkit.runtime.layer import Layer
from promptkit.types import Capabilities, Provider

DECLARED = ("native_n", "json_schema", "tools", "logprobs", "images", "context")
DECLARING = ("openai", "openai-compatible")  # providers that take these as options, and send what they else refuse
ADDRESSES = {
    "groq": ("GROQ_BASE_URL",),
    "ollama": ("OLLAMA_HOST",),
    "openai": ("OPENAI_BASE_URL",),
    "openai-compatible": ("OPENAI_COMPATIBLE_BASE_URL",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What a model was found to do; `found` has capabilities by name, `told` why one is missing, in words."""

    model: str
    options: dict[str, Any]
    found: dict[str, Any]
    told: dict[str, str]
    refused: list[str]  # parameters it does not take
    identity: str
    requests: int
    at: float  # seconds since the epoch
    promptkit: str  # its version


def path_of(kind: str, rest: str, options: Mapping[str, object]) -> Path:
    """Where the probe of a model lies, whether or not there is one."""
    where = [os.environ.get(name, "").strip() for name in ADDRESSES.get(kind, ())]
    named = json.dumps([kind, rest, sorted((name, str(value)) for name, value in options.items()), where])
    return places.user_data() / "probes" / f"{hashlib.sha256(named.encode()).hexdigest()[:24]}.json"


def stored(kind: str, rest: str, options: Mapping[str, object]) -> Probe | None:
    """The probe of a model; None when it was never probed, or by a version that wrote something else."""
    try:
        body = json.loads(path_of(kind, rest, options).read_text("utf-8"))
        return Probe(**body)
    except (OSError, ValueError, TypeError):
        return None


def noted(kind: str, rest: str, options: Mapping[str, object]) -> int:
    """When the probe of a model was written, in ns; 0 when there is none."""
    try:
        return path_of(kind, rest, options).stat().st_mtime_ns
    except OSError:
        return 0


def store(kind: str, rest: str, options: Mapping[str, object], probe: Probe) -> Path:
    """Write a probe; returns where."""
    path = path_of(kind, rest, options)
    fresh = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.write_text(json.dumps(asdict(probe), indent=2) + "\n", "utf-8")
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise BadInput(f"{path}: {error.strerror or error}", hint="PROMPTKIT_HOME=/another/folder") from error
    return path


def declared(kind: str, found: Mapping[str, Any], options: Mapping[str, object]) -> dict[str, object]:
    """The options with what was found among them, for a provider that takes it so; what the user says stays."""
    if kind not in DECLARING:
        return dict(options)
    return {**{name: found[name] for name in DECLARED if found.get(name) is not None}, **options}


class Probed(Layer):
    """A model with what was found out about it over what its adapter takes it to do; never more than that can send."""

    def __init__(self, inner: Provider, probe: Probe) -> None:
        super().__init__(inner)
        self._probe, self._found = probe, probe.found
        self._stale: bool | None = None  # None: its identity was not asked for yet

    @property
    def identity(self) -> str:
        """The provider's; where it is not the probed one's, the probe is out of force."""
        identity = self.inner.identity
        self._stale = identity != self._probe.identity
        return identity

    @property
    def stale(self) -> bool:
        """Whether the probe is another model's, which had this name before; asked for now, where nothing waits."""
        if self._stale is None and not _on_a_loop():
            try:
                _ = self.identity
            except PromptkitError:  # said where it is asked something
                self._stale = False
        return bool(self._stale)

    @property
    def capabilities(self) -> Capabilities:
        """The adapter's, less what was found missing."""
        if self.stale:
            return self.inner.capabilities
        has, known = self.inner.capabilities, {field.name for field in fields(Capabilities)}
        less: dict[str, Any] = {}
        for name, value in self._found.items():
            if name not in known or value is None:
                continue
            if name == "context":
                less[name] = value if has.context is None else min(value, has.context)
            elif name == "seed":
                less[name] = bool(value)
            elif isinstance(value, bool):
                less[name] = value and bool(getattr(has, name))
            elif name == "native_n":
                less[name] = min(value, has.native_n)
        return replace(has, **less)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def _on_a_loop() -> bool:
    """Whether an event loop would be kept waiting."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
