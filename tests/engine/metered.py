"""A provider that keeps its own books, as the far side of the wire would: what came in, what went out, its bill."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from players import dice, prompt_of, reply

from promptkit.errors import RateLimited, Transient, Unavailable
from promptkit.providers.scripted import Scripted
from promptkit.types import Capabilities, Completion, Request, Usage

RATES = (2.0, 10.0)  # USD per million tokens


@dataclass
class Metered(Scripted):
    """Answers after a random while with replies of random length, or fails; every number is the server's own."""

    seed: int
    faults: float = 0.0  # part of the calls that fail, each by a random error that may be retried
    longest: float = 0.002
    batch: int = 1
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cancelled: int = 0
    flying: int = 0
    most_flying: int = 0
    delivered: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(
            reply, name="metered", capabilities=Capabilities(price=RATES, native_n=self.batch, batch=self.batch)
        )
        self._dice: Random = dice("server", self.seed)

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        self.calls += 1
        self.flying += 1
        self.most_flying = max(self.most_flying, self.flying)
        try:
            await asyncio.sleep(self._dice.random() * self.longest)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.flying -= 1
        if self._dice.random() < self.faults:
            raise self._fault()
        # An answer's length is known when it is there: from one token to all that were asked for.
        prompt = len(prompt_of(requests[0]).split())
        said = []
        for i, request in enumerate(requests):
            written = self._dice.randint(1, request.max_tokens or 100)
            given = prompt if i == 0 else 0  # one prefill a call
            self.input_tokens += given
            self.output_tokens += written
            self.delivered.append((prompt_of(request), request.draw))
            usage = Usage(input_tokens=given, output_tokens=written)
            said.append(Completion(text=reply(request), model=self.id, usage=usage))
        return said

    def _fault(self) -> Transient:
        kind = self._dice.choice([Unavailable, RateLimited])
        return kind("the server is tired", retry_after=0.001)

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    @property
    def billed(self) -> float:
        return (self.input_tokens * RATES[0] + self.output_tokens * RATES[1]) / 1e6
