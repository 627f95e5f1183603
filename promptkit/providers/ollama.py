"""`ollama:NAME[:TAG]`: models of an Ollama, on this machine or at OLLAMA_HOST."""

from __future__ import annotations

import json
import os
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

from promptkit.attachments import data_of
from promptkit.errors import BadInput, BadReply, ProviderError, Unavailable
from promptkit.events import Delta, emit
from promptkit.providers.remote.chat_wire import check
from promptkit.providers.remote.errors import Service
from promptkit.providers.remote.options import TIMEOUT, checked, is_loopback, seconds, url, whole
from promptkit.providers.remote.per_loop import PerLoop
from promptkit.types import Blob, Capabilities, Completion, Request, Usage

PORT = 11434
SENT = ("temperature", "top_p", "top_k", "min_p", "frequency_penalty", "presence_penalty")


def _host(value: object) -> str:
    """An address as OLLAMA_HOST writes it, in full: its scheme and port may be missing."""
    text = str(value).strip().rstrip("/")
    if "://" not in text:
        host, colon, port = text.rpartition(":")
        bare = text.endswith("]") or not colon or (text.count(":") > 1 and not text.startswith("["))
        text = f"http://{text}:{PORT}" if bare else f"http://{host or '127.0.0.1'}:{port}"
    return url(text.replace("://0.0.0.0", "://127.0.0.1"))  # what it listens on is no place to call


def _think(value: object) -> bool | str:
    if isinstance(value, bool) or value in ("low", "medium", "high"):
        return value
    raise ValueError("true, false, low, medium or high")


OPTIONS = {"host": _host, "num_ctx": whole(16, 2**24), "think": _think, "timeout": seconds}


class Ollama:
    """A provider over Ollama's chat endpoint."""

    def __init__(self, name: str, host: str, *, num_ctx: int | None, think: bool | str | None, timeout: float) -> None:
        self.id = f"ollama:{name}"
        settings = {"num_ctx": num_ctx, "think": think}
        self.identity = json.dumps({"api": "ollama", "model": name, "host": host, **settings}, sort_keys=True)
        hosted = name.endswith(("-cloud", ":cloud")) or host.endswith("ollama.com")
        self.capabilities = Capabilities(context=num_ctx, local=not hosted, images=True)
        start, pull = f"start it: ollama serve   then: ollama pull {name}", f"ollama pull {name}"
        self._service = Service("Ollama", name, host, "OLLAMA_API_KEY", "https://ollama.com", start, pull)
        self._num_ctx, self._think = num_ctx, think
        self._clients: PerLoop[Any] = PerLoop(partial(_client, host, timeout), lambda client: client.close())

    async def complete(self, request: Request, /) -> Completion:
        """One completion; what the model thinks is kept apart as its reasoning."""
        check(request, "Ollama", images=True)
        started = time.monotonic()
        text = reasoning = ""
        last: Any = None
        async with aclosing(self._chunks(request)) as chunks:
            async for chunk in chunks:
                last = chunk
                if thought := chunk.message.thinking:
                    reasoning += thought
                    emit(Delta(request.draw, thought, reasoning=True))
                if piece := chunk.message.content:
                    text += piece
                    emit(Delta(request.draw, piece))
        if last is None or not last.done:
            raise Unavailable("Ollama's reply broke off") if last else BadReply("Ollama's reply is empty")
        return Completion(
            text=text,
            model=self.id,
            usage=Usage(input_tokens=last.prompt_eval_count or 0, output_tokens=last.eval_count or 0),
            finish="length" if last.done_reason == "length" else "stop",
            reasoning=reasoning or None,
            seconds=time.monotonic() - started,
        )

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        """One completion a request, one after the other."""
        return [await self.complete(request) for request in requests]

    async def aclose(self) -> None:
        """Close its connections; safe to call twice."""
        await self._clients.aclose()

    async def _chunks(self, request: Request) -> AsyncGenerator[Any, None]:
        client = await self._clients.get()
        chat = partial(client.chat, self._service.model, _turns(request), stream=True, think=self._think)
        try:
            async with aclosing(await chat(options=self._options(request))) as stream:
                async for chunk in stream:
                    yield chunk
        except AttributeError:  # the SDK's own, on a line of JSON that is no object
            raise BadReply("Ollama answered with something that is not a chat completion") from None
        except Exception as error:
            failure = self._service.failure(error)
            if failure is None:
                raise
            if isinstance(failure, Unavailable) and "system memory" in failure.message:  # no try will find more
                failure = ProviderError(failure.message, hint="a smaller model, or a smaller one of its tags, may fit")
            raise failure from None

    def _options(self, request: Request) -> dict[str, Any]:
        wanted = {name: getattr(request, name) for name in SENT}
        wanted |= {"num_predict": request.max_tokens, "num_ctx": self._num_ctx, "stop": list(request.stop) or None}
        said = {name: value for name, value in wanted.items() if value is not None}
        return {**dict(request.extra), **said, "seed": request.wire_seed}


def _turns(request: Request) -> list[dict[str, Any]]:
    """The conversation; Ollama has the images of a turn beside its text."""
    return [
        {"role": turn.role, "content": turn.text, "images": [data_of(p) for p in turn.content if isinstance(p, Blob)]}
        for turn in request.messages
    ]


def open_ollama(name: str, options: Mapping[str, object]) -> Ollama:
    """The model of that name and tag; nothing is asked of Ollama, and its SDK not imported, before the first call."""
    if not name:
        raise BadInput("ollama: names no model", hint="-m ollama:qwen3:8b")
    host = os.environ.get("OLLAMA_HOST", "").strip() or f"127.0.0.1:{PORT}"
    given = checked(f"ollama:{name}", {"host": host, **options}, OPTIONS)
    settings = {"num_ctx": None, "think": None, "timeout": TIMEOUT, **given}
    return Ollama(name, settings.pop("host"), **settings)


def _client(host: str, timeout: float) -> Any:
    from ollama import AsyncClient

    return AsyncClient(host=host, timeout=timeout, trust_env=not is_loopback(host))  # a proxy is not this machine
