"""Tree of Thoughts: search over intermediate thoughts, breadth first (arXiv:2305.10601, algorithm 1).

The search is algorithms/search/bfs.py; here it meets a model. Each level is two rounds of parallel calls: one that
generates, one that evaluates. A world, where the pack has one, checks thoughts before anything is spent on judging
them, and puts the final answer together by program.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from promptkit import prompts
from promptkit.algorithms.search.bfs import bfs
from promptkit.algorithms.search.nodes import Evaluate, Expand, Level, Node, Thought
from promptkit.algorithms.search.select import greedy, proportional
from promptkit.announced import UNKNOWN, Forecast
from promptkit.decisions import Decision, decide, decide_all
from promptkit.errors import BadInput, BadPrompt
from promptkit.events import Best, LevelDone, NodeAdded, NodeMerged, NodePruned, NodeSelected, NodeValued, emit
from promptkit.exchange import formed, mended, put, read, reader_of, verified, world_of
from promptkit.sampling import Sample, ask, ask_all, rng
from promptkit.types import Completion, Model, Outcome, Problem, Request, World

PAPER: Mapping[str, Any] = {"generate": "propose", "evaluate": "value", "b": 5, "k": 5, "n_evaluate": 3, "depth": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeOfThoughts:
    """Breadth-first search over thoughts: generate, evaluate, keep the b best, go deeper."""

    b: int | None = None  # breadth: states kept at each level; default: the pack's
    depth: int | None = None  # levels of thoughts; default: the pack's
    generate: Literal["propose", "sample"] | None = None  # one call that lists thoughts, or k calls for one each
    k: int | None = None  # thoughts wanted from each state; default: the pack's
    evaluate: Literal["value", "vote"] | None = None  # judge each state alone, or vote among all
    n_evaluate: int | None = None  # value samples a state, or ballots a level; default: the pack's
    select: Literal["greedy", "sample"] = "greedy"  # the b best, or drawn in proportion to their scores
    temperature: float = 0.7  # for generating and judging
    reply_tokens: int | None = None  # longest reply; default: the template's

    def __post_init__(self) -> None:
        for name in ("b", "depth", "k", "n_evaluate"):
            value = getattr(self, name)
            if value is not None and value < 1:
                flag = "--" + name.replace("_", "-")
                raise BadInput(f"{flag} must be at least 1, not {value}", hint=f"e.g. {flag} {PAPER[name]}")
        many = (self.n_evaluate or 1) > 1 or (self.generate == "sample" and (self.k or 1) > 1)
        if self.temperature <= 0 and many:
            raise BadInput(
                "tot at temperature 0 would count one sample several times",
                hint="e.g. --temperature 0.7, or --temperature 0 --generate propose --n-evaluate 1",
            )

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer of the best state found; verified where the pack's world can tell."""
        return await _Search(self.resolved(problem), problem, model).run()

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes; nobody knows where that depends on how many thoughts are proposed."""
        how = self.resolved(problem)
        b, k, n, depth = how.b or 1, how.k or 1, how.n_evaluate or 1, how.depth or 1
        if how.generate == "propose":
            return UNKNOWN
        thoughts = k + (depth - 1) * b * k
        return Forecast(1, None, thoughts + (depth * n if how.evaluate == "vote" else thoughts * n) + 1)

    def resolved(self, problem: Problem) -> TreeOfThoughts:
        """With the pack's defaults, then the paper's, where a field is None."""
        packs = prompts.pack(problem.pack).parameters("tot", TreeOfThoughts)
        given = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}
        return TreeOfThoughts(**{**PAPER, **packs, **given})


class _Search:
    """One search: the calls, and what they say to whoever watches."""

    def __init__(self, how: TreeOfThoughts, problem: Problem, model: Model) -> None:
        self.how = how
        self.problem = problem
        self.model = model
        self.pack = prompts.pack(problem.pack)
        self.world: World | None = world_of(self.pack, problem)
        self.templates: dict[str, prompts.Prompt] = {}  # looked up once a search
        self.solved = False  # the first verified goal is the answer, whatever comes after it

    async def run(self) -> Outcome:
        """Drive bfs() with the model, then draw the answer from the best state."""
        how = self.how
        start = self.world.start(self.problem.text) if self.world else ""
        root = Thought("", start, self._key(start))
        emit(NodeAdded((), "", self._show(start)))
        select = greedy if how.select == "greedy" else proportional(rng(self.problem, "select"))
        search = bfs(root, depth=how.depth or 1, b=how.b or 1, select=select)
        reply: Any = None
        while True:
            try:
                step = search.send(reply)
            except StopIteration as done:
                return await self._conclude(done.value)
            match step:
                case Expand():
                    reply = await self._generate(step)
                case Evaluate():
                    reply = await self._evaluate(step)
                case Level():
                    self._report(step)
                    reply = None

    # generate -------------------------------------------------------------------------------------------------

    async def _generate(self, step: Expand) -> list[list[Thought]]:
        template = self.pack.template(self.how.generate or "propose")
        draws = (self.how.k or 1) if self.how.generate == "sample" else 1
        requests = [
            self._request(template.name, node.thought.state, k=self.how.k).at(draw)
            for node in step.nodes
            for draw in range(draws)
        ]
        offered: list[list[Thought]] = [[] for _ in step.nodes]
        dropped: list[list[tuple[str, str]]] = [[] for _ in step.nodes]
        first: dict[str, tuple[int, ...]] = {}

        def hear(got: Sample) -> None:
            at = got.index // draws
            for line in self._thoughts(got):
                thought = self._follow(step.nodes[at].thought.state, line)
                if isinstance(thought, str):
                    dropped[at].append((line, thought))
                    continue
                path = (*step.nodes[at].path, len(offered[at]))
                offered[at].append(thought)
                emit(NodeAdded(path, thought.text, self._show(thought.state), thought.goal))
                if (same := first.setdefault(thought.key, path)) != path:
                    emit(NodeMerged(path, same))
                if thought.goal:
                    self._best(thought, path)

        await ask_all(self.model, requests, where=f"level-{step.level}/{template.name}", each=hear)
        for node, thoughts, left_out in zip(step.nodes, offered, dropped, strict=True):
            for i, (line, reason) in enumerate(left_out, start=len(thoughts)):
                emit(NodePruned((*node.path, i), reason, line))
        return offered

    def _thoughts(self, got: Sample) -> list[str]:
        """The thoughts in a reply: its lines when they were proposed, all of it when one was sampled."""
        if got.completion is None:
            return []
        if self.how.generate == "sample":
            return [text] if (text := got.completion.text.strip()) else []
        return lines(got.completion)

    def _follow(self, state: str, line: str) -> Thought | str:
        """The thought with the state it leads to, or why it is not followed."""
        if self.world is None:
            after = f"{state}\n{line}" if state else line
            return Thought(line, after, self._key(after))
        return follow(self.world, state, line)

    # evaluate -------------------------------------------------------------------------------------------------

    async def _evaluate(self, step: Evaluate) -> list[float]:
        if not step.nodes:
            return []
        return await (self._vote(step) if self.how.evaluate == "vote" else self._value(step))

    async def _value(self, step: Evaluate) -> list[float]:
        """V(s): the sum of n verdicts' scores, each state judged alone (§3, evaluator a)."""
        template, n = self.pack.template("value"), self.how.n_evaluate or 1
        requests = [self._request("value", node.thought.state).at(i) for node in step.nodes for i in range(n)]
        if not template.scores:
            raise BadPrompt(
                f"{template.path}:1: `scores` must give each verdict a number", hint="scores: {yes: 1, no: 0}"
            )
        heard: list[dict[int, str | None]] = [{} for _ in step.nodes]
        scores: list[float] = [0.0] * len(step.nodes)

        def hear(got: Decision) -> None:
            at, i = divmod(got.index, n)
            heard[at][i] = got.verdict
            if len(heard[at]) == n:
                verdicts = tuple(heard[at][i] for i in range(n))
                scores[at] = sum(template.scores[word] for word in verdicts if word)
                emit(NodeValued(step.nodes[at].path, scores[at], verdicts))

        where, pack = f"level-{step.level}/value", self.problem.pack
        await decide_all(self.model, requests, tuple(template.scores), where=where, each=hear, pack=pack)
        return scores

    async def _vote(self, step: Evaluate) -> list[float]:
        """V(s): how many of n ballots name the state the most promising of all (§3, evaluator b)."""
        n = self.how.n_evaluate or 1
        candidates = [self._show(node.thought.state) for node in step.nodes]
        request, where = self._request("vote", candidates=candidates), f"level-{step.level}/vote"
        pack, k = self.problem.pack, len(candidates)
        ballots = await decide(self.model, request, k, draws=range(n), where=where, pack=pack)
        votes = Counter(int(each.verdict) - 1 for each in ballots if each.verdict)
        for i, node in enumerate(step.nodes):
            emit(NodeValued(node.path, float(votes[i]), tuple(f"{votes[i]} of {n}" for _ in range(1))))
        return [float(votes[i]) for i in range(len(step.nodes))]

    # report and conclude --------------------------------------------------------------------------------------

    def _report(self, level: Level) -> None:
        worst = level.kept[-1].score if level.kept else None
        for node in level.pruned:
            emit(NodePruned(node.path, "tie" if node.score == worst and level.tied else "score"))
        for rank, node in enumerate(level.kept):
            emit(NodeSelected(node.path, rank))
        seen = len(level.kept) + len(level.pruned)
        emit(LevelDone(level.level, self.how.depth or 1, len(level.kept), seen, level.tied))

    async def _conclude(self, kept: Sequence[Node]) -> Outcome:
        detail: dict[str, Any] = {"kept": len(kept), "verified": None}
        if not kept:
            return Outcome(answer=None, status="undecided", detail=detail | {"reason": "no legal thought was left"})
        best = kept[0]
        if self.world:
            answer = self.world.assemble(best.thought.state)
            right = verified(self.world, self.problem, answer)
            if answer is None:
                detail |= {"reason": f"no solution among the {len(kept)} states kept"}
                return Outcome(answer=None, status="undecided", text=best.thought.state, detail=detail)
            return Outcome(answer=answer, text=best.thought.state, detail=detail | {"verified": right})
        template = self.pack.template("answer")
        request = self._request("answer", best.thought.state, temperature=None)
        request = formed(request, self.problem, self.model, template)
        completion = await ask(self.model, request, where="answer")
        answer_read = read(reader_of(self.problem, self.pack, template), completion)
        if answer_read is None and self.problem.output_schema is not None:
            answer_read, completion = await mended(request, completion, self.problem, self.model)
        if answer_read is None:
            detail |= {"finish": completion.finish}
            return Outcome(answer=None, status="undecided", text=completion.text, detail=detail)
        emit(Best(answer_read.shown, text=completion.text, node=best.path))
        return Outcome(answer=answer_read.shown, text=completion.text, detail=detail | {"path": best.path})

    def _best(self, goal: Thought, path: tuple[int, ...]) -> None:
        answer = self.world.assemble(goal.state) if self.world else None
        if answer and not self.solved and verified(self.world, self.problem, answer):
            self.solved = True
            emit(Best(answer, text=goal.state, verified=True, node=path))

    def _request(self, name: str, state: str = "", /, **more: Any) -> Request:
        decoding = {"temperature": more.pop("temperature", self.how.temperature), "max_tokens": self.how.reply_tokens}
        template = self.templates.get(name) or self.templates.setdefault(name, self.pack.template(name))
        return put(self.problem, template, {"state": self._show(state), **more}, **decoding)

    def _show(self, state: str) -> str:
        return self.world.show(state) if self.world and state else state

    def _key(self, state: str) -> str:
        return self.world.key(state) if self.world else " ".join(state.casefold().split())


def lines(completion: Completion) -> list[str]:
    """The thoughts of a reply that lists them, one a line; a last line that was cut off is none."""
    listed = completion.text.splitlines()
    if completion.finish == "length":
        listed = listed[:-1]
    return [line.strip() for line in listed if line.strip()]


def follow(world: World, state: str, line: str) -> Thought | str:
    """The thought with the state it leads to by the world's rules, or why it is not followed."""
    legal = world.step(state, line)
    if legal is None:
        return "illegal"
    goal = world.goal(legal)
    if world.finished(legal) and not goal:
        return "dead end"
    return Thought(legal.rpartition("\n")[2], legal, world.key(legal), goal)
