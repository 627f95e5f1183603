"""Hard caps for code in any thread and any loop: reserved before a call, settled after it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

from promptkit.errors import Cut
from promptkit.events import BudgetHit, emit
from promptkit.runtime.budgeted import Limits, Need
from promptkit.types import Usage


class Caps:
    """What a block may spend, and has spent. A block inside another spends what is the other's, too."""

    def __init__(self, limits: Limits, outer: Caps | None = None) -> None:
        self._limits = limits
        self._outer = outer
        self._lock = threading.Lock()
        self._spent = Usage()
        self._charged = Need(0, 0, 0.0)  # as `_spent`, but for calls of unknown outcome as much as was reserved
        self._held = Need(0, 0, 0.0)
        self._unpriced = False
        self._away = 0  # calls that no reply has come to yet
        self._bells: list[Future[None]] = []
        self.cut: Cut | None = None

    @property
    def capped_cost(self) -> bool:
        """Whether a price is needed."""
        return self._limits.max_cost is not None or (self._outer is not None and self._outer.capped_cost)

    @property
    def cost(self) -> float | None:
        """USD; None when any price is unknown."""
        return None if self._unpriced else round(self._charged.cost or 0.0, 6)

    def usage(self) -> Usage:
        """What was really sent and settled, and how many calls the journal answered."""
        return self._spent

    def replayed(self) -> None:
        """Count a call that the journal answered."""
        with self._lock:
            self._spent += Usage(cached_calls=1)

    async def reserve(self, need: Need) -> None:
        """Hold `need`; waits for calls that are away, and raises Cut when it does not fit even without them."""
        if self._outer:
            await self._outer.reserve(need)
        try:
            while bell := self._take(need):
                await asyncio.wrap_future(bell)
        except BaseException:
            if self._outer:
                self._outer.release(need)
            raise

    def answered(self) -> None:
        """A call's reply begins, or will not come. Who reads it in pieces is not waited for: it may be the waiter."""
        if self._outer:
            self._outer.answered()
        with self._lock:
            self._away -= 1
            self._ring()

    def settle(self, need: Need, usage: Usage, tokens: int, cost: float | None) -> None:
        """Turn what was held into what was spent; `tokens` and `cost` are what counts."""
        if self._outer:
            self._outer.settle(need, usage, tokens, cost)
        with self._lock:
            self._spent += usage
            self._charged += Need(need.calls, tokens, cost)
            self._unpriced |= cost is None
            self._held -= need
            self._ring()

    def release(self, need: Need) -> None:
        """Hold it no more: the call was not sent."""
        if self._outer:
            self._outer.release(need)
        with self._lock:
            self._held -= need
            self._away -= 1
            self._ring()

    def _take(self, need: Need) -> Future[None] | None:
        """Hold it; what rings when there may be room, where there is none."""
        with self._lock:
            if self.cut:
                raise self.cut
            short = self._short(need)
            if short is None:
                self._held += need
                self._away += 1
                return None
            if self._away:
                bell: Future[None] = Future()
                bell.set_running_or_notify_cancel()  # a waiter that is cancelled must not cancel it under the ringer
                self._bells.append(bell)
                return bell
            cap, spent, held, limit = short
            self.cut = Cut(
                f"budget reached: {spent:g} of {limit:g} {cap} spent"
                f"{f' and {held:g} held' if held else ''}, the next call does not fit",
                hint=f"raise max_{cap} and run it again: what was paid for is replayed",
            )
        emit(BudgetHit(cap, spent, limit))
        raise self.cut

    def _short(self, need: Need) -> tuple[str, float, float, float] | None:
        """The cap that `need` would break: its name, what is spent and held, the limit."""
        done, held, limits = self._charged, self._held, self._limits
        caps: list[tuple[str, float, float, float, float | None]] = [
            ("calls", done.calls, held.calls, need.calls, limits.max_calls),
            ("tokens", done.tokens, held.tokens, need.tokens, limits.max_tokens),
            ("cost", done.cost or 0, held.cost or 0, need.cost or 0, limits.max_cost),
        ]
        for name, spent, kept, more, limit in caps:
            if limit is not None and spent + kept + more > limit:
                return name, spent, kept, limit
        return None

    def _ring(self) -> None:
        bells, self._bells = self._bells, []
        for bell in bells:
            bell.set_result(None)
