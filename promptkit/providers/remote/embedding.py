"""An embedding model as a provider: its completions are vectors, journaled and paid for like any other.

A request has a message for each text; the completion is a JSON list with a text for each vector, its numbers as 32-bit
floats, lowest byte first, in base64.
"""

from __future__ import annotations

import json
import time
from array import array
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Sequence
from sys import byteorder

from promptkit.errors import BadReply
from promptkit.types import Capabilities, Completion, Request, Usage

EMBEDDING = "promptkit.embedding"  # in `extra` of a request: the model that is to embed its messages

Vectors = Sequence[Sequence[float]]
Embed = Callable[[list[str]], Awaitable[tuple[Vectors, int]]]  # the vectors, and the tokens they took


class Embedder:
    """A provider over an embeddings endpoint; `embed` asks it, and raises promptkit's errors."""

    def __init__(
        self, id: str, address: str, embed: Embed, close: Callable[[], Awaitable[None]], account: str, *, local: bool
    ) -> None:
        self.id, self.account = id, account
        kind, _, model = id.partition(":")
        self.identity = json.dumps({"embeddings": kind, "model": model, "base_url": address}, sort_keys=True)
        self.capabilities = Capabilities(reasoning=False, local=local)
        self._embed, self._close = embed, close

    async def complete(self, request: Request, /) -> Completion:
        """The vectors of its messages; BadReply when there is not one for each, all of one length."""
        started = time.monotonic()
        texts = [each.text for each in request.messages]
        vectors, tokens = await self._embed(texts)
        if len(vectors) != len(texts) or len({len(each) for each in vectors}) != 1 or not vectors[0]:
            raise BadReply(f"{self.id} gave {len(vectors)} vectors for {len(texts)} texts, or some of other lengths")
        written = json.dumps([_written(each) for each in vectors])
        seconds = time.monotonic() - started
        return Completion(text=written, model=self.id, usage=Usage(input_tokens=tokens), seconds=seconds)

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        """One completion a request."""
        return [await self.complete(request) for request in requests]

    async def aclose(self) -> None:
        """Close its connections; safe to call twice."""
        await self._close()


def read(completion: Completion) -> list[tuple[float, ...]]:
    """The vectors in a completion; BadReply when it holds none."""
    try:
        found = json.loads(completion.text)
        return [_vector(each) for each in found]
    except (ValueError, TypeError) as error:
        raise BadReply(f"{completion.model} gave no vectors") from error


def _written(vector: Sequence[float]) -> str:
    packed = array("f", vector)
    if byteorder == "big":
        packed.byteswap()
    return b64encode(packed.tobytes()).decode()


def _vector(text: str) -> tuple[float, ...]:
    packed = array("f")
    packed.frombytes(b64decode(text, validate=True))
    if byteorder == "big":
        packed.byteswap()
    return tuple(packed)
