"""A strategy run on a model whose replies are a function of the prompt, and all that can be seen of the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import promptkit as pk
from promptkit import events
from promptkit.announced import forecast
from promptkit.errors import Unavailable
from promptkit.journal import Journal
from promptkit.types import Completion, Outcome, Problem, Request, Strategy

Say = Callable[[str, Request], str | Completion]  # all turns as one text, and the request


@dataclass
class Told:
    """What became of a run."""

    outcome: Outcome
    requests: list[Request] = field(default_factory=list)
    records: list[events.Record] = field(default_factory=list)

    @property
    def prompts(self) -> list[str]:
        """What was asked, each as one text, in order."""
        return [text_of(request) for request in self.requests]

    @property
    def best(self) -> list[str | None]:
        """The answers the run would have had, one after the other."""
        own = (each.event for each in self.records if "~" not in each.span)
        return [event.answer for event in own if isinstance(event, events.Best)]

    def of(self, kind: type[Any]) -> list[Any]:
        """The events of a kind."""
        return [each.event for each in self.records if isinstance(each.event, kind)]


def text_of(request: Request) -> str:
    """All turns as one text."""
    return "\n".join(turn.text for turn in request.messages)


def told(strategy: Strategy, say: Say, question: str = "What is six times seven?", /, **how: Any) -> Told:
    """Run it, on nothing but memory; a call it makes twice is asked once."""
    found = Told(Outcome(answer=None))

    def reply(request: Request) -> str | Completion:
        found.requests.append(request)
        return say(text_of(request), request)

    with Journal.open(None) as journal:
        sinks = [found.records.append]
        model = pk.Scripted(reply, name="retold")
        found.outcome = pk.run(strategy, question, model=model, journal=journal, sinks=sinks, **how)
    return found


def samples_within_forecast(strategy: Strategy, ran: Told, **problem: Any) -> None:
    """The samples taken are as many as were announced."""
    said = forecast(strategy, Problem(text="What is six times seven?", **problem))
    taken = ran.outcome.usage.samples
    assert said.least <= taken, (said, taken)
    assert said.most is None or taken <= said.most, (said, taken)


def down(*_: object) -> Completion:
    """A call that fails for good."""
    raise Unavailable("the model is away")


def cut(text: str) -> Completion:
    """A reply that was cut off at max_tokens."""
    return Completion(text=text, model="scripted:retold", finish="length")
