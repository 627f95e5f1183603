"""The thoughts of a graph of thoughts (arXiv:2308.09687), and what its operations do to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from promptkit import prompts
from promptkit.events import Best, LevelDone, NodeAdded, NodePruned, NodeSelected, NodeValued, Stopped, emit
from promptkit.lazy import Lazy
from promptkit.reflecting import evaluators
from promptkit.reflecting.drafts import Reply, drafted, lost
from promptkit.reflecting.grades import CORRECT, graded
from promptkit.reflecting.operations import Operation
from promptkit.sampling import fork
from promptkit.searching.hearing import Hearing
from promptkit.types import Model, Outcome, Problem, Status, Strategy


@dataclass(slots=True, eq=False)
class Thought:
    """A whole answer; `behind` are the thoughts it was made from, `path` is where it is shown in the tree."""

    draft: Outcome
    path: tuple[int, ...]
    behind: tuple[Thought, ...] = ()
    score: float | None = None
    scored: bool = False  # whether a score was asked for; it may not have been readable
    children: int = 0
    latency: int = 1  # thoughts on the longest way to it

    def ancestors(self) -> set[int]:
        """The thoughts that had a part in it, by identity."""
        found: set[int] = set()
        waiting = [*self.behind]  # no recursion: a plan may be long
        while waiting:
            each = waiting.pop()
            if id(each) not in found:
                found.add(id(each))
                waiting += each.behind
        return found


class Graph:
    """The graph of one run: the thoughts that are kept now, and how they came about."""

    def __init__(
        self, problem: Problem, model: Model, generate: Strategy, temperature: float, reply_tokens: int | None
    ) -> None:
        self.problem, self.model, self.generate = problem, model, generate
        self.decoding = (temperature, reply_tokens)
        self.now: list[Thought] = []
        self.right: Thought | None = None  # found right by rules
        self.made = self.failed = self.tied = self.roots = 0
        self.hearing = Hearing()  # of the judge's verdicts
        self.shown: str | None = None  # the answer that was told last
        emit(NodeAdded((), "", problem.text))

    async def do(self, operation: Operation) -> None:
        """Work one operation on the thoughts there are; a new thought that is lost is counted, and left out."""
        where, branch = f"{operation.at}-{operation.name}", fork(self.model, operation.at)
        match operation.name:
            case "generate":
                tasks = Lazy(range(operation.n), lambda i: (self.generate, self.problem, fork(branch, i)))
                fresh = await drafted(tasks, where=where)
                self.now += self._joined([(each, ()) for each in fresh])
            case "score":
                await self._score(branch, where)
            case "keep":
                await self._keep(operation, branch, where)
            case "aggregate":
                await self._aggregate(operation.n, branch, where)
            case "improve":
                await self._improve(self.now, branch, where)
            case "validate":
                with self.hearing.told():
                    await self._validate(operation.n, branch, where)
        self.right = next((each for each in self.now if each.draft.verified), None)
        if self.right:
            emit(Stopped("a thought was checked and is right"))
        self._best()

    def outcome(self) -> Outcome:
        """The best thought there is, with the volume and the latency of it."""
        detail: dict[str, Any] = {"thoughts": self.made, "failed": self.failed, "tied": self.tied}
        detail |= self.hearing.detail
        if not self.now:
            return Outcome(answer=None, status="undecided", detail=detail)
        last = self.right or _ranked(self.now)[0]
        detail |= {"volume": len(last.ancestors()), "latency": last.latency, "score": last.score}
        told = {name: last.draft.detail[name] for name in ("verified", "finish") if name in last.draft.detail}
        status: Status = "done" if last.draft.answer is not None else "undecided"
        return replace(last.draft, status=status, confidence=None, detail={**told, **detail})

    # operations -----------------------------------------------------------------------------------------------

    async def _score(self, model: Model, where: str) -> None:
        unscored = [each for each in self.now if not each.scored]
        scores = await graded(self.problem, model, [each.draft for each in unscored], CORRECT, where=where)
        for each, score in zip(unscored, scores, strict=True):
            each.score, each.scored = score, True
            if score is not None:
                emit(NodeValued(each.path, score, (f"{score:g}",)))

    async def _keep(self, operation: Operation, model: Model, where: str) -> None:
        n = operation.n
        if n >= len(self.now):
            return
        await self._score(model, where)
        ranked = _ranked(self.now)
        kept, pruned = ranked[:n], ranked[n:]
        tied = sum(_rank(each) == _rank(kept[-1]) for each in pruned)
        for each in pruned:
            emit(NodePruned(each.path, "tie" if _rank(each) == _rank(kept[-1]) else "score"))
        for rank, each in enumerate(kept):
            emit(NodeSelected(each.path, rank))
        emit(LevelDone(operation.level, operation.levels, len(kept), len(ranked), tied))
        self.now, self.tied = kept, self.tied + tied

    async def _aggregate(self, n: int, model: Model, where: str) -> None:
        """Merge all thoughts into n new ones."""
        texts = [text for each in self.now if (text := each.draft.text.strip())]
        if len(texts) < 2:  # the others were lost: there is nothing to merge
            return
        merge = Reply("synthesise", {"candidates": texts}, *self.decoding)
        tasks = Lazy(range(n), lambda i: (merge, self.problem, fork(model, i)))
        fresh = await drafted(tasks, where=where)
        self.now = self._joined([(each, tuple(self.now)) for each in fresh])

    async def _improve(self, thoughts: Sequence[Thought], model: Model, where: str) -> None:
        """Put a better version in the place of each of these; one that is lost leaves it as it was."""
        tasks = [
            (Reply("improve", {"draft": each.draft.text.strip()}, *self.decoding), self.problem, fork(model, i))
            for i, each in enumerate(thoughts)
        ]
        fresh = await drafted(tasks, where=where, needed=False)
        for old, new in zip(tuple(thoughts), fresh, strict=True):
            self.now[self.now.index(old)] = next(iter(self._joined([(new, (old,))])), old)

    async def _validate(self, tries: int, model: Model, where: str) -> None:
        """Improve what is found wrong, and look again, so many times at most."""
        waiting = list(self.now)
        for number in range(tries + 1):
            branch, place = fork(model, number), f"{where}/try-{number}"
            wrong = await self._wrong(waiting, branch, place)
            if not wrong or number == tries:
                return
            places = [self.now.index(each) for each in wrong]
            await self._improve(wrong, branch, f"{place}/improve")
            waiting = [self.now[at] for at in places]

    async def _wrong(self, thoughts: Sequence[Thought], model: Model, where: str) -> list[Thought]:
        """Those without an answer, and those that rules, or a judge, find wrong; without a verdict none is."""
        if prompts.pack(self.problem.pack).world is not None:
            return [each for each in thoughts if not each.draft.verified]
        read = [each for each in thoughts if each.draft.answer is not None]
        drafts = [each.draft for each in read]
        where = f"{where}/judge"
        judged = await evaluators.judged(self.problem, model, drafts, self.hearing, where=where) if read else []
        fine = [each for each, verdict in zip(read, judged, strict=True) if verdict.passed is not False]
        return [each for each in thoughts if each not in fine]

    # what is told ---------------------------------------------------------------------------------------------

    def _joined(self, fresh: Sequence[tuple[Outcome, tuple[Thought, ...]]]) -> list[Thought]:
        """The new thoughts that came back, each shown below the first of those it was made from."""
        joined = []
        for draft, behind in fresh:
            if lost(draft):
                self.failed += 1
                continue
            number = behind[0].children if behind else self.roots
            path = (*behind[0].path, number) if behind else (number,)
            if behind:
                behind[0].children += 1
            else:
                self.roots += 1
            self.made += 1
            latency = 1 + max((each.latency for each in behind), default=0)
            joined.append(Thought(draft, path, behind, latency=latency))
            emit(NodeAdded(path, draft.answer or "", draft.text, bool(draft.verified)))
        return joined

    def _best(self) -> None:
        """Tell the answer there would be if it ended now, when it has changed."""
        best = self.right or next((each for each in _ranked(self.now) if each.draft.answer is not None), None)
        if best and best.draft.answer != self.shown:
            self.shown = best.draft.answer
            emit(Best(self.shown, best.score, best.draft.text, bool(best.draft.verified), best.path))


def _rank(thought: Thought) -> tuple[bool, float]:
    return thought.draft.answer is not None, -1.0 if thought.score is None else thought.score


def _ranked(thoughts: Sequence[Thought]) -> list[Thought]:
    """Best first, the older of equals before the newer."""
    return sorted(thoughts, key=_rank, reverse=True)
