"""The states of a problem as a search sees them: by the rules of its pack's world, or as free text."""

from __future__ import annotations

from typing import Any

from promptkit import prompts
from promptkit.algorithms.search.nodes import Thought
from promptkit.exchange import put, world_of
from promptkit.prompts import Prompt
from promptkit.searching.steps import follow, states_answer
from promptkit.searching.terms import Terms
from promptkit.types import Problem, Request, World


class States:
    """A problem under its terms: where a search begins, what a thought leads to, and what a prompt says of a state."""

    def __init__(self, problem: Problem, terms: Terms) -> None:
        self.problem = problem
        self.terms = terms
        self.pack = prompts.pack(problem.pack)
        self.world: World | None = world_of(self.pack, problem)
        start = self.world.start(problem.text) if self.world else ""
        self.root = Thought("", start, self._key(start))
        self._templates: dict[str, Prompt] = {}  # looked up once a search

    def follow(self, state: str, line: str) -> Thought | str:
        """The thought with the state it leads to, or why it is not followed."""
        if self.world is not None:
            return follow(self.world, state, line)
        after = f"{state}\n{line}" if state else line
        return Thought(line, after, self._key(after), terminal=states_answer(line))

    def show(self, state: str) -> str:
        """The state as a prompt shows it."""
        return self.world.show(state) if self.world and state else state

    def template(self, name: str) -> Prompt:
        """The pack's template of that name, or general's."""
        return self._templates.get(name) or self._templates.setdefault(name, self.pack.template(name))

    def request(self, name: str, state: str = "", /, **more: Any) -> Request:
        """A request that puts a state through a template, at the temperature of the search unless another is given."""
        terms = self.terms
        decoding = {"temperature": more.pop("temperature", terms.temperature), "max_tokens": terms.reply_tokens}
        return put(self.problem, self.template(name), {"state": self.show(state), **more}, **decoding)

    def _key(self, state: str) -> str:
        return self.world.key(state) if self.world else " ".join(state.casefold().split())
