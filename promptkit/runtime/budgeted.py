"""Hard caps on what a run sends: reserved before a call, settled after it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from promptkit.errors import BadInput, Cut, KeyMissing, PromptkitError, RateLimited, Rejected, Unreachable, UsageError
from promptkit.events import BudgetHit, emit
from promptkit.journal import Journal, Spent, key
from promptkit.prices import Price, listing, price_of
from promptkit.prices import files as price_files
from promptkit.runtime.fallback import Chain
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
                told = f"{name} must be above 0, not {value:g}"
                raise BadInput(told, hint=f"leave {name} out for no cap", parameter=name)


@dataclass(frozen=True, slots=True)
class Need:
    """What a call may take at most."""

    calls: int
    tokens: int
    cost: float | None

    def __add__(self, other: Need) -> Need:
        cost = (self.cost or 0) + (other.cost or 0)
        return Need(self.calls + other.calls, self.tokens + other.tokens, cost)

    def __sub__(self, other: Need) -> Need:
        return self + Need(-other.calls, -other.tokens, -(other.cost or 0))


class Budget:
    """The live ledger of one run. First come, first served: a small call never overtakes a large one."""

    def __init__(self, limits: Limits, spent: Spent) -> None:
        self.limits = limits
        self.calls, self.tokens, self.cost, self.samples = spent.calls, spent.tokens, spent.cost or 0.0, spent.samples
        self.input_tokens, self.output_tokens = spent.input_tokens, spent.output_tokens
        self.reasoning_tokens = spent.reasoning_tokens  # of the output
        self.unpriced = spent.cost is None
        self.lost = Need(spent.unsettled, spent.reserved_tokens, spent.reserved_cost)  # of calls nobody heard back from
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
            reasoning_tokens=self.reasoning_tokens,
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
            self._held += need
            self._flying += 1

    def settle(
        self, need: Need, *, tokens: tuple[int, int], cost: float | None, samples: int, reasoning: int = 0
    ) -> None:
        """Turn what was held into what was spent; `tokens` is (input, output)."""
        self.input_tokens += tokens[0]
        self.output_tokens += tokens[1]
        self.reasoning_tokens += reasoning
        self.samples += samples
        self._charge(need, sum(tokens), cost)

    def release(self, need: Need) -> None:
        """Hold it no more."""
        self._held -= need
        self._flying -= 1
        self._landed.set()

    def lose(self, need: Need) -> None:
        """Charge all that was held: the call was sent and stopped, and may be billed."""
        self.lost += need
        self._charge(need, need.tokens, need.cost)

    def _charge(self, need: Need, tokens: int, cost: float | None) -> None:
        self.calls += need.calls
        self.tokens += tokens
        self.cost += cost or 0.0
        self.unpriced |= cost is None
        self.release(need)

    def told(self) -> str:
        """What of a cap earlier attempts of the run hold for calls that were interrupted; "" when that is nothing."""
        capped = self.limits.max_tokens is not None or self.limits.max_cost is not None
        if not capped or not self.lost.calls:
            return ""
        return f"{self.lost.tokens:,} tokens stay reserved by {interrupted(self.lost.calls)}: that may have been billed"

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
        held = {"tokens": self.lost.tokens, "cost": self.lost.cost or 0}.get(cap, 0)
        lost = self.lost.calls if held else 0
        emit(BudgetHit(cap, spent, limit, held, lost))
        flag = f"--max-{cap}"
        self.cut = Cut(
            f"budget reached: {spent:g} of {limit:g} {cap} spent{reserved(held, lost)}, the next call does not fit",
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

    @cached_property
    def _price(self) -> Price | None:  # looked up at the first call: a replay makes none
        return priced(self.inner)

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        """The completions, once there is room for them under every cap; Cut when there is none."""
        need, local = estimate(requests, self.capabilities, self._price), self.capabilities.local
        await self._budget.reserve(need)
        # Unless told otherwise below, it was stopped: on this machine that ends it, elsewhere it may be billed.
        tokens, cost, samples, error, lost = (0, 0), 0.0 if local else need.cost, 0, "cancelled", not local
        attempt: int | None = None
        refused, told = False, Usage()
        try:
            attempt = await self._journal.begin(self._run, key(requests[0], self.identity), need.tokens, need.cost)
            completions = await self.inner.complete_many(requests)
            told = sum((completion.usage for completion in completions), Usage())
            # A provider that tells nothing is charged the whole reservation.
            tokens = (told.input_tokens, told.output_tokens) if told.tokens else (need.tokens, 0)
            cost = charge(self._price, *tokens) if told.tokens else need.cost
            samples, error, lost = len(completions), "", False
            return completions
        except UsageError:  # the adapter would not send it: nothing was spent
            refused = True
            raise
        except PromptkitError as failure:
            error, lost = f"{type(failure).__name__}: {failure}", False
            if isinstance(failure, (RateLimited, Rejected, KeyMissing, Unreachable)):
                cost = 0.0  # the provider did no work
            else:
                tokens, cost = (need.tokens, 0), need.cost  # whatever it did, it may charge for
            raise
        finally:
            if attempt is None or refused:  # it never went out
                self._budget.release(need)
                if attempt is not None:
                    self._journal.unsend(attempt)
            elif lost:  # in the journal it stays without an end: the run's resumes are charged for it, too
                self._budget.lose(need)
            else:
                self._budget.settle(need, tokens=tokens, cost=cost, samples=samples, reasoning=told.reasoning_tokens)
                self._journal.settle(
                    attempt,
                    input_tokens=tokens[0],
                    output_tokens=tokens[1],
                    reasoning_tokens=told.reasoning_tokens,
                    cost=cost,
                    samples=samples,
                    error=error,
                )


def charged(spent: Spent, capabilities: Capabilities) -> Spent:
    """What of it counts: a call that was stopped on this machine has ended there, and is not waited for."""
    return replace(spent, reserved_tokens=0, reserved_cost=0.0, unsettled=0) if capabilities.local else spent


def reserved(held: float, calls: int) -> str:
    """`, 2,225 of them reserved by 1 interrupted call`; nothing where there is none."""
    return f", {held:,.6g} of them reserved by {interrupted(calls)}" if calls else ""


def interrupted(calls: int) -> str:
    """`1 interrupted call`, `2 interrupted calls`."""
    return f"{calls} interrupted call{'s' if calls > 1 else ''}"


def refuse_spent(limits: Limits, spent: Spent, run: str) -> None:
    """BadInput when a resumed run has already spent all that a cap allows."""
    tokens, cost = (spent.tokens, spent.reserved_tokens), (spent.cost or 0.0, spent.reserved_cost)
    for name, (used, held) in {"max_calls": (spent.calls, 0), "max_tokens": tokens, "max_cost": cost}.items():
        limit = getattr(limits, name)
        if limit is not None and used >= limit:
            what, flag = name.removeprefix("max_"), "--" + name.replace("_", "-")
            lost = reserved(held, spent.unsettled if held else 0)
            raise BadInput(
                f"run {run} has spent {used:g} {what} already{lost}, and {flag} is {limit:g} over the run and its"
                " resumes",
                hint=f"promptkit resume {run} {flag} {2 * used:g}",
            )


def refuse_unpriced(limits: Limits, provider: Provider) -> None:
    """BadInput when there is a cap on the cost and no price to keep it by."""
    if limits.max_cost is None:
        return
    for each in provider.models if isinstance(provider, Chain) else (provider,):
        if priced(each) is None:
            written = f'in {price_files()[-1]}: ["{each.id}"] input = … and output = …, USD per million tokens'
            listed = [] if listing() else ["known prices of many models: pip install 'promptkit[prices]'"]
            hint = "\n".join([written, *listed, "or use --max-calls or --max-tokens"])
            raise BadInput(f"--max-cost needs a price, and {each.id} has none", hint=hint)


def estimate(requests: Sequence[Request], capabilities: Capabilities, price: Price | None = None) -> Need:
    """An upper bound of what one call for these draws takes: a token is at least one byte of UTF-8."""
    request = requests[0]
    given = sum(
        MESSAGE_OVERHEAD
        + sum(BLOB_TOKENS if isinstance(p, Blob) else _bytes(p.text) for p in m.content)
        + sum(MESSAGE_OVERHEAD + _bytes(call.id + call.name + call.arguments) for call in m.calls)
        for m in request.messages
    )
    given += _bytes(request.schema or "") + len(request.raw or ())
    given += sum(MESSAGE_OVERHEAD + _bytes(t.name + t.description + t.schema) for t in request.tools)
    room = request.max_tokens if request.max_tokens is not None else (capabilities.context or 4096)
    answer = len(requests) * room
    return Need(1, given + answer, charge(price, given, answer))


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def priced(provider: Provider) -> Price | None:
    """What its calls cost; None when nobody knows."""
    local = provider.capabilities.local  # telling its identity may take reading gigabytes of weights
    return price_of(provider.id, provider.capabilities, "" if local else provider.identity)


def charge(price: Price | None, input_tokens: int, output_tokens: int) -> float | None:
    """USD; None when the price is unknown."""
    return None if price is None else price.of(input_tokens, output_tokens)
