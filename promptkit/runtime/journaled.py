"""The journal in front of a provider: cache, checkpoint, replay and coalescing in one place.

Requests that differ only in draw and are asked for in the same tick of the loop travel in one call, where the
provider can draw several samples from one prefill.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from promptkit import errors
from promptkit.around import Around
from promptkit.errors import Paused, PromptkitError, ProviderError, ReplayMiss, TimeUp
from promptkit.events import Substituted, current_span, emit_once
from promptkit.journal import Journal, Stored, key
from promptkit.runtime.fitted import SomeCut
from promptkit.runtime.ledger import Nominal
from promptkit.types import Capabilities, Completion, Provider, Request, Usage

_Landed = tuple[Stored, bool]  # and whether this run bought it


@dataclass(slots=True)
class _Flight:
    """A call under way for one draw, and how many are waiting for it."""

    landing: asyncio.Future[_Landed]
    carrier: asyncio.Task[None] | None = None
    waiting: int = 0

    @property
    def given_up(self) -> bool:
        """Whether it is being stopped: nobody was waiting for it any more."""
        return self.carrier is not None and self.carrier.cancelling() > 0


class Journaled(Around):
    """A model that buys nothing twice. With `replay` it buys nothing at all."""

    inner: Provider

    def __init__(
        self, inner: Provider, journal: Journal, run: str, nominal: Nominal, *, replay: bool = False, fresh: int = 0
    ) -> None:
        self.inner = inner
        self._journal = journal
        self._run = run
        self._nominal = nominal
        self._replay = replay
        self._fresh = fresh
        self._failed = journal.failures(run) if replay else {}
        self._flights: dict[str, _Flight] = {}
        self._boarding: dict[str, dict[str, Request]] = {}

    @property
    def replaying(self) -> bool:
        """Whether it answers from the journal alone."""
        return self._replay

    def has(self, request: Request, /) -> bool:
        """Whether the completion is there, or on its way."""
        name = key(self._branched(request), self.inner.identity)
        return name in self._flights or self._journal.get(name) is not None

    async def pass_over(self, request: Request, error: PromptkitError, /) -> None:
        """Record that the run could not have it: a replay will not find it either."""
        await self._journal.fail(self._run, key(self._branched(request), self.inner.identity), record(error))

    def _branched(self, request: Request) -> Request:
        """The request on a branch of its own, whose draws no earlier run has used, when they are to be fresh."""
        return replace(request, draw=(-self._fresh, *request.draw)) if self._fresh else request

    async def complete(self, request: Request, /) -> Completion:
        """The journal's completion, or a bought one."""
        request = self._branched(request)
        name = key(request, self.inner.identity)
        again = name in self._flights  # a call of this run for the same draw is under way
        # A replay fails where the run failed, also when somebody has bought that completion since.
        stored, bought = None if name in self._failed else self._journal.get(name), False
        if stored is None:
            stored, bought = await self._fly(name, request) if not self._replay else (self._replayed(name), False)
        self._nominal.used(name, stored, cached=not bought)
        if not self._replay:
            self._journal.touch(self._run, name, current_span(), not bought)
        return replace(stored.completion, cached=again or not bought)

    async def aclose(self) -> None:
        """Stop what is still under way."""
        for boarded in self._boarding.values():
            self._land(boarded, _stopped())
        self._boarding.clear()
        carriers = {flight.carrier for flight in self._flights.values() if flight.carrier}
        for carrier in carriers:
            if not carrier.cancelling():  # once: a second time would break into the provider's tidying up
                carrier.cancel()
        await asyncio.gather(*carriers, return_exceptions=True)

    def _replayed(self, name: str) -> Stored:
        if failure := self._failed.get(name):
            raise revived(failure)
        raise ReplayMiss(
            "this run needs a call the journal does not have: a prompt, the code or the model has changed since",
            hint="make the run again without replay",
        )

    async def _fly(self, name: str, request: Request) -> _Landed:
        while (flight := self._flights.get(name)) and flight.given_up:
            await asyncio.wait({flight.landing})  # whoever asks again gets a call of its own, not that one's end
        if flight is None:
            loop = asyncio.get_running_loop()
            flight = self._flights[name] = _Flight(loop.create_future())
            group = request.canonical()
            if group not in self._boarding:
                self._boarding[group] = {}
                loop.call_soon(self._depart, group)
            self._boarding[group][name] = request
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.landing)
        finally:
            flight.waiting -= 1
            if flight.carrier and not flight.landing.done() and not self._wanted(flight.carrier):
                flight.carrier.cancel()

    def _wanted(self, carrier: asyncio.Task[None]) -> bool:
        return any(f.waiting for f in self._flights.values() if f.carrier is carrier)

    def _depart(self, group: str) -> None:
        """Send everything that boarded in this tick, in as few calls as the provider allows."""
        boarded: list[Request] = []
        for name, request in self._boarding.pop(group, {}).items():
            if self._flights[name].waiting:
                boarded.append(request)
            else:  # nobody waits for it already
                self._land([name], _stopped())
        if not boarded:
            return
        if len(boarded) > 1 and self.capabilities.native_n == self.capabilities.batch == 1 and boarded[0].temperature:
            emit_once(Substituted("several samples in one call", "a call for each sample"))
        for batch in plan(boarded, self.capabilities):
            self._send({key(request, self.inner.identity): request for request in batch})

    def _send(self, batch: dict[str, Request]) -> None:
        carrier = asyncio.get_running_loop().create_task(self._carry(batch))
        for name in batch:
            # The spare draws of a batch may be on their way already, by another call.
            if (flight := self._flights.get(name)) and flight.carrier is None:
                flight.carrier = carrier

        def strand(_: asyncio.Task[None]) -> None:  # it was cancelled before it began, or could not say what went wrong
            error = None if carrier.cancelled() else carrier.exception()
            self._land(batch, error or _stopped(), carrier)

        carrier.add_done_callback(strand)

    async def _carry(self, batch: dict[str, Request]) -> None:
        carrier = asyncio.current_task()
        try:
            landed = await self._secure(batch)
        except PromptkitError as error:
            await self._note(batch, error, carrier)
            self._land(batch, error, carrier)
        except asyncio.CancelledError:
            await asyncio.shield(self._note(batch, _stopped(), carrier))
            self._land(batch, _stopped(), carrier)
            raise
        except BaseException as error:  # a bug: it must reach the strategy, not vanish in a task
            self._land(batch, error, carrier)
        else:
            self._bring(batch, landed, carrier)

    def _bring(self, batch: dict[str, Request], landed: dict[str, _Landed], carrier: asyncio.Task[None] | None) -> None:
        """Hand over what came; what was cut short gets a call of its own, as long as it was asked for."""
        for name, request in batch.items():
            if (flight := self._flights.get(name)) is None or flight.carrier is not carrier:
                continue
            if name not in landed:
                flight.carrier = None
                self._send({name: request})
                continue
            del self._flights[name]
            if not flight.landing.done():
                flight.landing.set_result(landed[name])

    async def _note(self, batch: dict[str, Request], error: PromptkitError, carrier: asyncio.Task[None] | None) -> None:
        """Record for a replay that the run could not have these."""
        for name in batch:
            if (flight := self._flights.get(name)) and flight.carrier is carrier:
                await self._journal.fail(self._run, name, record(error))

    def _land(self, names: Iterable[str], error: BaseException, carrier: asyncio.Task[None] | None = None) -> None:
        """Hand the error to whoever waits for what this carrier has, or for what none has yet."""
        for name in names:
            if (flight := self._flights.get(name)) is None or flight.carrier is not carrier:
                continue
            del self._flights[name]
            if not flight.landing.done():
                flight.landing.set_exception(error)
                flight.landing.exception()  # seen, even when every waiter has gone

    async def _secure(self, batch: dict[str, Request]) -> dict[str, _Landed]:
        """Each draw of the batch, bought by us or by whoever claimed it first; without those that were cut short."""
        have: dict[str, _Landed] = {}
        while want := {name: request for name, request in batch.items() if name not in have}:
            ours = await self._journal.claim(list(want), self._run)
            if ours:
                # A whole batch is always generated whole: a part of it would not give the same texts.
                asked = batch if self.capabilities.batch > 1 else {n: r for n, r in want.items() if n in ours}
                have |= (bought := await self._buy(asked, ours))
                if len(bought) < len(asked):
                    return have
            for name in want:
                if name not in have and (stored := await self._journal.wait(name)):
                    have[name] = (stored, False)
        return have

    async def _buy(self, batch: dict[str, Request], ours: set[str]) -> dict[str, _Landed]:
        try:
            named, usage = await self._bought(batch)
            call = hashlib.sha256("".join(name for name, _ in named).encode()).hexdigest()
            request = next(iter(batch.values()))
            if named:  # shielded: what is paid for is kept, even when the run is being stopped
                await asyncio.shield(self._journal.store(call, named, usage, request, self.inner.identity))
            if len(named) < len(batch):
                await self._journal.release(list(ours))
        except BaseException:  # nobody may wait for ever for what will not come
            await asyncio.shield(self._journal.release(list(ours)))
            raise
        return {name: (Stored(completion, call, len(named), usage), True) for name, completion in named}

    async def _bought(self, batch: dict[str, Request]) -> tuple[list[tuple[str, Completion]], Usage]:
        """What came, by key, and what all of it took: also what was cut short, which is not among it."""
        cut: Collection[int] = ()
        try:
            completions = await self.inner.complete_many(list(batch.values()))
        except SomeCut as some:
            completions, cut = some.completions, some.cut
        if len(completions) != len(batch):
            raise ProviderError(f"{self.id} gave {len(completions)} replies where {len(batch)} were asked for")
        usage = sum((completion.usage for completion in completions), Usage())
        came = enumerate(zip(batch, completions, strict=True))
        return [pair for place, pair in came if place not in cut], usage


def plan(requests: Sequence[Request], capabilities: Capabilities) -> list[list[Request]]:
    """The calls for draws of one request: aligned whole batches, runs of consecutive draws, or one by one."""
    alone = requests[0].temperature == 0 or requests[0].weak is not None  # one that may be ended early, by itself
    most = 1 if alone else capabilities.native_n
    if capabilities.batch > 1 and not alone:
        size = capabilities.batch
        starts = sorted({request.index // size * size for request in requests})
        return [[requests[0].at(i) for i in range(start, start + size)] for start in starts]
    calls: list[list[Request]] = []
    for request in sorted(requests, key=lambda r: r.index):
        if calls and len(calls[-1]) < most and calls[-1][-1].index + 1 == request.index:
            calls[-1].append(request)
        else:
            calls.append([request])
    return calls


def _stopped() -> TimeUp:
    return TimeUp("stopped before this call came back")


def record(error: PromptkitError) -> dict[str, str]:
    """An error as the journal keeps it for a replay."""
    later = {"not_before": error.not_before} if isinstance(error, Paused) else {}
    return {"type": type(error).__name__, "message": error.message, "hint": error.hint, **later}


def revived(failure: dict[str, str]) -> PromptkitError:
    """The error a run had, from the journal."""
    kind = getattr(errors, failure["type"], PromptkitError)
    if not (isinstance(kind, type) and issubclass(kind, PromptkitError)) or kind is errors.UnknownName:
        kind = PromptkitError
    later = {"not_before": failure.get("not_before", "")} if kind is Paused else {}
    return kind(failure["message"], hint=failure.get("hint", ""), **later)
