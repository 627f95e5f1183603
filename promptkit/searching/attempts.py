"""A search whose nodes are whole answers: the first ones are independent, each child betters its parent.

Where a program can tell, it values an answer, and the model's critique only helps to better it. Elsewhere the critique
does both: its verdict is the value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from promptkit.algorithms.search.nodes import Evaluate, Node, Path, Search, Thought, Turn, Widen
from promptkit.decisions import Decision, decide_all
from promptkit.errors import Transient
from promptkit.events import Best, NodeAdded, NodePruned, NodeValued, emit
from promptkit.exchange import verified
from promptkit.lazy import Lazy
from promptkit.reflecting.drafts import Reply, Task, drafted, lost
from promptkit.reflecting.feedback import RIGHT_OR_WRONG
from promptkit.sampling import fork
from promptkit.searching.driving import played
from promptkit.searching.hearing import Hearing
from promptkit.searching.reporting import Reporter
from promptkit.searching.scale import Scale
from promptkit.searching.states import States
from promptkit.searching.terms import Terms
from promptkit.types import Model, Outcome, Problem, Request, Strategy

UNREAD = "no answer in the reply"


async def attempted(
    problem: Problem, model: Model, terms: Terms, of: Strategy, make: Callable[[Thought], Search]
) -> Outcome:
    """The best of the answers that a search over answers finds; `of` gives the first ones."""
    return await _Attempts(problem, model, terms, of).found(make)


class _Attempts:
    """One search: its answers, and what was said of them."""

    def __init__(self, problem: Problem, model: Model, terms: Terms, of: Strategy) -> None:
        self.problem = problem
        self.model = model
        self.terms = terms
        self.of = of
        self.states = States(problem, terms)
        template = self.states.template("critique")
        self.scale = Scale(template.scores or RIGHT_OR_WRONG, unit=True)
        self.reporter = Reporter(terms.depth, levels=False)
        self.critiques: dict[Path, str] = {}
        self.joined = self.came = self.failed = self.rounds = 0
        self.hearing = Hearing()
        self.best: Path | None = None

    async def found(self, make: Callable[[Thought], Search]) -> Outcome:
        """Play the search to its end; its best answer is the answer."""
        emit(NodeAdded((), "", self.states.show(self.states.root.state)))
        with self.hearing.told():
            nodes, _ = await played(make(Thought("", "", "")), self._answered)
        detail: dict[str, Any] = {"kept": len(nodes), "verified": None, "nodes": self.joined}
        detail |= {"turns": self.reporter.turns, "stop": self.reporter.stop}
        detail |= self.hearing.detail
        if failed := self.failed + self.hearing.failed:
            detail["failed"] = failed
        if not nodes:
            return Outcome(answer=None, status="undecided", detail=detail | {"reason": UNREAD})
        best = nodes[0].thought
        right = verified(self.states.world, self.problem, best.text)
        return Outcome(answer=best.text, text=best.state, detail=detail | {"verified": right, "path": nodes[0].path})

    async def _answered(self, step: Any) -> Any:
        match step:
            case Widen():
                self.rounds += 1
                return await self._widened(step)
            case Evaluate():
                return await self._criticised(step.nodes)
            case Turn():
                self.reporter.turn(step)
                if step.best and step.best.path != self.best:
                    self._lead(step.best)
        return None

    def _lead(self, node: Node) -> None:
        self.best = node.path
        thought = node.thought
        emit(Best(thought.text, score=node.score, text=thought.state, verified=thought.goal, node=node.path))

    async def _widened(self, step: Widen) -> list[Thought | None]:
        """An answer more for each node: of its own below the root, bettered below an answer."""
        silent = {node.path: node for node in step.nodes if node.path and node.path not in self.critiques}
        if silent:
            await self._criticised(list(silent.values()))
        tasks: list[Task] = [
            (self._bettering(node) if node.path else self.of, self.problem, fork(self.model, draw))
            for node, draw in zip(step.nodes, step.draws, strict=True)
        ]
        paths = [(*node.path, draw) for node, draw in zip(step.nodes, step.draws, strict=True)]
        found: list[Thought | None] = []

        def hear(outcome: Outcome) -> None:
            self.came += not lost(outcome)
            self.failed += lost(outcome)
            found.append(self._joined(outcome, paths[len(found)]))

        await drafted(tasks, where=f"turn-{self.rounds}/answer", each=hear, needed=not self.came)
        return found

    def _bettering(self, node: Node) -> Strategy:
        inputs = {"draft": node.thought.state, "critique": self.critiques.get(node.path, ""), "earlier": []}
        terms = self.terms
        return Reply("refine", inputs, temperature=terms.temperature, reply_tokens=terms.reply_tokens)

    def _joined(self, outcome: Outcome, path: Path) -> Thought | None:
        """The answer as a thought; None where none could be read, or there is no room."""
        answer = outcome.answer
        if answer is None or (self.terms.nodes is not None and self.joined >= self.terms.nodes):
            if not lost(outcome):
                emit(NodePruned(path, UNREAD if answer is None else "cap", outcome.text.strip()))
            return None if answer is None else Thought(answer, outcome.text, answer)
        self.joined += 1
        right = verified(self.states.world, self.problem, answer)
        emit(NodeAdded(path, answer, answer, bool(right)))
        key = " ".join(answer.casefold().split())
        return Thought(answer, outcome.text, key, goal=bool(right), value=None if right is None else float(right))

    async def _criticised(self, nodes: Sequence[Node]) -> list[float]:
        """What each answer is worth by its critiques; the first of them with a verdict is kept for bettering it."""
        n = self.terms.n_evaluate

        def request(index: int) -> Request:
            at, i = divmod(index, n)
            return self.states.request("critique", draft=nodes[at].thought.state).at(i)

        requests = Lazy(range(n * len(nodes)), request)
        heard: list[dict[int, Decision]] = [{} for _ in nodes]

        def hear(got: Decision) -> None:
            at, i = divmod(got.index, n)
            heard[at][i] = got
            self.hearing.decided(got)
            if len(heard[at]) == n and nodes[at].thought.value is None:
                words = tuple(heard[at][i].verdict for i in range(n))
                emit(NodeValued(nodes[at].path, fmean(map(self.scale.worth, words)), words))

        where, pack = f"turn-{self.rounds}/critique", self.problem.pack
        try:
            await decide_all(self.model, requests, self.scale.words, where=where, each=hear, pack=pack)
        except Transient:
            if not self.hearing.came:
                raise
        for node, said in zip(nodes, heard, strict=True):
            told = [said[i] for i in range(n)]
            first = next((each for each in told if each.verdict), told[0])
            self.critiques[node.path] = first.judgement or first.text
        return [fmean(self.scale.worth(said[i].verdict) for i in range(n)) for said in heard]
