"""A model that answers by what stands in its prompt, and a run of a strategy on it; every call is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from promptkit import api
from promptkit.events import Best, Record, Stopped, Warned
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.runtime.run import execute
from promptkit.types import Completion, Outcome, Request, Strategy

Said = str | Completion | BaseException
Rule = tuple[str, Said | Sequence[Said] | Callable[[Request], Said]]  # words of the last turn; the reply, or one a draw
E = TypeVar("E")

NUMBER = {"reader": "number"}


class Script:
    """Answers by the first rule whose words are in the last turn."""

    def __init__(self, *rules: Rule, otherwise: str = "Answer: 42") -> None:
        self.asked: list[Request] = []
        self._rules, self._otherwise = rules, otherwise

    def __call__(self, request: Request) -> str | Completion:
        self.asked.append(request)
        for words, say in (*self._rules, ("", self._otherwise)):
            if words not in request.messages[-1].text:
                continue
            said = say(request) if callable(say) else say
            if isinstance(said, Sequence) and not isinstance(said, str):
                said = said[min(request.index, len(said) - 1)]
            if isinstance(said, BaseException):
                raise said
            return said
        raise AssertionError

    @property
    def prompts(self) -> list[str]:
        """The last turn of every call, in order."""
        return [request.messages[-1].text for request in self.asked]


@dataclass(frozen=True, slots=True)
class Done:
    """What a run gave, and its events."""

    outcome: Outcome
    records: list[Record]

    def of(self, kind: type[E]) -> list[E]:
        """The events of a kind."""
        return [each.event for each in self.records if isinstance(each.event, kind)]

    @property
    def best(self) -> list[str | None]:
        """The run's best answers, in order."""
        return [each.event.answer for each in self.records if isinstance(each.event, Best) and "~" not in each.span]

    @property
    def told(self) -> str:
        """Warnings, and why it stopped."""
        return "\n".join([*(each.message for each in self.of(Warned)), *(each.reason for each in self.of(Stopped))])


def run(strategy: Strategy | str, script: Script, question: str = "How many?", **how: Any) -> Done:
    """A run with a journal of its own, no call of which is tried again."""
    seen: list[Record] = []
    with Journal.open(None) as fresh:
        journal = how.pop("journal", fresh)
        made = api.plan(strategy, question, model=Scripted(script, name="script"), journal=journal, **how)
        made = replace(made, options=replace(made.options, attempts=1))
        return Done(asyncio.run(execute(made, [seen.append])), seen)


def cut(text: str) -> Completion:
    """A reply that was cut off at max_tokens."""
    return Completion(text=text, model="scripted:script", finish="length")
