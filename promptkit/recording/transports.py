"""Where every SDK's request leaves the process: the transports of httpx and httpx2, and those over aiohttp.

They are wrapped once, when the first recording begins; a request outside any recording, and one that is no call to a
model, goes through as if nothing were there.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator
from functools import wraps
from types import new_class
from typing import Any

from promptkit import sync
from promptkit.errors import PromptkitError
from promptkit.recording.active import active
from promptkit.recording.asked import read
from promptkit.recording.exchange import Exchange
from promptkit.recording.refusal import retries
from promptkit.recording.reply import Reply, streamed
from promptkit.recording.tape import AsyncTape, Tape

LIBRARIES = ("httpx", "httpx2")
ENDS = ("HTTPTransport", "AsyncHTTPTransport", "AiohttpTransport")
OWNERS = ("httpx", "httpx2", "httpx_aiohttp", "openai")  # a subclass of somebody else's calls these in the end
METHODS = ("handle_request", "handle_async_request")

_lock = threading.Lock()
_wrapped: set[type] = set()


def install() -> None:
    """Wrap what is loaded, and what is loaded later: openai brings a transport of its own over aiohttp."""
    with _lock:
        for name in LIBRARIES:
            try:
                library = importlib.import_module(name)
            except ImportError:
                continue
            for base in (library.BaseTransport, library.AsyncBaseTransport):
                for end in _below(base):
                    _wrap(end, library)
                if base not in _wrapped:
                    _wrapped.add(base)
                    base.__init_subclass__ = classmethod(lambda end, library=library, **_: _wrap(end, library))


def _below(base: type) -> Iterator[type]:
    each: type
    for each in base.__subclasses__():
        yield each
        yield from _below(each)


def _wrap(end: type, library: Any) -> None:
    if end in _wrapped or end.__name__ not in ENDS or end.__module__.partition(".")[0] not in OWNERS:
        return
    for name in METHODS:
        if real := end.__dict__.get(name):
            _wrapped.add(end)
            setattr(end, name, (_async if "async" in name else _sync)(real, library))


def _sync(real: Callable[..., Any], library: Any) -> Callable[..., Any]:
    tape = new_class("Tape", (Tape, library.SyncByteStream))

    @wraps(real)
    def handle_request(self: Any, request: Any) -> Any:
        recording = active()
        asked = read(request) if recording else None
        if recording is None or asked is None:
            return real(self, request)
        exchange = Exchange(recording, asked)
        try:
            if kept := sync.run(exchange.begin()):
                return _response(kept, library)
        except PromptkitError as error:
            return _response(recording.refused(error, hidden=retries(request)), library)
        try:
            response = real(self, request)
            if streamed(response.headers):
                exchange.answered()
                response.stream = tape(response.stream, exchange, _decoded(response, library))
                return response
            try:
                body = b"".join(response.stream)
            finally:
                response.stream.close()
        except BaseException as error:
            exchange.fail(error)
            raise
        response.stream = library.ByteStream(body)
        sync.run(exchange.end(_decoded(response, library)(body)))
        return response

    return handle_request


def _async(real: Callable[..., Any], library: Any) -> Callable[..., Any]:
    tape = new_class("AsyncTape", (AsyncTape, library.AsyncByteStream))

    @wraps(real)
    async def handle_async_request(self: Any, request: Any) -> Any:
        recording = active()
        asked = read(request) if recording else None
        if recording is None or asked is None:
            return await real(self, request)
        exchange = Exchange(recording, asked)
        try:
            if kept := await exchange.begin():
                return _response(kept, library)
        except PromptkitError as error:
            return _response(recording.refused(error, hidden=retries(request)), library)
        try:
            response = await real(self, request)
            if streamed(response.headers):
                exchange.answered()
                response.stream = tape(response.stream, exchange, _decoded(response, library))
                return response
            try:
                body = b"".join([piece async for piece in response.stream])
            finally:
                await response.stream.aclose()
        except BaseException as error:
            exchange.fail(error)
            raise
        response.stream = library.ByteStream(body)
        await exchange.end(_decoded(response, library)(body))
        return response

    return handle_async_request


def _decoded(response: Any, library: Any) -> Callable[[bytes], Reply]:
    """Makes a reply of the body as it came over the wire, compressed or not."""

    def decoded(body: bytes) -> Reply:
        headers = {name.lower(): value for name, value in response.headers.items()}
        if headers.get("content-encoding"):
            try:
                body = library.Response(200, headers=response.headers, content=body).content
            except library.DecodingError:  # cut short: what there is cannot be read
                body = b""
        return Reply(response.status_code, headers, body)

    return decoded


def _response(reply: Reply, library: Any) -> Any:
    """The reply as a transport gives it."""
    pieces = reply.pieces()
    length = {} if reply.streamed else {"content-length": str(len(reply.body))}
    stream = new_class("Kept", (_Kept, library.SyncByteStream, library.AsyncByteStream))(pieces)
    headers = {**reply.headers, **length}
    return library.Response(reply.status, headers=headers, stream=stream, extensions={"http_version": b"HTTP/1.1"})


class _Kept:
    """Pieces that are there."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces

    async def __aiter__(self) -> Any:
        for piece in self._pieces:
            yield piece
