"""Another try for what another try may mend. The SDKs' own retries are off, so every attempt is seen here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from promptkit.errors import Transient
from promptkit.events import Retrying, emit
from promptkit.runtime.layer import Layer
from promptkit.types import Completion, Provider, Request

if TYPE_CHECKING:
    from tenacity import RetryCallState

ATTEMPTS = 5
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds; doubled each time, with jitter
LONGEST_ASKED = 120.0  # seconds a provider may ask us to wait


def patient(error: BaseException) -> bool:
    """Whether to try again: a provider that asks for many minutes (a daily quota) is answered with its error."""
    return isinstance(error, Transient) and (error.retry_after or 0) <= LONGEST_ASKED


class Retried(Layer):
    """Tries again after a Transient error, as long as the provider asks to wait or a little longer each time."""

    def __init__(self, inner: Provider, attempts: int = ATTEMPTS) -> None:
        super().__init__(inner)
        self._attempts = attempts

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        """The completions; the last error when every attempt failed."""
        try:
            return await self.inner.complete_many(requests)
        except Transient as error:
            if self._attempts == 1 or not patient(error):
                raise
            first = error
        return await self._again(requests, first)

    async def _again(self, requests: Sequence[Request], first: Transient) -> Sequence[Completion]:
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential, wait_random

        backoff = wait_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT) + wait_random(0, FIRST_WAIT)

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.retry_after if isinstance(error, Transient) else None
            return asked if asked is not None else backoff(state)

        def say(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            emit(Retrying(state.attempt_number, round(state.upcoming_sleep, 3), str(error)))

        failed: Transient | None = first  # the attempt already made, so that tenacity is loaded only when needed
        async for attempt in AsyncRetrying(
            stop=stop_after_attempt(self._attempts),
            wait=wait,
            retry=retry_if_exception(patient),
            before_sleep=say,
            reraise=True,
        ):
            with attempt:
                if failed:
                    raise_first, failed = failed, None
                    raise raise_first
                return await self.inner.complete_many(requests)
        raise first
