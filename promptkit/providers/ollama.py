"""`ollama:NAME[:TAG]`: models of an Ollama, on this machine or at OLLAMA_HOST.

A model is known by the digest that Ollama reports: what the journal has of another one is never taken for its words.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from functools import partial
from typing import Any

from promptkit.errors import BadInput, PromptkitError
from promptkit.events import Delta, emit
from promptkit.providers.ollama_api.address import default_host, full_name, host, hosted
from promptkit.providers.ollama_api.asking import Think, body
from promptkit.providers.ollama_api.context import least_tokens, lost, overflow
from promptkit.providers.ollama_api.installed import Installed, Register
from promptkit.providers.ollama_api.reply import Reply
from promptkit.providers.ollama_api.server import OllamaServer, Progress
from promptkit.providers.remote.cards import Card
from promptkit.providers.remote.options import TIMEOUT, checked, seconds, whole
from promptkit.types import Capabilities, Completion, Request


def _think(value: object) -> bool | str:
    if isinstance(value, bool) or value in ("low", "medium", "high"):
        return value
    raise ValueError("true, false, low, medium or high")


OPTIONS = {"host": host, "num_ctx": whole(16, 2**24), "think": _think, "timeout": seconds}


class Ollama:
    """A provider over Ollama's chat endpoint."""

    def __init__(self, name: str, host: str, *, num_ctx: int | None, think: Think, timeout: float) -> None:
        self.id, self.host = f"ollama:{name}", host
        self._name, self._num_ctx, self._think = name, num_ctx, think
        self._local = not hosted(name, host)
        self._server = OllamaServer(name, host, timeout)
        self._register = Register(partial(self._server.installed, num_ctx))

    @property
    def identity(self) -> str:
        """The model by its digest, and the options that change its texts; raises what keeps Ollama from telling."""
        named = {"api": "ollama", "model": full_name(self._name), "digest": self._register.digest()}
        settings = {"num_ctx": self._num_ctx, "think": self._think}
        return json.dumps({**named, **settings, **({} if self._local else {"host": self.host})}, sort_keys=True)

    @property
    def capabilities(self) -> Capabilities:
        """What it can do; before Ollama has been asked about the model, what any of its models may."""
        known = self._register.known
        told = known.abilities if known else None
        able = ("tools", "vision", "thinking") if told is None else told
        return Capabilities(
            logprobs=True,
            raw=True,
            json_schema=True,
            tools="tools" in able,
            images="vision" in able,
            reasoning=None if told is None else "thinking" in told,
            context=known.context if known else self._num_ctx,
            local=self._local,
        )

    async def complete(self, request: Request, /) -> Completion:
        """One completion; what the model thinks is kept apart as its reasoning."""
        started = time.monotonic()
        known = await self._register.needed()
        wanted = body(request, self._name, known, self._num_ctx, self._think)
        if (least := least_tokens(request)) >= known.context:
            known = await self._loaded(wanted, request, known)
            if least >= known.context:
                raise overflow(request, known, least)
        reply = Reply()
        async with aclosing(self._server.chat(wanted, request, known)) as lines:
            async for line in lines:
                for piece, reasoning in reply.read(line):
                    emit(Delta(request.draw, piece, reasoning))
        completion = reply.completion(self.id, request, time.monotonic() - started)
        with suppress(PromptkitError):  # it has just answered: a reply is not lost for want of a number
            known = await self._settled(known)
        if overflowed := lost(request, known, reply.given, reply.written):
            raise overflowed
        return completion

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        """One completion a request, one after the other."""
        return [await self.complete(request) for request in requests]

    async def aclose(self) -> None:
        """Close its connections; safe to call twice."""
        await self._server.aclose()

    async def version(self) -> str:
        """The Ollama's own, e.g. 0.12.1."""
        return await self._server.version()

    async def cards(self) -> list[Card]:
        """The models this Ollama has."""
        return [Card(name) for name in await self._server.names()]

    async def pull(self) -> AsyncGenerator[Progress, None]:
        """Fetch the model into Ollama's store; what it says as it goes on, with bytes done and in all."""
        async with aclosing(self._server.pull()) as lines:
            async for line in lines:
                yield line

    async def _loaded(self, wanted: dict[str, Any], request: Request, known: Installed) -> Installed:
        """What is known of the model, loaded as the request would load it and asked nothing."""
        empty: dict[str, Any] = {"prompt": ""} if "prompt" in wanted else {"messages": []}
        if not known.sure:
            async with aclosing(self._server.chat({**wanted, **empty}, request, known)) as lines:
                async for _ in lines:
                    pass
        return await self._settled(known)

    async def _settled(self, known: Installed) -> Installed:
        """What is known of the loaded model, its context no more a guess."""
        if known.sure or (context := await self._server.running_context()) is None:
            return known
        sure = replace(known, context=context, sure=True)
        if self._register.known is known:
            self._register.known = sure
        return sure


def open_ollama(name: str, options: Mapping[str, object]) -> Ollama:
    """The model of that name and tag; nothing is asked of Ollama, and its SDK not imported, before the first call."""
    if not name:
        raise BadInput("ollama: names no model", hint="-m ollama:qwen3:8b")
    given = checked(f"ollama:{name}", {"host": default_host(), **options}, OPTIONS)
    settings = {"num_ctx": None, "think": None, "timeout": TIMEOUT, **given}
    return Ollama(name, settings.pop("host"), **settings)
