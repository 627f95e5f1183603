"""Equal budgets: how large a strategy has to be to write as many tokens as another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from statistics import fmean
from typing import Any

from promptkit.bench.section import Bench
from promptkit.bench.task import Task

MOST = 640  # a size, at most
_FLAT = 1.001  # twice the size, and no more tokens than this times as many: it will not take any more


class Fitted:
    """Tokens that strategies write on a task's validation questions, the first seed; each is measured once."""

    def __init__(self, bench: Bench, task: Task) -> None:
        self._bench, self._task = bench, task
        self._known: dict[str, float] = {}

    async def tokens(self, strategy: str, how: Mapping[str, Any]) -> float:
        """Mean output tokens a question."""
        name = f"{strategy} {sorted(how.items())}"
        if name not in self._known:
            outcomes = await self._bench.solve(
                strategy, self._task.fitting, pack=self._task.pack, seed=self._bench.seeds[0], **how
            )
            self._known[name] = fmean(outcome.usage.output_tokens for outcome in outcomes)
        return self._known[name]

    async def size(self, strategy: str, how: Mapping[str, Any], parameter: str, allowed: float) -> int:
        """The value of a parameter with which the strategy's tokens come nearest those allowed."""

        async def tokens(n: int) -> float:
            return await self.tokens(strategy, {**how, parameter: n})

        return await nearest(tokens, allowed)


async def nearest(tokens: Callable[[int], Awaitable[float]], allowed: float) -> int:
    """The n from 1 to MOST whose tokens come nearest, to a few per cent; they never fall as n grows."""
    spent: dict[int, float] = {}

    async def of(n: int) -> float:
        if n not in spent:
            spent[n] = await tokens(n)
        return spent[n]

    low = high = 1
    while await of(high) < allowed and high < MOST:
        low, high = high, min(2 * high, MOST)
        if low > 2 and await of(high) <= _FLAT * await of(low):
            high = low
            break
    while high - low > max(1, low // 32):
        middle = (low + high) // 2
        low, high = (middle, high) if await of(middle) < allowed else (low, middle)
    await of(low)
    return min((low, high), key=lambda n: abs(spent[n] - allowed))
