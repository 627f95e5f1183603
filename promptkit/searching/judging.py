"""What states are worth, from a model: each judged alone, all put to a vote, or asked of another strategy."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate
from statistics import fmean

from promptkit import registry
from promptkit.algorithms.search.nodes import Evaluate, Judge, Node, Path
from promptkit.composition import nested
from promptkit.decisions import Decision, decide, decide_all
from promptkit.errors import Transient
from promptkit.events import NodeValued, emit
from promptkit.exchange import AMONG
from promptkit.lazy import Lazy
from promptkit.prompts import DEFAULT_PACK
from promptkit.reflecting.drafts import Task, drafted, lost
from promptkit.sampling import fork
from promptkit.searching.hearing import Hearing
from promptkit.searching.scale import Scale
from promptkit.searching.states import States
from promptkit.searching.worded import ONE_PROMPT, Worded, unasked
from promptkit.types import Model, Outcome, Problem, Request, Strategy

Hear = Callable[[int, float, str | None], None]  # a value sample: which one, what it is worth, the verdict


class Evaluator:
    """Scores the states of a search; a verdict that cannot be read is worth 0, and shown as such."""

    def __init__(self, states: States, model: Model) -> None:
        self.states = states
        self.terms = states.terms
        self.model = model
        self.heard: dict[Path, list[tuple[float, str | None]]] = {}  # value samples, some of them judged bit by bit
        self.hearing = Hearing()  # of verdicts, or of whole strategies
        if self.terms.evaluator is not None:
            packs = model.capabilities.packs
            self.worded = packs is not None and DEFAULT_PACK not in packs
            names = [registry.name_of("strategy", each) for each in nested(self.terms.evaluator)]
            if self.worded and (others := [name for name in names if name not in ONE_PROMPT]):
                raise unasked(model, others[0])

    async def valued(self, step: Evaluate, where: str) -> list[float]:
        """A score for each node."""
        if not step.nodes:
            return []
        if self.terms.evaluator is None and self.terms.evaluate == "vote":
            return await self._voted(step.nodes, where)
        n = 1 if self.terms.evaluator is not None else self.terms.n_evaluate
        samples = await self._samples(step.nodes, [range(n)] * len(step.nodes), where)
        return [fmean(each) if self.terms.unit else sum(each) for each in samples]

    async def judged(self, step: Judge, where: str) -> list[list[float]]:
        """The value samples wanted of each node."""
        return await self._samples(step.nodes, step.draws, where, means=True)

    async def _samples(
        self, nodes: Sequence[Node], draws: Sequence[range], where: str, *, means: bool = False
    ) -> list[list[float]]:
        """Value samples of nodes, said of each as soon as it has all; `means` of these and of those it had before."""
        scale = Scale.of(self.states.template("value"), unit=self.terms.unit)
        starts = [0, *accumulate(map(len, draws))]  # each node's first place among all samples
        said: list[dict[int, tuple[float, str | None]]] = [{} for _ in nodes]

        def place(index: int) -> tuple[int, int]:
            at = bisect_right(starts, index) - 1
            return at, draws[at][index - starts[at]]

        def sample(index: int) -> tuple[Node, int]:
            at, draw = place(index)
            return nodes[at], draw

        def hear(index: int, score: float, word: str | None) -> None:
            at, draw = place(index)
            said[at][draw] = score, word
            if len(said[at]) == len(draws[at]):
                heard = self.heard.setdefault(nodes[at].path, [])
                heard += [said[at][draw] for draw in draws[at]]
                scores = [each for each, _ in heard]
                total = fmean(scores) if means or self.terms.unit else sum(scores)
                emit(NodeValued(nodes[at].path, total, tuple(word for _, word in heard)))

        asked = Lazy(range(starts[-1]), sample)
        await (self._verdicts if self.terms.evaluator is None else self._asked)(asked, scale, where, hear)
        return [[said[at][draw][0] for draw in wanted] for at, wanted in enumerate(draws)]

    async def _verdicts(self, asked: Sequence[tuple[Node, int]], scale: Scale, where: str, hear: Hear) -> None:
        """Verdicts of the model itself, each state judged alone (arXiv:2305.10601, §3, evaluator a)."""

        def request(index: int) -> Request:
            node, draw = asked[index]
            return self.states.request("value", node.thought.state).at(draw)

        requests = Lazy(range(len(asked)), request)

        def each(got: Decision) -> None:
            self.hearing.decided(got)
            hear(got.index, scale.worth(got.verdict), got.verdict)

        pack = self.states.problem.pack
        try:
            await decide_all(self.model, requests, scale.words, where=f"{where}/value", each=each, pack=pack)
        except Transient:  # the whole round; where that may be one call, it is no reason to end
            if self.terms.levels or not self.hearing.came:
                raise

    async def _asked(self, asked: Sequence[tuple[Node, int]], scale: Scale, where: str, hear: Hear) -> None:
        """Verdicts of another strategy: what its answer is worth, times how sure it is of it."""
        evaluator = self.terms.evaluator
        assert evaluator is not None

        def task(index: int) -> Task:
            node, draw = asked[index]
            return self._task(evaluator, node, fork(self.model, draw), scale)

        tasks = Lazy(range(len(asked)), task)
        heard = 0

        def each(outcome: Outcome) -> None:
            nonlocal heard
            word = outcome.answer if outcome.answer in scale.scores else None
            self.hearing.heard(word, failed=lost(outcome))
            hear(heard, scale.worth(word) * (1.0 if outcome.confidence is None else outcome.confidence), word)
            heard += 1

        await drafted(tasks, where=f"{where}/judge", each=each, needed=not self.hearing.came)

    def _task(self, evaluator: Strategy, node: Node, model: Model, scale: Scale) -> Task:
        """The strategy, what it is asked, and the model; one that knows its own prompts only is put them."""
        problem = self._question(node, scale)
        if self.worded:
            model = Worded(model, problem, self.states.request("value", node.thought.state))
        return evaluator, problem, model

    def _question(self, node: Node, scale: Scale) -> Problem:
        """The value question as a problem of its own, whose answer is one of the verdicts."""
        problem = self.states.problem
        inputs = {**problem.vars, "question": problem.text, "state": self.states.show(node.thought.state)}
        turns = self.states.template("value").request(inputs).messages
        text, reader = "\n\n".join(turn.text for turn in turns), AMONG + ", ".join(scale.words)
        return replace(problem, text=text, pack=DEFAULT_PACK, reader=reader, output_schema=None, vars={})

    async def _voted(self, nodes: Sequence[Node], where: str) -> list[float]:
        """How many of n ballots name the state the most promising of all (§3, evaluator b)."""
        n = self.terms.n_evaluate
        candidates = [self.states.show(node.thought.state) for node in nodes]
        request, pack = self.states.request("vote", candidates=candidates), self.states.problem.pack
        votes: Counter[int] = Counter()

        def each(got: Decision) -> None:
            self.hearing.decided(got)
            votes.update([int(got.verdict) - 1] if got.verdict else [])

        ballots, where = range(n), f"{where}/vote"
        try:
            await decide(self.model, request, len(candidates), draws=ballots, where=where, each=each, pack=pack)
        except Transient:  # as for verdicts
            if self.terms.levels or not self.hearing.came:
                raise
        scores = [votes[i] / n if self.terms.unit else float(votes[i]) for i in range(len(nodes))]
        for i, node in enumerate(nodes):
            emit(NodeValued(node.path, scores[i], (f"{votes[i]} of {n}",)))
        return scores
