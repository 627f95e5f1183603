"""Hard caps on what a run sends: reserved before a call, settled after it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from promptkit.errors import BadInput, Cut, KeyMissing, PromptkitError, RateLimited, Rejected
from promptkit.events import BudgetHit, emit
from promptkit.journal import Journal, Spent, key
from promptkit.runtime.layer import Layer
from promptkit.types import Blob, Capabilities, Completion, Provider, Request, Usage

MESSAGE_OVERHEAD = 16  # tokens a chat template may put around a message
BLOB_TOKENS = 2_000  # an image at the largest tile count of today's models


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Caps over a run and its resumes; None is no cap."""

    max_calls: int | None = None
    max_tokens: int | None = None  # input and output together
    max_cost: float | None = None  # USD
    timeout: float | None = None  # seconds

    def __post_init__(self) -> None:
        for name in ("max_calls", "max_tokens", "max_cost", "timeout"):
            value = getattr(self, name)
            if value is not None and not value > 0:  # nan is no cap either
                flag = "--" + name.replace("_", "-")
                raise BadInput(f"{flag} must be above 0, not {value:g}", hint=f"leave {flag} out for no cap")


@dataclass(frozen=True, slots=True)
class Need:
    """What a call may take at most."""

    calls: int
    tokens: int
    cost: float | None


class Budget:
    """The live ledger of one run. First come, first served: a small call never overtakes a large one."""

    def __init__(self, limits: Limits, spent: Spent) -> None:
        self.limits = limits
        self.calls, self.tokens, self.cost, self.samples = spent.calls, spent.tokens, spent.cost or 0.0, spent.samples
        self.input_tokens, self.output_tokens = spent.input_tokens, spent.output_tokens
        self.unpriced = spent.cost is None
        self.cut: Cut | None = None
        self._held = Need(0, 0, 0.0)
        self._flying = 0
        self._turn = asyncio.Lock()
        self._landed = asyncio.Event()

    def usage(self) -> Usage:
        """What has really been sent and settled."""
        return Usage(
            calls=self.calls,
            samples=self.samples,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
        )

    async def reserve(self, need: Need) -> None:
        """Hold `need`; waits for calls in flight, and raises Cut when it does not fit even without them."""
        async with self._turn:
            while True:
                if self.cut:
                    raise self.cut
                short = self._short(need)
                if short is None:
                    break
                if not self._flying:
                    raise self._stop(*short)
                self._landed.clear()
                await self._landed.wait()
            self._held = Need(
                self._held.calls + need.calls,
                self._held.tokens + need.tokens,
                (self._held.cost or 0) + (need.cost or 0),
            )
            self._flying += 1

    def settle(self, need: Need, *, tokens: tuple[int, int], cost: float | None, samples: int) -> None:
        """Turn what was held into what was spent; `tokens` is (input, output)."""
        self._held = Need(
            self._held.calls - need.calls, self._held.tokens - need.tokens, (self._held.cost or 0) - (need.cost or 0)
        )
        self._flying -= 1
        self.calls += need.calls
        self.tokens += sum(tokens)
        self.input_tokens += tokens[0]
        self.output_tokens += tokens[1]
        self.samples += samples
        self.cost += cost or 0.0
        self.unpriced |= cost is None
        self._landed.set()

    def stop(self, cut: Cut) -> None:
        """Send nothing more."""
        self.cut = self.cut or cut
        self._landed.set()

    def _short(self, need: Need) -> tuple[str, float, float] | None:
        """The cap that `need` would break: (its name, spent, limit)."""
        caps: list[tuple[str, float, float, float, float | None]] = [
            ("calls", self.calls, self._held.calls, need.calls, self.limits.max_calls),
            ("tokens", self.tokens, self._held.tokens, need.tokens, self.limits.max_tokens),
            ("cost", self.cost, self._held.cost or 0, need.cost or 0, self.limits.max_cost),
        ]
        for name, spent, held, more, limit in caps:
            if limit is not None and spent + held + more > limit:
                return name, spent, limit
        return None

    def _stop(self, cap: str, spent: float, limit: float) -> Cut:
        emit(BudgetHit(cap, spent, limit))
        flag = f"--max-{cap}"
        self.cut = Cut(
            f"budget reached: {spent:g} of {limit:g} {cap} spent, the next call does not fit",
            hint=f"raise {flag} and resume the run: what was paid for is kept",
        )
        return self.cut


class Budgeted(Layer):
    """Reserves before every request really sent, and writes it into the live ledger."""

    def __init__(self, inner: Provider, budget: Budget, journal: Journal, run: str) -> None:
        super().__init__(inner)
        self._budget = budget
        self._journal = journal
        self._run = run
        refuse_unpriced(budget.limits, inner)

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        """The completions, once there is room for them under every cap; Cut when there is none."""
        need = estimate(requests, self.capabilities)
        await self._budget.reserve(need)
        tokens, cost, samples, error = (need.tokens, 0), need.cost, 0, "cancelled"
        attempt: int | None = None
        try:
            attempt = await self._journal.begin(self._run, key(requests[0], self.identity), need.tokens, need.cost)
            completions = await self.inner.complete_many(requests)
            told = sum((completion.usage for completion in completions), Usage())
            if told.tokens:  # a provider that tells nothing is charged the whole reservation
                tokens = (told.input_tokens, told.output_tokens)
            cost, samples, error = price(self.capabilities, *tokens), len(completions), ""
            return completions
        except PromptkitError as failure:
            error = f"{type(failure).__name__}: {failure}"
            if isinstance(failure, (RateLimited, Rejected, KeyMissing)):
                tokens, cost = (0, 0), 0.0 if need.cost is not None else None  # the provider did no work
            raise
        finally:
            # An attempt of unknown outcome is charged its whole reservation.
            self._budget.settle(need, tokens=tokens, cost=cost, samples=samples)
            if attempt is not None:
                self._journal.settle(
                    attempt, input_tokens=tokens[0], output_tokens=tokens[1], cost=cost, samples=samples, error=error
                )


def refuse_spent(limits: Limits, spent: Spent, run: str) -> None:
    """BadInput when a resumed run has already spent all that a cap allows."""
    for name, used in (("max_calls", spent.calls), ("max_tokens", spent.tokens), ("max_cost", spent.cost or 0.0)):
        limit = getattr(limits, name)
        if limit is not None and used >= limit:
            what, flag = name.removeprefix("max_"), "--" + name.replace("_", "-")
            raise BadInput(
                f"run {run} has spent {used:g} {what} already, and {flag} is {limit:g} over the run and its resumes",
                hint=f"promptkit resume {run} {flag} {2 * used:g}",
            )


def refuse_unpriced(limits: Limits, provider: Provider) -> None:
    """BadInput when there is a cap on the cost and no price to keep it by."""
    if limits.max_cost is not None and price(provider.capabilities, 1, 1) is None:
        raise BadInput(f"--max-cost needs a price, and {provider.id} has none", hint="use --max-calls or --max-tokens")


def estimate(requests: Sequence[Request], capabilities: Capabilities) -> Need:
    """An upper bound of what one call for these draws takes: a token is at least one byte of UTF-8."""
    request = requests[0]
    given = sum(
        MESSAGE_OVERHEAD
        + sum(BLOB_TOKENS if isinstance(p, Blob) else len(p.text.encode("utf-8", "replace")) for p in m.content)
        for m in request.messages
    )
    given += len((request.schema or "").encode()) + sum(len(t.schema) + len(t.description) for t in request.tools)
    room = request.max_tokens if request.max_tokens is not None else (capabilities.context or 4096)
    answer = len(requests) * room
    return Need(1, given + answer, price(capabilities, given, answer))


def price(capabilities: Capabilities, input_tokens: int, output_tokens: int) -> float | None:
    """USD; None when the price is unknown."""
    rates = (0.0, 0.0) if capabilities.local else capabilities.price
    return None if rates is None else (input_tokens * rates[0] + output_tokens * rates[1]) / 1e6
