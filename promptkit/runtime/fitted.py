"""A request that is more than the account may send at once is sent once more, with a shorter reply allowed.

A reply that ends by itself within the shorter limit is what the longer one would have given, and stands for it in the
journal. One that was cut there is not, and is refused: what is stored under a request must be its completion. Of
several samples in one call those that ended are kept; the others can be asked for alone, where there is more room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from promptkit.errors import TooLarge
from promptkit.events import Warned, emit
from promptkit.runtime.layer import Layer
from promptkit.types import Completion, Request

LEAST = 64  # tokens; below it a reply is not worth asking for


class SomeCut(TooLarge):
    """Some samples of a call were cut: `cut` are their places among its `completions`."""

    def __init__(self, message: str, completions: Sequence[Completion]) -> None:
        super().__init__(message)
        self.completions = completions
        self.cut = frozenset(place for place, each in enumerate(completions) if each.finish == "length")


class Fitted(Layer):
    """Shrinks `max_tokens` once where the provider says by how much prompt and reply are too large."""

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        """The completions; TooLarge when they do not fit however short, or were cut where they had to fit."""
        try:
            return await self.inner.complete_many(requests)
        except TooLarge as error:
            refused = error
        room = _room(requests, refused)
        if room is None:
            raise refused
        emit(
            Warned(
                f"{self.id} takes {refused.limit:,} tokens at once, not {refused.requested:,}:"
                f" replies of {room:,} tokens instead of {requests[0].max_tokens:,} are asked for"
            )
        )
        completions = await self.inner.complete_many([replace(request, max_tokens=room) for request in requests])
        if any(completion.finish == "length" for completion in completions):
            said = f"the reply does not end within the {room:,} tokens that {self.id} has room for at once"
            if len(requests) > 1:
                raise SomeCut(said, completions)
            raise TooLarge(
                said,
                hint=f"a shorter one: --reply-tokens {room}\nor shorten the prompt, or use another model",
                limit=refused.limit,
                requested=refused.requested,
            )
        return completions


def _room(requests: Sequence[Request], refused: TooLarge) -> int | None:
    """The tokens of a reply that fits; None when nobody knows, or when too few are left."""
    wanted = requests[0].max_tokens
    if wanted is None or refused.limit is None or refused.requested is None:
        return None
    excess = refused.requested - refused.limit
    room = wanted + -excess // len(requests)  # each reply gives its share, rounded up
    return room if LEAST <= room < wanted else None
