"""The calls of a recorded run: what each was asked, said and took."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from promptkit.cli.form import printable
from promptkit.cli.speak import clean, err, out, out_json
from promptkit.errors import BadInput
from promptkit.types import Capabilities, Completion, Model, Outcome, Problem, Request, Strategy

if TYPE_CHECKING:
    from promptkit.journal import Journal, RunRow

_TOLD = ("span", "draw", "cached", "input_tokens", "output_tokens", "seconds", "finish", "error")


def calls_of(journal: Journal, row: RunRow) -> Iterator[dict[str, Any]]:
    """The run's calls, numbered from 1 in the order they came back; `text` is null for one that failed."""
    # A completion is noted as used in the very step its CallEnded is emitted: the n-th use is the n-th success.
    used = iter(journal.calls(row.id))
    ended = (event for event in journal.events(row.id) if event["type"] == "CallEnded")
    for number, event in enumerate(ended, start=1):
        key, span, _ = ("", "", False) if event["error"] else next(used, ("", "", False))
        stored = journal.get(key) if key and span == event["span"] else None
        reply = stored.completion if stored else None
        yield {
            "call": number,
            **{name: event[name] for name in _TOLD},
            "prompt": event["key"],
            "model": reply.model if reply else None,
            "text": reply.text if reply else None,
            "reasoning": reply.reasoning if reply else None,
        }


def show_call(journal: Journal, row: RunRow, number: int, as_json: bool) -> None:
    """Print the whole prompt and reply of a call."""
    calls = list(calls_of(journal, row))
    if not 1 <= number <= len(calls):
        hint = f"--call 1 to --call {len(calls)}" if calls else f"promptkit runs show {row.id}"
        raise BadInput(f"run {row.id} has {len(calls)} calls, no call {number}", hint=hint)
    call = calls[number - 1]
    asked = requests_of(journal, row).get(call["prompt"])
    if as_json:
        turns = [{"role": turn.role, "text": turn.text} for turn in asked.messages] if asked else None
        return out_json({"schema": "promptkit.call/1", "run": row.id, **call, "messages": turns})
    out(_headline(call, len(calls)))
    for turn in asked.messages if asked else ():
        out(f"\n[{turn.role}]\n{printable(turn.text)}")
    if call["reasoning"]:
        out(f"\n[reasoning]\n{printable(call['reasoning'])}")
    if call["text"] is not None:
        out(f"\n[reply]\n{printable(call['text'])}")
    if asked is None:
        err("the prompt cannot be shown: its template, the strategy or the code has changed since this run")
    return None


def requests_of(journal: Journal, row: RunRow) -> dict[str, Request]:
    """What the run asked, by prompt digest, found by replaying it: the journal keeps replies, not prompts.

    A request that is not found has changed since, or comes after one that has.
    """
    from promptkit import sync
    from promptkit.api import plan_again
    from promptkit.runtime.observed import prompt_digest

    asked: list[Request] = []
    with suppress(Exception):  # what was heard before a changed strategy went astray is right all the same
        plan = plan_again(row.id, "replay", journal=journal)
        sync.run(replace(plan, strategy=_Overheard(plan.strategy, asked)).execute())
    seeded = (replace(request, seed=row.seed) for request in asked)
    return {prompt_digest(request): request for request in seeded}


@dataclass(frozen=True, slots=True)
class _Overheard:
    """A strategy whose requests are noted."""

    strategy: Strategy
    asked: list[Request] = field(repr=False)

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        return await self.strategy.solve(problem, _Ear(model, self.asked))


@dataclass(frozen=True, slots=True)
class _Ear:
    inner: Model
    asked: list[Request]

    @property
    def id(self) -> str:
        return self.inner.id

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities

    async def complete(self, request: Request, /) -> Completion:
        self.asked.append(request)
        return await self.inner.complete(request)


def _headline(call: dict[str, Any], calls: int) -> str:
    from promptkit.render.amounts import lasting, short

    draw = "/".join(map(str, call["draw"]))
    words = [f"call {call['call']} of {calls}", call["span"], f"draw {draw}"]
    if call["error"]:
        return clean(" · ".join([*words, f"failed: {call['error']}"]))
    tokens = f"{short(call['input_tokens'])} → {short(call['output_tokens'])} tokens"
    words += [tokens, "cached" if call["cached"] else lasting(call["seconds"])]
    return clean(" · ".join([*words, *([call["finish"]] if call["finish"] != "stop" else [])]))
