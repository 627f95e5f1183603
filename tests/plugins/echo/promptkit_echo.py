"""`echo:WORD`: a whole provider in one file. It says the last line of the prompt after its word, one draw a call."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from promptkit import Capabilities, Completion, Request, Usage, emit
from promptkit.errors import BadInput
from promptkit.events import Delta


class Echo:
    """A provider: its id, what makes its texts its own, what it can do, and its replies."""

    def __init__(self, word: str) -> None:
        self.id = f"echo:{word}"
        self.identity = self.id
        self.capabilities = Capabilities(seed=True, local=True, price=(0.0, 0.0))
        self._word = word

    async def complete(self, request: Request, /) -> Completion:
        """The word and the last line."""
        started = time.monotonic()
        text = f"{self._word} {request.messages[-1].text.splitlines()[-1]}"
        emit(Delta(request.draw, text))
        usage = Usage(input_tokens=sum(len(turn.text.split()) for turn in request.messages), output_tokens=2)
        return Completion(text=text, model=self.id, usage=usage, seconds=time.monotonic() - started)

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        """One completion a request."""
        return [await self.complete(request) for request in requests]

    async def aclose(self) -> None:
        """Nothing to free."""


def open_echo(name: str, options: Mapping[str, object]) -> Echo:
    """The echo with that word in front."""
    if not name or options:
        raise BadInput("an echo takes a word and no options", hint="-m echo:Answer:")
    return Echo(name)
