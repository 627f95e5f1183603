"""An embedding model as a provider: its completions are vectors, journaled and paid for like any other.

A request has a message for each text; the completion is a JSON list with a text for each vector, its numbers as 32-bit
floats, lowest byte first, in base64.
"""

from __future__ import annotations

import json
import time
from array import array
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from math import isfinite
from sys import byteorder

from promptkit.errors import BadReply
from promptkit.types import Capabilities, Completion, Request, Usage

EMBEDS = Capabilities(reasoning=False)
EMBEDDING = "promptkit.embedding"  # in `extra` of a request: the model that is to embed its messages

Vectors = Sequence[Sequence[float]]
Embed = Callable[[list[str]], Awaitable[tuple[Vectors, int]]]  # the vectors, and the tokens they took


class Embedder:
    """A provider over an embeddings endpoint; `embed` asks it, and raises promptkit's errors."""

    def __init__(
        self,
        id: str,
        identity: Callable[[], Mapping[str, object]],
        embed: Embed,
        close: Callable[[], Awaitable[None]],
        account: str,
        *,
        local: bool,
    ) -> None:
        self.id, self.account = id, account
        self.capabilities = replace(EMBEDS, local=local)
        self._identity, self._embed, self._close = identity, embed, close

    @property
    def identity(self) -> str:
        """All that makes its vectors its own; raises what keeps its server from telling."""
        return json.dumps({"embeddings": self.id.partition(":")[0], **self._identity()}, sort_keys=True)

    async def complete(self, request: Request, /) -> Completion:
        """The vectors of its messages; BadReply when there is not one for each, all of one length and of numbers."""
        started = time.monotonic()
        texts = [each.text for each in request.messages]
        vectors, tokens = await self._embed(texts)
        try:
            packed = [array("f", each) for each in vectors]
        except (TypeError, ValueError, OverflowError) as error:
            raise BadReply(f"{self.id} gave vectors that are no lists of numbers") from error
        if len(packed) != len(texts) or len({len(each) for each in packed}) != 1 or not packed[0]:
            raise BadReply(f"{self.id} gave {len(packed)} vectors for {len(texts)} texts, or some of other lengths")
        if not all(map(isfinite, chain.from_iterable(packed))):  # it would be near to nothing, in every later run too
            raise BadReply(f"{self.id} gave a vector with a number that is none, or infinite")
        written = json.dumps([_written(each) for each in packed])
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


def _written(packed: array[float]) -> str:
    if byteorder == "big":
        packed.byteswap()
    return b64encode(packed.tobytes()).decode()


def _vector(text: str) -> tuple[float, ...]:
    packed = array("f")
    packed.frombytes(b64decode(text, validate=True))
    if byteorder == "big":
        packed.byteswap()
    return tuple(packed)
