"""From the states a search has found to its answer: put together by program, read off the last thought, or drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from promptkit.algorithms.search.nodes import Node, Path, Thought
from promptkit.events import Best, emit
from promptkit.exchange import Answer, formed, mended, read, reader_of, verified, with_schema
from promptkit.sampling import ask
from promptkit.searching.states import States
from promptkit.types import Completion, Model, Outcome


class Conclusion:
    """The answer of one search as it comes about."""

    def __init__(self, states: States, model: Model) -> None:
        self.states = states
        self.model = model
        self.solved: Path | None = None  # the first verified goal: the answer, whatever comes after it
        self._read: dict[Path, Answer | None] = {}
        self._best: Path | None = None

    def reached(self, goal: Thought, path: Path) -> None:
        """A goal: if it is right, its answer is the best there can be."""
        world = self.states.world
        answer = world.assemble(goal.state) if world else None
        if answer and self.solved is None and verified(world, self.states.problem, answer):
            self.solved = path
            emit(Best(answer, text=goal.state, verified=True, node=path))

    def leads(self, node: Node) -> None:
        """The best state so far; where it states an answer, that is the best answer so far."""
        if node.path != self._best and (answer := self.stated(node)):
            self._best = node.path
            emit(Best(answer.shown, score=node.score, text=node.thought.state, node=node.path))

    def stated(self, node: Node) -> Answer | None:
        """The answer that a finished line of free thought states; None where the model must still be asked."""
        problem = self.states.problem
        if self.states.world or not node.thought.terminal or problem.output_schema is not None:
            return None
        if node.path not in self._read:
            reader = reader_of(problem, self.states.pack, self.states.template("answer"))
            self._read[node.path] = read(reader, Completion(text=node.thought.text, model=self.model.id))
        return self._read[node.path]

    async def outcome(self, found: Sequence[Node], detail: dict[str, Any]) -> Outcome:
        """The answer of the goal that was announced, else of the first of these states, and of no other."""
        if not found:
            return Outcome(answer=None, status="undecided", detail=detail | {"reason": "no legal thought was left"})
        best = next((node for node in found if node.path == self.solved), found[0])
        if world := self.states.world:
            answer = world.assemble(best.thought.state)
            right = verified(world, self.states.problem, answer)
            if answer is None:
                detail |= {"reason": f"no solution among the {len(found)} states kept"}
                return Outcome(answer=None, status="undecided", text=best.thought.state, detail=detail)
            return Outcome(answer=answer, text=best.thought.state, detail=detail | {"verified": right})
        if stated := self.stated(best):
            self.leads(best)
            return Outcome(answer=stated.shown, text=best.thought.state, detail=detail | {"path": best.path})
        return await self._drawn(best, detail)

    async def _drawn(self, best: Node, detail: dict[str, Any]) -> Outcome:
        """The conclusion that the model draws from a state."""
        template = self.states.template("answer")
        problem = with_schema(self.states.problem, template)
        request = self.states.request("answer", best.thought.state, temperature=None)
        request = formed(request, problem, self.model, template)
        completion = await ask(self.model, request, where="answer")
        answer = read(reader_of(problem, self.states.pack, template), completion)
        if answer is None and problem.output_schema is not None:
            answer, completion = await mended(request, completion, problem, self.model)
        if answer is None:
            detail |= {"finish": completion.finish}
            return Outcome(answer=None, status="undecided", text=completion.text, detail=detail)
        emit(Best(answer.shown, text=completion.text, node=best.path))
        return Outcome(answer=answer.shown, text=completion.text, detail=detail | {"path": best.path})
