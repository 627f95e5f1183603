"""A search driven by a model: every step it asks for is a round of calls, every report of it an event.

The searches are in algorithms/search and know no model. What they ask is answered in the order in which they asked,
all at once, so the tree is the same in whatever order replies come.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from promptkit.algorithms.search.mcts_outputs import Weigh, answer_weights
from promptkit.algorithms.search.nodes import (
    Evaluate,
    Expand,
    Judge,
    Level,
    Node,
    Search,
    Statistics,
    Thought,
    Turn,
    Widen,
)
from promptkit.events import NodeAdded, emit
from promptkit.searching.concluding import Conclusion
from promptkit.searching.generating import Generator
from promptkit.searching.judging import Evaluator
from promptkit.searching.reporting import Reporter
from promptkit.searching.states import States
from promptkit.searching.terms import Terms
from promptkit.types import Model, Outcome, Problem

Make = Callable[[Thought], Search]  # the search from its root


async def searched(problem: Problem, model: Model, terms: Terms, make: Make, *, weigh: Weigh | None = None) -> Outcome:
    """The answer of the best state that the search finds; with `weigh`, of the answer that weighs most in its tree."""
    return await _Run(problem, model, terms).found(make, weigh)


async def played(search: Search, answered: Callable[[Any], Awaitable[Any]]) -> tuple[Sequence[Node], Statistics]:
    """The nodes that a search returns, and what a Monte-Carlo search has learnt of its tree."""
    reply, statistics = None, Statistics(())
    while True:
        try:
            step = search.send(reply)
        except StopIteration as done:
            return done.value, statistics
        if isinstance(step, Statistics):
            statistics = step
        reply = await answered(step)


class _Run:
    """One search: the calls, and what they say to whoever watches."""

    def __init__(self, problem: Problem, model: Model, terms: Terms) -> None:
        self.terms = terms
        self.states = States(problem, terms)
        self.conclusion = Conclusion(self.states, model)
        self.generator = Generator(self.states, model, self.conclusion.reached)
        self.evaluator = Evaluator(self.states, model)
        self.reporter = Reporter(terms.depth, terms.levels)
        self.rounds = 0  # of expansion
        self.finished: Node | None = None  # the best chain at its end, of all levels

    async def found(self, make: Make, weigh: Weigh | None) -> Outcome:
        """Play the search to its end and draw the answer."""
        emit(NodeAdded((), "", self.states.show(self.states.root.state)))
        with self.evaluator.hearing.told():
            found, statistics = await played(make(self.states.root), self._answered)
        if weigh:
            found = self._weighed(found, statistics, weigh)
        return await self.conclusion.outcome(found, self._detail(found))

    async def _answered(self, step: Any) -> Any:
        match step:
            case Expand():
                return await self.generator.expanded(step, self._where(step.level, True))
            case Widen():
                return await self.generator.widened(step, self._where(step.level, True))
            case Evaluate():
                return await self.evaluator.valued(step, self._where(step.level))
            case Judge():
                return await self.evaluator.judged(step, self._where(step.level))
            case Level():
                self.reporter.level(step)
                self._finish(step.kept)
            case Turn():
                self.reporter.turn(step)
                if step.best:
                    self.conclusion.leads(step.best)
        return None

    def _finish(self, kept: Sequence[Node]) -> None:
        """Finished chains leave a beam: what a later level keeps may be worth less than the best of them."""
        for node in kept:
            if node.thought.terminal and (self.finished is None or node.score > self.finished.score):
                self.finished = node
        if self.finished:
            self.conclusion.leads(self.finished)

    def _where(self, level: int, expands: bool = False) -> str:
        """The span of a round: levels have numbers of their own, other searches count their rounds."""
        self.rounds += expands
        return f"level-{level}" if self.terms.levels else f"turn-{self.rounds}"

    def _detail(self, found: Sequence[Node]) -> dict[str, Any]:
        detail: dict[str, Any] = {"kept": len(found), "verified": None}
        if not self.terms.levels:
            detail |= {"nodes": self.generator.joined, "turns": self.reporter.turns, "stop": self.reporter.stop}
        if failed := self.generator.failed + self.evaluator.hearing.failed:
            detail["failed"] = failed
        return detail | self.evaluator.hearing.detail

    def _weighed(self, found: Sequence[Node], statistics: Statistics, weigh: Weigh) -> Sequence[Node]:
        """The states found, with one first that gives the answer of the most weight in the whole tree."""
        keys: dict[Any, str | None] = {}

        def answer_of(node: Node) -> str | None:
            if node.path not in keys:
                stated = self.conclusion.stated(node)
                world = self.states.world
                keys[node.path] = world.assemble(node.thought.state) if world else stated.key if stated else None
            return keys[node.path]

        weights = answer_weights(statistics, answer_of, weigh)
        if not weights:
            return found
        heaviest = next(iter(weights))
        those = [each.node for each in statistics.nodes if keys.get(each.node.path) == heaviest]
        first = max(those, key=lambda node: node.score)
        return [first, *(node for node in found if node.path != first.path)]
