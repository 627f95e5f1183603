"""Questions put through versions of a prompt: what each gets right, and what that takes, as if nothing were cached."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, cast

from promptkit import announced, prompts
from promptkit.announced import Forecast
from promptkit.around import Around
from promptkit.errors import BadInput
from promptkit.exchange import key_of, reader_of, verified, world_of
from promptkit.optimizing.questions import Item
from promptkit.prompts import Prompt, Standing
from promptkit.reflecting.drafts import drafted, lost
from promptkit.types import Completion, Model, Outcome, Problem, Request, Strategy


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a question: 1 for right, 0 for wrong or unreadable, None where the call failed."""

    right: float | None
    text: str
    asked: frozenset[str]  # the calls it took, as their names in the journal have them


@dataclass(slots=True)
class Purse:
    """A budget, and what of it is spent: completions and their tokens, nominal."""

    calls: int | None
    tokens: int | None
    spent_calls: int = 0
    spent_tokens: int = 0
    dearest_calls: float = 0.0  # the most that one question took so far
    dearest_tokens: float = 0.0

    def pay(self, calls: int, tokens: int) -> None:
        """Count what a question took."""
        self.spent_calls, self.spent_tokens = self.spent_calls + calls, self.spent_tokens + tokens
        self.dearest_calls = max(self.dearest_calls, calls)
        self.dearest_tokens = max(self.dearest_tokens, tokens)

    def holds(self, questions: float, kept: float = 0.0) -> bool:
        """Whether so many more questions fit, beside those it is kept for."""
        room = questions + kept
        fits_calls = self.calls is None or self.spent_calls + room * self.dearest_calls <= self.calls
        fits_tokens = self.tokens is None or self.spent_tokens + room * self.dearest_tokens <= self.tokens
        return fits_calls and fits_tokens


@dataclass(frozen=True, slots=True)
class Asking:
    """A strategy that answers with versions of a prompt."""

    strategy: Strategy
    problem: Problem  # the pack, the reader and the seed
    model: Model
    purse: Purse

    async def replies(self, pairs: Sequence[tuple[Prompt, Item]], *, where: str) -> list[Reply]:
        """What each prompt answers to its question, in order; raises where every call of the round failed."""
        models = [Counted(self.model) for _ in pairs]
        tasks = [
            (shown(self.strategy, item), self.put(prompt, item), model)
            for (prompt, item), model in zip(pairs, models, strict=True)
        ]
        outcomes = await drafted(tasks, where=where)
        for model in models:
            self.purse.pay(model.calls, model.tokens)
        return [
            Reply(self._right(item, task[1], prompt, outcome), outcome.text, frozenset(model.asked))
            for (prompt, item), task, outcome, model in zip(pairs, tasks, outcomes, models, strict=True)
        ]

    def put(self, prompt: Prompt, item: Item) -> Problem:
        """The question as a problem whose pack has that version of the prompt."""
        return replace(self.problem, text=item.question, pack=Standing.of(self.problem.pack, prompt))

    @staticmethod
    def _right(item: Item, problem: Problem, prompt: Prompt, outcome: Outcome) -> float | None:
        if lost(outcome):
            return None
        if outcome.answer is None:
            return 0.0
        pack = prompts.pack(problem.pack)
        if item.answer is None:
            return float(bool(verified(world_of(pack, problem), problem, outcome.answer)))
        reader = reader_of(problem, pack, prompt)
        return float(key_of(reader, item.answer) == key_of(reader, outcome.answer))


def forecast(strategy: Strategy, problem: Problem, items: Iterable[Item]) -> Forecast:
    """The samples that one of the questions takes."""
    item = next(iter(items))
    return announced.forecast(shown(strategy, item), replace(problem, text=item.question))


def shown(strategy: Strategy, item: Item) -> Strategy:
    """The strategy with the examples that belong to a question; BadInput where it shows none."""
    if not item.examples:
        return strategy
    held: Any = strategy
    if not is_dataclass(held) or "examples" not in {each.name for each in fields(held)}:
        raise BadInput("these questions are asked with examples, and the strategy shows none", hint="few-shot(n=4)")
    return cast(Strategy, replace(cast(Any, held), examples=item.examples))


@dataclass(slots=True)
class Counted(Around):
    """A model whose completions are counted, whether the journal had them or not."""

    inner: Model
    calls: int = 0
    tokens: int = 0
    asked: set[str] = field(default_factory=set)

    async def complete(self, request: Request, /) -> Completion:
        """The inner model's."""
        self.calls += 1
        self.asked.add(f"{request.canonical()} {request.index}")
        completion = await self.inner.complete(request)
        self.tokens += completion.usage.tokens
        return completion
