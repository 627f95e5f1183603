"""The pace of the calls that share an account: how many at once, how many a minute, how many tokens a minute.

A limiter belongs to no event loop and no run: runs in several loops and threads wait in one line, first come, first
served. Nobody is let through by somebody else: who is woken looks for itself, so one who stops waiting holds nothing.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from promptkit.errors import Cut, RateLimited, Transient, UsageError

MINUTE = 60.0
LONG = 10.0  # seconds of waiting after which a person is told


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What an account may send; None is no limit."""

    concurrency: int | None = None  # calls in flight at once
    rpm: int | None = None  # calls in any minute
    tpm: int | None = None  # tokens in any minute, input and output together


@dataclass(slots=True, eq=False)
class Ticket:
    """A call that was let through."""

    at: float  # monotonic seconds
    tokens: int  # reserved, then real
    slowed: int  # how often calls had been slowed down by then
    recent: bool = True  # of the last minute


@dataclass(slots=True, eq=False)
class _Waiter:
    loop: asyncio.AbstractEventLoop
    bell: asyncio.Event = field(default_factory=asyncio.Event)


class Held(Exception):
    """The provider asked everybody to wait longer than the caller is willing to."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.0f} s")
        self.seconds = seconds


class Limiter:
    """Lets calls through at a pace that the provider slows down, by a 429, and that recovers with its answers."""

    def __init__(self, pace: Pace, clock: Callable[[], float] = time.monotonic) -> None:
        self.pace = pace
        self._clock = clock
        self._lock = threading.RLock()  # a waiter that is collected as garbage leaves the line in anybody's thread
        self._line: deque[_Waiter] = deque()
        self._flying = 0
        self._allowed = pace.concurrency
        self._slowed = 0
        self._answered = 0  # since the pace last changed
        self._held_until = -math.inf
        self._recent: deque[Ticket] = deque()  # oldest first; kept only where a minute is limited
        self._tokens = 0  # of the recent ones

    @property
    def allowed(self) -> int | None:
        """The concurrency in force; None is no limit."""
        return self._allowed

    @property
    def flying(self) -> int:
        """Calls in flight."""
        return self._flying

    async def enter(self, tokens: int, patience: float, tell: Callable[[str], None]) -> Ticket:
        """Wait until a call of so many tokens may go out; Held when the provider asks for more than `patience` seconds.

        `tell` hears what is waited for when that takes long.
        """
        with self._lock:
            now = self._clock()
            self._check(now, patience)
            if not self._line and self._wait(tokens, now)[0] <= 0:
                return self._let_through(tokens, now)
            waiter = _Waiter(asyncio.get_running_loop())
            self._line.append(waiter)
        try:
            return await self._queue(waiter, tokens, patience, tell)
        except BaseException:
            with self._lock:
                with suppress(ValueError):  # its loop was found closed
                    self._line.remove(waiter)
                self._ring()
            raise

    def land(self, ticket: Ticket, tokens: int | None = None, error: BaseException | None = None) -> None:
        """The call has ended: it took so many tokens, as many as it reserved (None), or failed."""
        with self._lock:
            self._flying -= 1
            if isinstance(error, Cut | UsageError):  # no room in the budget, or refused on this side: it never went out
                self._forget(ticket)
            elif isinstance(error, RateLimited):
                self._settle(ticket, 0)
                self._slow_down(ticket)
            elif tokens is not None:
                self._settle(ticket, tokens)
            if error is None:
                self._speed_up()
            if isinstance(error, Transient) and error.retry_after:
                self._held_until = max(self._held_until, self._clock() + error.retry_after)
                self._ring(everybody=True)
            else:
                self._ring()

    async def _queue(self, waiter: _Waiter, tokens: int, patience: float, tell: Callable[[str], None]) -> Ticket:
        began, told = self._clock(), False
        while True:
            waiter.bell.clear()
            with self._lock:
                now = self._clock()
                self._check(now, patience)
                wait, why = self._wait(tokens, now)
                if self._line[0] is not waiter:
                    wait = math.inf
                elif wait <= 0:
                    self._line.popleft()
                    ticket = self._let_through(tokens, now)
                    self._ring()
                    return ticket
            if not told and why and (now - began >= LONG or LONG < wait < math.inf):
                told = True
                tell(why)
            timer = waiter.loop.call_later(min(wait, MINUTE if told else LONG), waiter.bell.set)
            try:
                await waiter.bell.wait()
            finally:
                timer.cancel()

    # what follows is called with the lock held -----------------------------------------------------------------

    def _check(self, now: float, patience: float) -> None:
        if self._held_until - now > patience:
            raise Held(self._held_until - now)

    def _wait(self, tokens: int, now: float) -> tuple[float, str]:
        """Seconds until the next call may go out, infinite when another one must land first; and what they are for."""
        if self._held_until > now:
            return self._held_until - now, "the provider asked to wait"
        while self._recent and self._recent[0].at <= now - MINUTE:
            self._tokens -= self._recent[0].tokens
            self._recent.popleft().recent = False
        wait, why, pace = 0.0, "", self.pace
        if pace.rpm is not None and len(self._recent) >= pace.rpm:
            wait, why = self._recent[len(self._recent) - pace.rpm].at + MINUTE - now, f"rpm = {pace.rpm}"
        if pace.tpm is not None and (excess := self._tokens + min(tokens, pace.tpm) - pace.tpm) > 0:
            # What is more than a whole minute's tokens goes out alone: only the provider can say that it is too much.
            for ticket in self._recent:
                excess -= ticket.tokens
                if excess <= 0:
                    later = ticket.at + MINUTE - now
                    wait, why = max((wait, why), (later, f"tpm = {pace.tpm}"))
                    break
        if self._allowed is not None and self._flying >= self._allowed:
            wait = math.inf
        return wait, why

    def _let_through(self, tokens: int, now: float) -> Ticket:
        self._flying += 1
        ticket = Ticket(now, tokens, self._slowed)
        if self.pace.rpm is not None or self.pace.tpm is not None:
            self._recent.append(ticket)
            self._tokens += tokens
        else:
            ticket.recent = False
        return ticket

    def _settle(self, ticket: Ticket, tokens: int) -> None:
        if ticket.recent:
            self._tokens += tokens - ticket.tokens
            ticket.tokens = tokens

    def _forget(self, ticket: Ticket) -> None:
        if ticket.recent:
            self._settle(ticket, 0)
            self._recent.remove(ticket)
            ticket.recent = False

    def _slow_down(self, ticket: Ticket) -> None:
        """Half of what was in force, once for all calls that were in flight together."""
        if ticket.slowed == self._slowed:
            in_force = self._flying + 1 if self._allowed is None else min(self._allowed, self._flying + 1)
            self._allowed = max(1, in_force // 2)
            self._slowed += 1
            self._answered = 0

    def _speed_up(self) -> None:
        """One more, after as many answers as calls are allowed at once."""
        if self._allowed is None or self._allowed == self.pace.concurrency:
            return
        self._answered += 1
        if self._answered >= self._allowed:
            self._allowed += 1
            self._answered = 0

    def _ring(self, everybody: bool = False) -> None:
        """Have the first in line look for itself, or everybody."""
        for waiter in list(self._line):
            try:
                waiter.loop.call_soon_threadsafe(waiter.bell.set)
            except RuntimeError:  # its loop has closed, and the next one is first
                self._line.remove(waiter)
            else:
                if not everybody:
                    return
