"""Trajectories of a tree search that learns from those that failed (LATS, arXiv:2310.04406).

Every state gets several continuations; how often one comes up is its self-consistency, which is mixed with what the
model thinks of the state. A trajectory that ends wrongly is worth −1, and the first few such are reflected on: what
they taught stands before every later step and judgement. All of it belongs to one run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from promptkit.algorithms.search.nodes import Evaluate, Expand, Node, Path, Search, Thought, Turn
from promptkit.decisions import decide_all
from promptkit.events import Best, NodeAdded, NodeMerged, NodeSelected, NodeValued, Stopped, emit
from promptkit.exchange import Answer, read, reader_of, verified
from promptkit.lazy import Lazy
from promptkit.reflecting import evaluators
from promptkit.reflecting.drafts import Reply, drafted
from promptkit.reflecting.memory import reflected, remembered
from promptkit.sampling import LOSING, Sample, ask_all, fork, hold
from promptkit.searching.hearing import Hearing
from promptkit.searching.scale import Scale
from promptkit.searching.states import States
from promptkit.searching.steps import lines
from promptkit.searching.terms import Terms
from promptkit.types import Completion, Model, Outcome, Problem, Request

FAILED = -1.0  # what a trajectory is worth that ends wrongly
ANSWER, REFLECT = 1, 2  # branches of draws


class Trajectories:
    """The search of one run: its states, what they are worth, and what failures taught."""

    def __init__(self, problem: Problem, model: Model, terms: Terms, mix: float, reflections: int) -> None:
        self.problem, self.model, self.terms, self.mix = problem, model, terms, mix
        self.states = States(problem, terms)
        self.room = reflections  # failed trajectories that are reflected on
        self.consistency: dict[Path, float] = {}  # how often a step came up among those sampled with it
        self.reflections: list[str] = []
        self.failures: set[str] = set()  # keys of the states that failed trajectories ended in
        self.answers: dict[Path, Answer | None] = {}  # of finished trajectories
        self.asked: list[Sample] = []
        self.hearing = Hearing()  # of values and of verdicts on answers
        self.turn = self.added = 0
        self.best: str | None = None
        self.accepted: Node | None = None  # an answer that the judge accepts

    async def found(self, search: Search) -> Outcome:
        """Play the search to its end, or until an answer is accepted; the best trajectory is the answer."""
        emit(NodeAdded((), "", self.states.show(self.states.root.state)))
        reply: Any = None
        try:
            with self.hearing.told():
                while self.accepted is None:
                    reply = await self._answered(search.send(reply))
            search.close()
            emit(Stopped("the judge accepts an answer"))
            return await self._outcome([self.accepted])
        except StopIteration as done:
            return await self._outcome(done.value)

    async def _answered(self, step: Any) -> Any:
        match step:
            case Expand():
                self.turn += 1
                return await self._expanded(step.nodes)
            case Evaluate():
                return await self._valued(step.nodes)
            case Turn():
                for node, into in step.merged:
                    emit(NodeMerged(node.path, into))
                for rank, node in enumerate(step.chosen):
                    emit(NodeSelected(node.path, rank))
                if step.best:
                    self._lead(step.best)
        return None

    # expand ---------------------------------------------------------------------------------------------------

    async def _expanded(self, nodes: Sequence[Node]) -> list[list[Thought]]:
        """The n likeliest different continuations of each state, by how often they came up in n samples."""
        n, name = self.terms.k, self._step()

        def request(index: int) -> Request:
            first: Request = self._request(name, nodes[index // n].thought.state)
            return first.at(index % n)

        requests = Lazy(range(n * len(nodes)), request)
        drawn = await ask_all(self.model, requests, where=f"turn-{self.turn}/{name}", quorum=None)
        self.asked += drawn
        hold(self.asked, 0.0)  # a lost round is no reason to end; nothing but lost calls is
        found = []
        for at, node in enumerate(nodes):
            found.append(await self._continuations(node, drawn[at * n : (at + 1) * n]))
        return found

    async def _continuations(self, node: Node, drawn: Sequence[Sample]) -> list[Thought]:
        seen: dict[str, Thought] = {}
        often: dict[str, int] = {}
        for got in drawn:
            offered: dict[str, Thought] = {}
            for line in self._lines(got.completion):
                if (thought := self._followed(node.thought.state, line)) is not None:
                    offered.setdefault(thought.key, thought)
            for key, thought in offered.items():  # a list that says a step twice says it once
                seen.setdefault(key, thought)
                often[key] = often.get(key, 0) + 1
        chosen = sorted(seen, key=lambda key: -often[key])[: self.terms.k]
        for i, key in enumerate(chosen):
            path = (*node.path, i)
            self.consistency[path] = often[key] / len(drawn)
            self.added += 1
            emit(NodeAdded(path, seen[key].text, self.states.show(seen[key].state), seen[key].goal))
            if seen[key].value == FAILED:
                emit(NodeValued(path, FAILED, ("dead end",)))
                await self._failed(seen[key], "A program that knows the rules found that it leads nowhere.")
        return [seen[key] for key in chosen]

    def _followed(self, state: str, line: str) -> Thought | None:
        """The thought with its state; a dead end is a trajectory that failed, an illegal step is none."""
        thought = self.states.follow(state, line)
        if not isinstance(thought, str):
            return thought
        world = self.states.world
        after = world.step(state, line) if world and thought == "dead end" else None
        return Thought(line, after, f"dead end {after}", terminal=True, value=FAILED) if after else None

    def _lines(self, completion: Completion | None) -> list[str]:
        """The steps in a reply: lines of a list, or the whole of a step; half a step is none."""
        if completion is None:
            return []
        if self.states.world:
            return lines(completion)
        return [text] if completion.finish != "length" and (text := completion.text.strip()) else []

    # value ----------------------------------------------------------------------------------------------------

    async def _valued(self, nodes: Sequence[Node]) -> list[float]:
        """λ·LM + (1 − λ)·SC of each state; of a finished one the judge's verdict on its answer."""
        ended = [node for node in nodes if self._answer(node)]
        others = [node for node in nodes if node not in ended]
        worth = {**await self._thought_of(others), **await self._judged(ended)}
        return [worth[node.path] for node in nodes]

    async def _thought_of(self, nodes: Sequence[Node]) -> dict[Path, float]:
        scale = Scale.of(self.states.template("value"), unit=True)
        requests = [self._request("value", node.thought.state) for node in nodes]
        words: list[str | None] = [None] * len(nodes)
        if requests:
            where, pack = f"turn-{self.turn}/value", self.problem.pack
            try:
                told = await decide_all(self.model, requests, scale.words, where=where, pack=pack)
                words = [each.verdict for each in told]
                for each in told:
                    self.hearing.decided(each)
            except LOSING:  # what is known without the model still counts
                self.hearing.failed += len(requests)
        worth = {}
        for node, word in zip(nodes, words, strict=True):
            mixed = self.mix * scale.worth(word) + (1 - self.mix) * self.consistency.get(node.path, 0.0)
            emit(NodeValued(node.path, mixed, (word,)))
            worth[node.path] = mixed
        return worth

    async def _judged(self, nodes: Sequence[Node]) -> dict[Path, float]:
        """1 where the judge accepts the answer, −1 where it does not; without a verdict its self-consistency."""
        drafts = []
        for node in nodes:
            answer = self._answer(node)
            drafts.append(Outcome(answer=answer.shown if answer else None, text=node.thought.state))
        where = f"turn-{self.turn}/judge"
        told = await evaluators.judged(self.problem, self.model, drafts, self.hearing, where=where) if nodes else []
        worth = {}
        for node, judged in zip(nodes, told, strict=True):
            share = self.consistency.get(node.path, 0.0)
            worth[node.path] = share if judged.passed is None else 1.0 if judged.passed else FAILED
            emit(NodeValued(node.path, worth[node.path], (None if judged.passed is None else str(judged.passed),)))
            if judged.passed:
                self.accepted = self.accepted or replace(node, score=1.0)
            elif judged.passed is False:
                await self._failed(node.thought, judged.told)
        return worth

    async def _failed(self, thought: Thought, told: str) -> None:
        """Reflect on a failed trajectory, if it is a new one and there is room to remember it."""
        if thought.key in self.failures or len(self.failures) >= self.room:
            return
        self.failures.add(thought.key)
        where, branch = f"turn-{self.turn}/reflect-{len(self.failures)}", fork(self.model, REFLECT)
        if said := await reflected(self.problem, branch, thought.state, told, where=where):
            self.reflections.append(said)

    # conclude -------------------------------------------------------------------------------------------------

    async def _outcome(self, found: Sequence[Node]) -> Outcome:
        detail: dict[str, Any] = {"nodes": self.added, "turns": self.turn, "reflections": len(self.reflections)}
        detail |= {"failed": sum(got.error is not None for got in self.asked), "verified": None, **self.hearing.detail}
        if not found:
            return Outcome(answer=None, status="undecided", detail={**detail, "reason": "no step could be followed"})
        best, world = found[0], self.states.world
        text = best.thought.state
        if world:
            shown = world.assemble(text)
            detail["verified"] = verified(world, self.problem, shown)
            if shown is None:
                detail["reason"] = "no trajectory came to a solution"
        elif (answer := self._answer(best)) and self.problem.output_schema is None:
            shown = answer.shown
        else:  # no trajectory came to its end
            heat, room = self.terms.temperature, self.terms.reply_tokens
            task = (Reply("answer", {"state": text}, heat, room), self.problem, fork(self.model, ANSWER))
            (drawn,) = await drafted([task], where="answer")
            shown, text = drawn.answer, drawn.text
        if shown is None:
            return Outcome(answer=None, status="undecided", text=text, detail=detail)
        if shown != self.best:
            emit(Best(shown, best.score, text, bool(detail["verified"]), best.path))
        return Outcome(answer=shown, text=text, detail={**detail, "path": best.path})

    def _lead(self, node: Node) -> None:
        """Tell the best answer so far."""
        answer = self._answer(node)
        if answer and answer.shown != self.best:
            self.best = answer.shown
            emit(Best(answer.shown, node.score, node.thought.state, node=node.path))

    def _answer(self, node: Node) -> Answer | None:
        """The answer that a finished free trajectory states."""
        if self.states.world or not node.thought.terminal:
            return None
        if node.path not in self.answers:
            reader = reader_of(
                replace(self.problem, output_schema=None), self.states.pack, self.states.template("answer")
            )
            self.answers[node.path] = read(reader, Completion(text=node.thought.text, model=self.model.id))
        return self.answers[node.path]

    def _step(self) -> str:
        """The template of a step: a list by a world's rules; else `step`, or the pack's own `sample`."""
        if self.states.world:
            return "propose"
        pack = self.states.pack
        own = pack.template("step").pack != pack.name and pack.template("sample").pack == pack.name
        return "sample" if own else "step"

    def _request(self, name: str, state: str) -> Any:
        """A request about a state, after what failures have taught."""
        request = self.states.request(name, state)
        told = remembered(self.problem, "", self.reflections)
        before = len(self.problem.history)
        return replace(request, messages=(*request.messages[:before], *told, *request.messages[before:]))
