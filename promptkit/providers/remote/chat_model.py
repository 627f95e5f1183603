"""A model behind an SDK of OpenAI's make: the part its providers share."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import aclosing
from typing import Any

from promptkit.events import Delta, Warned, emit
from promptkit.providers.remote.chat_reply import Reply, Sample
from promptkit.providers.remote.chat_wire import check, parameters
from promptkit.providers.remote.errors import Service
from promptkit.providers.remote.per_loop import PerLoop
from promptkit.types import Capabilities, Completion, Request

NO_KEY = "none"  # what a server on this machine is sent in place of a key: the SDKs insist on one


class ChatModel:
    """A provider over `client.chat.completions`; the client is made on first use, one for each event loop."""

    def __init__(
        self,
        kind: str,
        service: Service,
        make: Callable[[], Any],
        capabilities: Capabilities,
        *,
        limit: str = "max_tokens",  # the field that limits a reply
        refuses: Collection[str] = (),  # fields of a request it does not have
        omits: Collection[str] = (),  # fields left out with a warning
    ) -> None:
        self.id = f"{kind}:{service.model}"
        self.identity = json.dumps({"api": kind, "model": service.model, "base_url": service.address}, sort_keys=True)
        self.capabilities = capabilities
        self._service, self._limit, self._refuses, self._omits = service, limit, refuses, omits
        self._clients: PerLoop[Any] = PerLoop(make, lambda client: client.close())
        self._warned = False

    async def complete(self, request: Request, /) -> Completion:
        """One completion."""
        return (await self.complete_many((request,)))[0]

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        """One completion a request; they differ only in consecutive innermost draws."""
        if not requests:
            return ()
        first = requests[0]
        if any(request != first.at(first.index + step) for step, request in enumerate(requests)):
            raise ValueError("complete_many takes consecutive draws of one request")
        check(first, self._service.who, self._refuses, images=self.capabilities.images)
        self._warn(first)
        started = time.monotonic()
        reply = Reply([Sample() for _ in requests])
        wanted = parameters(first, len(requests), limit=self._limit, omits=self._omits)
        async with aclosing(self._chunks(wanted)) as chunks:
            async for chunk in chunks:
                for index, text, reasoning in reply.read(chunk):
                    emit(Delta(requests[index].draw, text, reasoning))
        return reply.completions(self.id, first, time.monotonic() - started)

    async def aclose(self) -> None:
        """Close its connections; safe to call twice."""
        await self._clients.aclose()

    async def _chunks(self, wanted: dict[str, Any]) -> AsyncGenerator[Any, None]:
        key = self._service.key()
        client = await self._clients.get()
        client.api_key = key or NO_KEY  # a key that was changed counts at once
        try:
            async with await client.chat.completions.create(model=self._service.model, **wanted) as stream:
                async for chunk in stream:
                    yield chunk
        except Exception as error:
            failure = self._service.failure(error)
            if failure is None:
                raise
            raise failure from None  # the SDK's error may repeat the key

    def _warn(self, request: Request) -> None:
        """Say once what is left out of every request."""
        left_out = [name for name in self._omits if getattr(request, name) is not None]
        if left_out and not self._warned:
            self._warned = True
            emit(Warned(f"{self.id} decides its own {', '.join(left_out)}: what was asked for is left out"))
