"""Room to think: what a pack allows a reply is for the answer, and a model that reasons thinks before it answers.

The request of such a model is sent with more `max_tokens` than the pack has, by the effort that was asked for, and is
keyed and reserved so. A reply that was cut off while the model still thought is asked for once more with twice the
room, a request of its own. What is cut off then, too, says nothing: it is "cut off", no answer and no vote.
"""

from __future__ import annotations

from dataclasses import replace

from promptkit.around import Around
from promptkit.errors import ContextOverflow, PromptkitError, TooLarge
from promptkit.events import CallEnded, CallStarted, emit
from promptkit.runtime.budgeted import estimate
from promptkit.runtime.fallback import Remembering
from promptkit.runtime.observed import prompt_digest
from promptkit.thinking import set_aside, unfinished
from promptkit.types import Completion, Effort, Request

# Tokens on top of the answer's. No vendor gives a table: a ladder in steps of two to four, of which one step up is what
# a reply that was cut off gets. A model uses what it needs; the rest is reserved, and free again when it has answered.
ROOM: dict[Effort | None, int] = {"none": 0, "minimal": 512, "low": 2048, "medium": 8192, "high": 16384}
USUAL = ROOM["medium"]  # what no effort means to the vendors


class Roomy(Around):
    """A model whose requests leave room to think, where it thinks; strategies know nothing of it."""

    inner: Remembering

    def __init__(self, inner: Remembering) -> None:
        self.inner = inner
        self._has = inner.capabilities  # as recorded with the run: a replay must ask for the same

    @property
    def replaying(self) -> bool:
        """Whether it answers from the journal alone."""
        return self.inner.replaying

    def has(self, request: Request, /) -> bool:
        """Whether the completion is there, or on its way."""
        return self.inner.has(self._with(request, self._room(request)))

    async def pass_over(self, request: Request, error: PromptkitError, /) -> None:
        """Record that the run could not have it from this model."""
        await self.inner.pass_over(self._with(request, self._room(request)), error)

    async def aclose(self) -> None:
        """Stop what is under way."""
        await self.inner.aclose()

    async def complete(self, request: Request, /) -> Completion:
        """The completion; without any text when it was cut off while thinking, twice."""
        first = self._with(request, self._room(request))
        completion = await self.inner.complete(first)
        if not self._cut_off(request, completion):
            return completion
        second = self._with(request, 2 * self._room(request) or USUAL)
        if second == first:  # there is no more
            return _silent(completion)
        # It is a call of its own to everybody who watches.
        name, usage = prompt_digest(request), completion.usage
        spent = (usage.input_tokens, usage.output_tokens, completion.seconds, completion.finish)
        emit(CallEnded(name, request.draw, completion.cached, *spent, completion=_silent(completion)))
        emit(CallStarted(name, request.draw, second))
        try:
            completion = await self.inner.complete(second)
        except (ContextOverflow, TooLarge):  # so much room there is not: the first is used once more
            return _silent(await self.inner.complete(first))
        return _silent(completion) if self._cut_off(request, completion) else completion

    def _room(self, request: Request) -> int:
        """Tokens to think in; a reply held to a grammar cannot think."""
        if not self._has.reasoning or request.grammar is not None or request.raw is not None:
            return 0
        return ROOM.get(request.effort, USUAL)

    def _with(self, request: Request, room: int) -> Request:
        """The request with room added, as far as the model's context has it."""
        if request.max_tokens is None or not room:
            return request
        if self._has.context is not None:
            prompt = estimate([replace(request, max_tokens=0)], self._has).tokens
            room = max(0, min(room, self._has.context - prompt - request.max_tokens))
        return replace(request, max_tokens=request.max_tokens + room)

    def _cut_off(self, request: Request, completion: Completion) -> bool:
        """Whether the reply ended before the model had done thinking."""
        if completion.finish != "length" or request.raw is not None:
            return False
        if unfinished(completion.text):
            return True
        thought = self._has.reasoning or completion.reasoning or completion.usage.reasoning_tokens
        text, aside = set_aside(completion.text)
        return bool(thought or aside) and not text.strip()


def _silent(completion: Completion) -> Completion:
    """The completion with all that was written counted as reasoning."""
    return replace(completion, text="", reasoning=(completion.reasoning or "") + completion.text or None)
