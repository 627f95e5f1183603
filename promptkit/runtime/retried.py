"""Another try for what another try may mend. The SDKs' own retries are off, so every attempt is seen here."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from promptkit.errors import Transient
from promptkit.events import Retrying, emit
from promptkit.runtime.layer import Layer
from promptkit.runtime.limited import paused
from promptkit.types import Completion, Provider, Request

if TYPE_CHECKING:
    from tenacity import RetryCallState

ATTEMPTS = 8  # at one call in five that fails, five tries lose one of a few thousand calls
DEADLINE = 120.0  # seconds that a call may wait between its tries, all together; standing in line behind others is free
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds; doubled each time, with jitter
LATE = 0.1  # calls that are asked to wait come back up to this part of it later, and not all at once


class Retried(Layer):
    """Tries again after a Transient error, as long as the provider asks to wait or a little longer each time.

    What the provider wants to be left alone for longer than the deadline ends the run as Paused.
    """

    def __init__(self, inner: Provider, attempts: int = ATTEMPTS, deadline: float = DEADLINE, *, run: str = "") -> None:
        super().__init__(inner)
        self._attempts = attempts
        self._deadline = deadline
        self._run = run

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        """The completions; the last error when every attempt failed."""
        try:
            return await self.inner.complete_many(requests)
        except Transient as error:
            first = error
        if self._attempts == 1 or (first.retry_after or 0) > self._deadline:
            raise self._left_alone(first, 0.0)
        waited = [0.0]
        try:
            return await self._again(requests, first, waited)
        except Transient as last:
            raise self._left_alone(last, waited[0]) from None

    def _left_alone(self, error: Transient, waited: float) -> Exception:
        """The error, or Paused where it asks for a wait that the deadline has no room for."""
        if error.retry_after is not None and waited + error.retry_after > self._deadline:
            return paused(self.id, error.retry_after, self._run)
        return error

    async def _again(self, requests: Sequence[Request], first: Transient, waited: list[float]) -> Sequence[Completion]:
        from tenacity import (
            AsyncRetrying,
            retry_if_exception_type,
            stop_after_attempt,
            wait_exponential,
            wait_random,
        )

        backoff = wait_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT) + wait_random(0, FIRST_WAIT)

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.retry_after if isinstance(error, Transient) else None
            # A wish of 0 is none: all that were refused together would be back together, at once.
            return asked + random.uniform(0, min(1.0, LATE * asked)) if asked else backoff(state)

        def late(state: RetryCallState) -> bool:
            waited[0] = state.idle_for
            return state.idle_for + state.upcoming_sleep > self._deadline

        def say(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            emit(Retrying(state.attempt_number, round(state.upcoming_sleep, 3), str(error)))

        failed: Transient | None = first  # the attempt already made, so that tenacity is loaded only when needed
        async for attempt in AsyncRetrying(
            stop=lambda state: stop_after_attempt(self._attempts)(state) or late(state),
            wait=wait,
            retry=retry_if_exception_type(Transient),
            before_sleep=say,
            reraise=True,
        ):
            with attempt:
                if failed:
                    raise_first, failed = failed, None
                    raise raise_first
                return await self.inner.complete_many(requests)
        raise first
