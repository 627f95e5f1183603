"""What an Ollama says of a model it has: its digest, what it can do, and its context."""

from __future__ import annotations

import asyncio
import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from promptkit.errors import PromptkitError, Transient, Unreachable
from promptkit.providers.ollama_api.address import full_name

DEFAULT_CONTEXT = 4096  # Ollama's own on most machines; more where there is much GPU memory
_NUM_CTX = re.compile(r"^num_ctx\s+(\d+)\s*$", re.M)


@dataclass(frozen=True, slots=True)
class Installed:
    """A model as Ollama has it now."""

    digest: str
    abilities: frozenset[str] | None  # None: an Ollama too old to tell
    context: int  # tokens, prompt and reply together
    sure: bool  # the context is the one in force; else the best guess before the model is loaded
    trained: int | None = None  # the largest context it was trained for


def look_up(client: Any, name: str, num_ctx: int | None) -> Installed:
    """The model as `client`'s Ollama has it; the SDK's errors pass through."""
    wanted = full_name(name)
    digest = next((each.digest for each in client.list().models if full_name(each.model or "") == wanted), None)
    shown = client.show(name)
    if not digest:  # a model of the cloud is not listed by every Ollama
        told = "\n".join(str(part) for part in (shown.modelfile, shown.template, shown.parameters))
        digest = f"shown-{hashlib.sha256(told.encode()).hexdigest()}"
    info = shown.modelinfo or {}
    trained = next((value for key, value in info.items() if key.endswith(".context_length")), None)
    written = _NUM_CTX.search(shown.parameters or "")
    fixed = num_ctx or (int(written[1]) if written else None)
    context = fixed or running_context(client.ps(), name) or DEFAULT_CONTEXT
    return Installed(
        digest=digest.removeprefix("sha256:"),
        abilities=frozenset(shown.capabilities) if shown.capabilities else None,
        context=min(context, trained) if trained else context,
        sure=fixed is not None,
        trained=trained,
    )


def running_context(running: Any, name: str) -> int | None:
    """The context a loaded model was given, from what /api/ps said; None when it is not loaded."""
    wanted = full_name(name)
    return next((each.context_length for each in running.models if full_name(each.model or "") == wanted), None)


class Register:
    """What is known of one model: asked when a run begins, which looks from a thread, and kept until the next one."""

    def __init__(self, ask: Callable[[], Installed]) -> None:
        self.known: Installed | None = None
        self._ask = ask
        self._absent: PromptkitError | None = None  # why the run that began last cannot have it
        self._lock = threading.Lock()

    def digest(self) -> str | None:
        """The model's digest; None for the length of a run that began without it, whose first look raised why."""
        beginning = not _on_a_loop()
        if beginning or not (self.known or self._absent):
            self._look(beginning)
        return self.known.digest if self.known else None

    async def needed(self) -> Installed:
        """What is known, asked for now if nothing is."""
        if self._absent:  # nothing may be stored under a name without a digest
            raise type(self._absent)(self._absent.message, hint=self._absent.hint)
        if (known := self.known) is not None:
            return known
        return await asyncio.to_thread(self._look, False)

    def _look(self, beginning: bool) -> Installed:
        with self._lock:
            if self.known and not beginning:  # somebody else has asked meanwhile
                return self.known
            try:
                self.known, self._absent = self._ask(), None
            except PromptkitError as error:
                self.known = None
                if beginning:
                    # No retry mends it within the run: its identity is settled.
                    self._absent = Unreachable(error.message, hint=error.hint) if _passing(error) else error
                raise
            return self.known


def _passing(error: PromptkitError) -> bool:
    return isinstance(error, Transient)


def _on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
