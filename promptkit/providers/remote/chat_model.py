"""A model behind an SDK of OpenAI's make: the part its providers share.

The SDK is given the fields of a request as they go over the wire, and hands back what came as JSON: building its
model objects would cost more than all the rest of a call.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import Any

from promptkit.errors import BadReply, PromptkitError
from promptkit.events import Delta, Warned, emit, streamed
from promptkit.providers.remote import bare_text
from promptkit.providers.remote.cards import Card, cards, context_in_force
from promptkit.providers.remote.chat_calls import recovered
from promptkit.providers.remote.chat_lessons import Lessons
from promptkit.providers.remote.chat_reply import Reply, Sample, whole
from promptkit.providers.remote.chat_wire import Dialect, check, effort, parameters
from promptkit.providers.remote.errors import Service, unsent
from promptkit.providers.remote.per_loop import PerLoop
from promptkit.types import Capabilities, Completion, Request, Usage
from promptkit.weak import Watch

NO_KEY = "none"  # what a server on this machine is sent in place of a key: the SDKs insist on one
AT_ONCE = 2048  # tokens of a reply that may come whole: a longer silence is taken for a broken connection by some
UNSENT = 3  # tries for a request that a closing connection did not take


@dataclass(frozen=True, slots=True)
class Connection:
    """An SDK's client, and its class of replies that come in pieces of JSON."""

    client: Any
    pieces: Any


class ChatModel:
    """A provider over chat completions; the SDK's client is made on first use, one for each event loop."""

    def __init__(
        self,
        kind: str,
        service: Service,
        make: Callable[[], Connection],
        capabilities: Capabilities,
        dialect: Dialect,
    ) -> None:
        self.id = f"{kind}:{service.model}"
        self.identity = json.dumps({"api": kind, "model": service.model, "base_url": service.address}, sort_keys=True)
        self._capabilities, self._service, self._dialect = capabilities, service, dialect
        self._lessons = Lessons(self.id)
        self._clients: PerLoop[Connection] = PerLoop(make, lambda made: made.client.close())
        self._warned = False

    @property
    def capabilities(self) -> Capabilities:
        """What it can do, as far as its server has not taught otherwise."""
        if not self._lessons.lacks and "n" not in self._lessons.left_out:
            return self._capabilities
        lacks: dict[str, Any] = dict.fromkeys(self._lessons.lacks, False)
        if "n" in self._lessons.left_out:
            lacks["native_n"] = 1
        return replace(self._capabilities, **lacks)

    @capabilities.setter
    def capabilities(self, known: Capabilities) -> None:
        self._capabilities = known

    @property
    def account(self) -> str:
        """Whose limits its calls count against: a short hash, for this process alone."""
        return self._service.account()

    async def complete(self, request: Request, /) -> Completion:
        """One completion."""
        return (await self.complete_many((request,)))[0]

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        """One completion a request; they differ only in consecutive innermost draws.

        A parameter that the server does not take is left out, or called by its other name, and the call made again.
        """
        if not requests:
            return ()
        first, dialect = requests[0], self._dialect
        if any(request != first.at(first.index + step) for step, request in enumerate(requests)):
            raise ValueError("complete_many takes consecutive draws of one request")
        check(first, self._service.who, dialect.refuses, has=self.capabilities, images=self._capabilities.images)
        effort(first, self.id, dialect.efforts)
        if first.effort == "none":  # a model that need not think takes what it takes otherwise
            dialect = replace(dialect, omits=())
        self._warn(first, dialect)
        wanted = parameters(first, len(requests), dialect, self.id, stream=self._streams(first, len(requests)))
        while True:
            if len(requests) > 1 and ("n" in self._lessons.left_out or first.weak):
                return [each for request in requests for each in await self.complete_many((request,))]
            sent = self._lessons.applied(wanted)
            try:
                return await self._asked(requests, sent)
            except PromptkitError:
                raise
            except Exception as error:
                if self._lessons.learn(error, sent):
                    continue
                if saved := self._saved(error, first):
                    return [saved]
                failure = self._service.failure(error)
                if failure is None:
                    raise
                raise failure from None  # the SDK's error may repeat the key

    @property
    def left_out(self) -> frozenset[str]:
        """Parameters its server turned out not to take."""
        return frozenset(self._lessons.left_out)

    async def cards(self) -> list[Card]:
        """The models its server offers."""
        try:
            return await cards(await self._client())
        except PromptkitError:
            raise
        except Exception as error:
            if (failure := self._service.failure(error)) is None:
                raise
            raise failure from None

    async def context(self) -> int | None:
        """The context its server gives it, in tokens; None where nobody tells."""
        with suppress(PromptkitError):
            known = next((card.context for card in await self.cards() if card.name == self._service.model), None)
            return await context_in_force(await self._client(), self._service.address) or known
        return None

    async def aclose(self) -> None:
        """Close its connections; safe to call twice."""
        await self._clients.aclose()

    async def _client(self) -> Any:
        key = self._service.key()
        client = (await self._clients.get()).client
        client.api_key = key or NO_KEY  # a key that was changed counts at once
        return client

    async def _asked(self, requests: Sequence[Request], sent: dict[str, Any]) -> list[Completion]:
        started = time.monotonic()
        reply, first = Reply([Sample() for _ in requests]), requests[0]
        watch = Watch(first.weak) if first.weak else None
        async with aclosing(self._chunks(sent)) as chunks:
            async for chunk in chunks:
                for index, text, reasoning in reply.read(chunk):
                    emit(Delta(requests[index].draw, text, reasoning))
                if watch and reply.weakened(watch):
                    break  # it hangs up: the server writes no further
        cut = bool(first.stop) and "stop" not in sent
        seconds = time.monotonic() - started
        return reply.completions(self.id, first, seconds, cut=cut, strict=self._dialect.strict)

    async def _chunks(self, sent: dict[str, Any]) -> AsyncGenerator[Any, None]:
        await self._client()
        made = await self._clients.get()
        body, stream = {"model": self._service.model, **sent}, "stream" in sent
        path = bare_text.PATH if "prompt" in sent else self._dialect.path
        kind: dict[str, Any] = {"cast_to": object, "stream_cls": made.pieces} if stream else {"cast_to": bytes}
        for attempt in range(1, UNSENT + 1):
            try:
                came = await made.client.post(path, body=body, stream=stream, **kind)
                break
            except Exception as error:
                if attempt == UNSENT or not unsent(error):
                    raise
        text = await _unstreamed(came) if stream else came
        if text is not None:
            for chunk in whole(text):
                if isinstance(chunk, dict) and chunk.get("error") and not chunk.get("choices"):
                    raise self._service.within(chunk)  # some servers say so with a status of 200
                yield chunk
            return
        async with came:
            async for chunk in came:
                yield chunk

    def _streams(self, request: Request, n: int) -> bool:
        """Whether the reply is to come in pieces: it is watched, long, or may end early, or its samples are counted."""
        early, thinks = request.weak is not None, bool(self._capabilities.reasoning)
        long = early or thinks or request.max_tokens is None or request.max_tokens > AT_ONCE
        return n > 1 or long or not self._dialect.whole or streamed()

    def _saved(self, error: Exception, request: Request) -> Completion | None:
        """What a reply says whose calls its server could not read; BadReply when nobody can."""
        body = getattr(error, "body", None)
        body = body["error"] if isinstance(body, dict) and isinstance(body.get("error"), dict) else body
        code = body.get("code") if isinstance(body, dict) else None
        if code == "json_validate_failed":
            raise BadReply(f"{self._service.who}: the reply does not satisfy the schema") from None
        if not isinstance(body, dict) or code != "tool_use_failed":
            return None
        written = str(body.get("failed_generation") or "")
        if (found := recovered(written, request.tools)) is None:
            raise BadReply(f"{self._service.who} could not read the call its model wrote") from None
        text, calls = found
        letters = sum(len(message.text) for message in request.messages)  # nobody counted: four letters a token
        usage = Usage(input_tokens=letters // 4 + 1, output_tokens=len(written) // 4 + 1)
        return Completion(text=text, model=self.id, usage=usage, finish="tool_calls" if calls else "stop", calls=calls)

    def _warn(self, request: Request, dialect: Dialect) -> None:
        """Say once what is left out of every request."""
        left_out = [name for name in dialect.omits if getattr(request, name) is not None]
        if left_out and not self._warned:
            self._warned = True
            emit(Warned(f"{self.id} decides its own {', '.join(left_out)}: what was asked for is left out"))


async def _unstreamed(came: Any) -> bytes | None:
    """The reply of a server that sends it whole though it was asked for it in pieces; None where it streams."""
    kind = came.response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return bytes(await came.response.aread()) if kind == "application/json" else None
