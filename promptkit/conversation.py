"""A conversation as the journal holds it: the events of one run, read back as its exchanges.

Each message is a stretch of the run, RunStarted with what was said and RunEnded with the reply; ChatChanged says what
was taken back or set between two of them. Nothing else is kept, so what is shown, saved and gone on with is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from promptkit.types import Message, message

CHAT = "chat"  # what such a run is called where others have their strategy


@dataclass(frozen=True, slots=True)
class Exchange:
    """A message and its reply; a reply that was stopped, or ended early by an error, is `cut`."""

    said: str
    reply: str
    model: str
    draw: int = 0
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Pending:
    """A message without a reply: the draw it was to have, and the exchanges before it."""

    said: str
    draw: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What was said; `pending` is a message that got no reply at all."""

    exchanges: tuple[Exchange, ...] = ()
    persona: str = ""
    model: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)  # of the model; empty: as the run began
    pending: Pending | None = None

    @property
    def length(self) -> int:
        """How many messages were said, answered or not."""
        return len(self.exchanges) + (self.pending is not None)

    def history(self, after: int | None = None) -> tuple[Message, ...]:
        """The exchanges as a model is sent them: all, or the first ones."""
        return tuple(turn for each in self.exchanges[:after] for turn in _turns(each))

    def document(self, run: str = "") -> dict[str, Any]:
        """The stable JSON form, "promptkit.chat/1"."""
        messages: list[dict[str, Any]] = [{"role": "system", "content": self.persona}] if self.persona else []
        for each in self.exchanges:
            messages.append({"role": "user", "content": each.said})
            reply = {"role": "assistant", "content": each.reply, "model": each.model}
            messages.append({**reply, "cut": True} if each.cut else reply)
        return {"schema": "promptkit.chat/1", "run": run or None, "model": self.model, "messages": messages}


def read(events: Iterable[Mapping[str, Any]]) -> Conversation:
    """The conversation that a run's events tell of."""
    found = Conversation()
    for event in events:
        match event.get("type"):
            case "RunStarted":
                params = event["params"]
                sent = Pending(event["question"], params["draw"], params["after"])
                found = replace(found, model=event["model"], persona=params["persona"], pending=sent)
            case "RunEnded" if (asked := found.pending) and event["answer"]:
                got = Exchange(asked.said, event["answer"], found.model, asked.draw, event["status"] != "done")
                found = replace(found, exchanges=(*found.exchanges[: asked.after], got), pending=None)
            case "ChatChanged":
                kept, pending = event["kept"], found.pending
                found = Conversation(
                    exchanges=found.exchanges[:kept],
                    persona=event["persona"],
                    model=event["model"],
                    options=event["options"],
                    pending=pending if kept > len(found.exchanges) else None,
                )
            case _:
                pass
    return found


def _turns(exchange: Exchange) -> tuple[Message, Message]:
    return message("user", exchange.said), message("assistant", exchange.reply)
