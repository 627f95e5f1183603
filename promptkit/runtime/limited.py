"""How many calls may be in flight at once: of a run, and of everybody in this process who uses the same account."""

from __future__ import annotations

import asyncio
import math
import os
import threading
import time
from collections.abc import Sequence
from functools import cached_property

from promptkit import registry, settings
from promptkit.errors import Paused, UnknownName
from promptkit.events import Warned, emit
from promptkit.runtime.budgeted import estimate
from promptkit.runtime.layer import Layer
from promptkit.runtime.limiter import Held, Limiter, Pace
from promptkit.types import Completion, Provider, Request

A_YEAR = 366 * 86_400.0  # seconds; what asks for longer is no clock: "inf" is a number, too

_shared: dict[tuple[int, str, str, Pace], Limiter] = {}
_lock = threading.Lock()


class Limited(Layer):
    """Lets at most `concurrency` calls of a run through at a time, in the order they come, as the account allows."""

    def __init__(
        self,
        inner: Provider,
        concurrency: int,
        account: Provider | None = None,  # whose limits hold; None: nobody's
        *,
        patience: float = math.inf,  # seconds a provider may ask us to wait
        run: str = "",
    ) -> None:
        super().__init__(inner)
        self._slots = asyncio.Semaphore(concurrency)
        self._account = account
        self._patience = patience
        self._run = run
        self._told: set[str] = set()

    @cached_property
    def _limiter(self) -> Limiter | None:  # looked up at the first call: a replay has no use for a key
        if self._account:
            _tell_misspelt(self._account)
        return limiter_of(self._account) if self._account else None

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        """The completions, when a slot is free; Paused when the account is to rest for too long."""
        async with self._slots:
            if self._limiter is None:
                return await self.inner.complete_many(requests)
            return await self._at_pace(requests, self._limiter)

    async def _at_pace(self, requests: Sequence[Request], limiter: Limiter) -> Sequence[Completion]:
        tokens = estimate(requests, self.capabilities).tokens if limiter.pace.tpm is not None else 0
        try:
            ticket = await limiter.enter(tokens, self._patience, self._tell)
        except Held as held:
            raise paused(self.id, held.seconds, self._run) from None
        try:
            completions = await self.inner.complete_many(requests)
        except BaseException as error:
            limiter.land(ticket, error=error)
            raise
        limiter.land(ticket, sum(completion.usage.tokens for completion in completions) or None)
        return completions

    def _tell(self, why: str) -> None:
        """Say once what calls wait for."""
        if why not in self._told:
            self._told.add(why)
            hint = "" if why.startswith("the") else "promptkit config show lists the limits"
            emit(Warned(f"calls to {self.id} wait: {why}", hint))


def limiter_of(provider: Provider) -> Limiter | None:
    """The limiter of the provider's account; None for a model on this machine that no limits are set for.

    Providers that name the same `account` share one, and so do all of a kind that limits are set for; where neither
    tells whose calls they are, a run has its own.
    """
    section, limits = settings.limits(provider.id)
    account: str | None = getattr(provider, "account", None)  # a short hash of address and key
    if not limits and provider.capabilities.local:
        return None
    limiter = Limiter(pace := Pace(**limits))
    if account is None and not limits:
        return limiter
    who = section or provider.id.partition(":")[0]
    with _lock:
        return _shared.setdefault((os.getpid(), who, account or "", pace), limiter)  # a fork waits for its own calls


def _tell_misspelt(provider: Provider) -> None:
    """Warn of limits that are set for no provider: they would be ignored for ever."""
    named = {name.removeprefix("limits.").rpartition(".")[0].partition(":")[0] for name in settings.all_limits()}
    for kind in sorted(named - {provider.id.partition(":")[0]}) if named else ():
        if kind not in (known := registry.names("provider")):
            wrong = UnknownName("provider", kind, known)
            emit(Warned(f"the limits of {kind} hold for nobody: {wrong.message}", wrong.hint))


def paused(who: str, seconds: float, run: str) -> Paused:
    """The error of a run that is better resumed later than kept waiting."""
    moment = math.ceil((time.time() + min(seconds, A_YEAR)) / 60) * 60  # a whole minute, never early
    today = time.strftime("%x", time.localtime()) == time.strftime("%x", time.localtime(moment))
    then = time.strftime("%H:%M" if today else "%Y-%m-%d %H:%M", time.localtime(moment))
    return Paused(
        f"{who} asks to wait until {then}, longer than a retry may",
        hint=f"promptkit resume {run}, not before {then}" if run else f"not before {then}",
        not_before=then,
    )
