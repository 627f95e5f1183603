"""One call of an SDK inside a recording: looked up, reserved, settled, kept."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
import time
from collections import defaultdict
from contextvars import copy_context
from typing import TYPE_CHECKING

from promptkit.errors import BadInput, JournalError, ReplayMiss
from promptkit.events import CallEnded, CallStarted, current_span, emit
from promptkit.journal import Stored
from promptkit.prices import price_of
from promptkit.recording.asked import Asked
from promptkit.recording.reply import Reply, restored
from promptkit.recording.told import Told, tell
from promptkit.runtime.budgeted import Need, charge
from promptkit.types import Capabilities, Completion, Usage

if TYPE_CHECKING:
    from promptkit.recording.recording import Recording

UNSENT = ("ConnectError", "PoolTimeout", "UnsupportedProtocol")  # httpx's errors of requests nobody has received


class Draws:
    """Which draw of a prompt a call is: equal calls are independent samples, also when a later run makes them."""

    def __init__(self) -> None:
        self._taken: defaultdict[str, set[int]] = defaultdict(set)
        self._lock = threading.Lock()

    def take(self, prompt: str) -> int:
        """The lowest number that no other call has."""
        with self._lock:
            taken = self._taken[prompt]
            index = next(number for number in range(len(taken) + 1) if number not in taken)
            taken.add(index)
            return index

    def give_back(self, prompt: str, index: int) -> None:
        """The call came to nothing: when it is made again, it is the same draw."""
        with self._lock:
            self._taken[prompt].discard(index)


class Exchange:
    """A call from its lookup to its end; begin() comes first, and then exactly one of the endings counts."""

    def __init__(self, recording: Recording, asked: Asked) -> None:
        self._recording = recording
        self._asked = asked
        self._prompt = asked.prompt
        self._context = copy_context()  # a stream may be read anywhere: what it gave belongs here
        self._began = time.monotonic()
        identity = json.dumps({"base_url": asked.address})
        self._price = price_of(asked.model, Capabilities(local=asked.local), identity)
        given, made = asked.tokens()
        self._need = Need(1, given + made, charge(self._price, given, made))
        self._index = 0
        self._key = ""
        self._attempt = 0
        self._lock = threading.Lock()
        self._away = self._open = False

    @property
    def over(self) -> bool:
        """Whether it has come to its end."""
        return not self._open

    async def begin(self) -> Reply | None:
        """The reply when the journal has it; else the call may be made now. Cut, ReplayMiss and BadInput say no."""
        recording, caps = self._recording, self._recording.caps
        await recording.started(self._asked)
        kept = self._draw()
        self._context.run(emit, CallStarted(self._prompt, (self._index,), self._asked.request()))
        try:
            if kept:
                caps.replayed()
                self._used(tell(kept), cached=True)
                return kept
            self._refuse()
            await caps.reserve(self._need)
        except BaseException as error:
            self._failed(f"{type(error).__name__}: {error}")
            raise
        try:
            need = self._need
            self._attempt = await recording.journal.begin(recording.run, self._key, need.tokens, need.cost)
        except BaseException as error:
            caps.release(self._need)
            self._failed(f"{type(error).__name__}: {error}")
            raise
        self._away = self._open = True
        return None

    def answered(self) -> None:
        """The head of the reply has come, and its body is read in pieces."""
        with self._lock:
            away, self._away = self._away, False
        if away:
            self._recording.caps.answered()

    async def end(self, reply: Reply) -> None:
        """The reply is here: it is settled by what it says, and kept when it is an answer."""
        if not self._close():
            return None
        if not 200 <= reply.status < 300:
            self._settle(self._worked(reply.status >= 500), f"HTTP {reply.status}")
            return self._failed(f"HTTP {reply.status}")
        told = tell(reply)
        if not told.whole:
            self._settle(told.usage or self._worked(True), "not a whole reply")
            return self._failed("not a whole reply")
        usage = told.usage or self._worked(True)  # who tells nothing is charged the whole reservation
        self._settle(usage, "")
        # Shielded: what is paid for is kept, even when the caller is being stopped.
        await asyncio.shield(self._keep(reply, told, usage))
        return None

    def fail(self, error: BaseException) -> None:
        """The connection failed, or whoever waited was stopped: then nobody knows what the call came to."""
        if not self._close():
            return
        if isinstance(error, Exception):
            self._settle(self._worked(type(error).__name__ not in UNSENT), type(error).__name__)
        else:
            self._lose()
        self._failed(type(error).__name__)

    def abandon(self) -> None:
        """Its stream was closed before the end: no answer to keep, and it may be billed."""
        if self._close():
            self._lose()
            self._failed("abandoned", again=False)

    def _draw(self) -> Reply | None:
        """Take a draw: the next of this recording, or the next that was never taken where nothing is replayed."""
        journal, draws = self._recording.journal, self._recording.draws
        while True:
            self._index = draws.take(self._prompt)
            named = f"{self._prompt}\n{self._index}"
            self._key = hashlib.sha256(named.encode()).hexdigest()
            stored = journal.wire(self._key)
            if stored is None:
                return None
            if self._recording.replay != "off":
                return restored(stored)

    def _refuse(self) -> None:
        asked = self._asked
        if self._recording.replay == "only":
            hint = 'replay="auto" makes the call and keeps the reply'
            raise ReplayMiss(f"the journal has no reply to this call of {asked.model} at {asked.address}", hint=hint)
        if self._price is None and self._recording.caps.capped_cost:
            hint = f'in prices.toml: ["{asked.model}"] input = … and output = …, USD per million tokens\nor max_calls'
            raise BadInput(f"max_cost needs a price, and {asked.model} has none", hint=hint)

    def _worked(self, worked: bool) -> Usage:
        """What a call is charged that does not say what it took: everything, or nothing where no work was done."""
        return Usage(calls=1, input_tokens=self._need.tokens if worked else 0)

    def _close(self) -> bool:
        """Whether this is the call's end; any later one is none."""
        with self._lock:
            was, self._open = self._open, False
        if was:
            self.answered()
        return was

    def _settle(self, usage: Usage, error: str) -> None:
        tokens = usage.input_tokens, usage.output_tokens
        cost = charge(self._price, *tokens) if usage.tokens else 0.0
        self._recording.caps.settle(self._need, usage, usage.tokens, cost)
        self._recording.journal.settle(
            self._attempt,
            input_tokens=tokens[0],
            output_tokens=tokens[1],
            cost=cost,
            samples=usage.samples,
            reasoning_tokens=usage.reasoning_tokens,
            error=error,
        )

    def _lose(self) -> None:
        """Charge all that was held; in the journal the attempt stays without an end."""
        self._recording.caps.settle(self._need, Usage(calls=1), self._need.tokens, self._need.cost)

    async def _keep(self, reply: Reply, told: Told, usage: Usage) -> None:
        try:
            await self._recording.journal.store(
                hashlib.sha256(self._key.encode()).hexdigest(),
                [(self._key, self._completion(told, usage))],
                usage,
                self._asked.request(),
                json.dumps({"address": self._asked.address}),
                wire=reply.stored(),
            )
        except JournalError as error:  # the caller has the reply: it is told where the block ends
            self._recording.lost(error)
        else:
            self._used(told, cached=False)
        await self._recording.noted()

    def _completion(self, told: Told, usage: Usage, *, cached: bool = False) -> Completion:
        return Completion(
            text=told.text,
            model=self._asked.model,
            usage=usage,
            finish=told.finish,
            reasoning=told.reasoning or None,
            seconds=0.0 if cached else round(time.monotonic() - self._began, 3),
            cached=cached,
        )

    def _used(self, told: Told, *, cached: bool) -> None:
        stored = self._recording.journal.get(self._key)
        usage = stored.usage if stored else told.usage or Usage()
        completion = self._completion(told, usage, cached=cached)
        record = Stored(completion, stored.call if stored else self._key, usage.samples, usage)
        event = CallEnded(
            self._prompt,
            (self._index,),
            cached,
            usage.input_tokens,
            usage.output_tokens,
            completion.seconds,
            completion.finish,
            completion=completion,
        )
        span = self._context.run(current_span)
        self._recording.used(self._key, span, record, lambda: self._context.run(emit, event))

    def _failed(self, error: str, *, again: bool = True) -> None:
        seconds = round(time.monotonic() - self._began, 3)
        event = CallEnded(self._prompt, (self._index,), False, 0, 0, seconds, error=error)
        self._context.run(emit, event)
        if again:
            self._recording.draws.give_back(self._prompt, self._index)
