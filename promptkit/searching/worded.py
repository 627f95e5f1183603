"""A model that knows its own prompts only, asked by a strategy how good a state is: in the words of its pack."""

from __future__ import annotations

from dataclasses import dataclass, replace

from promptkit import prompts
from promptkit.around import Around
from promptkit.errors import BadInput
from promptkit.exchange import put
from promptkit.types import Completion, Model, Problem, Request

ONE_PROMPT = {"sc": "cot", "cot": "cot", "direct": "solve"}  # strategies that ask one question in one template


@dataclass(frozen=True, slots=True)
class Worded(Around):
    """A model that is put the value template of the pack where a strategy puts the question through its own."""

    inner: Model
    problem: Problem  # the question, as the strategy has it
    asked: Request  # the same, as the model was trained on it

    async def complete(self, request: Request, /) -> Completion:
        """The verdict; BadInput for whatever else the strategy asks."""
        pack = prompts.pack(self.problem.pack)
        if all(put(self.problem, pack.template(t)).messages != request.messages for t in ONE_PROMPT.values()):
            raise unasked(self.inner, "a further question of it")
        asked = replace(request, messages=self.asked.messages, max_tokens=self.asked.max_tokens)
        return await self.inner.complete(asked)


def unasked(model: Model, what: str) -> BadInput:
    """The error for an evaluator that would ask what the model was never taught."""
    told = f"{model.id} knows no prompts but its own, and judges a state in those alone: {what} does not go there"
    return BadInput(told, hint='--evaluator "sc(n=3)", or cot; or another model: -m ollama:qwen3:8b')
