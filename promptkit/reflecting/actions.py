"""The five actions of rStar (arXiv:2408.06195) on a line of reasoning, and what follows what.

A1 one more thought; A2 the rest of the reasoning; A3 the next sub-question with its answer; A4 the last sub-question
answered anew, after worked examples; A5 the question in other words. An answer is what most of several draws say, and
their share is how much it is trusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Literal

from promptkit import examples, prompts
from promptkit.errors import BadInput
from promptkit.exchange import Answer, put, read, reader_of
from promptkit.lazy import Lazy, joined
from promptkit.sampling import Sample, ask_all, fork, hold
from promptkit.searching.steps import states_answer
from promptkit.types import Completion, Model, Problem, Request

Action = Literal["root", "A1", "A2", "A3", "A4", "A5"]

FOLLOWS: Mapping[Action, tuple[Action, ...]] = {
    "root": ("A1", "A2", "A3", "A5"),
    "A1": ("A1", "A2"),
    "A2": (),
    "A3": ("A1", "A2", "A3", "A4"),
    "A4": ("A1", "A2", "A3"),
    "A5": ("A1", "A2", "A3"),
}
VOTED = ("A2", "A3", "A4")  # actions whose answer several draws are asked for
SHOWN = 2  # worked examples before a sub-question that is answered anew


@dataclass(frozen=True, slots=True)
class Line:
    """A line of reasoning: the question as it stands now, the steps, and the answer where it has come to one."""

    question: str
    steps: tuple[str, ...] = ()
    last: Action = "root"
    subquestion: str = ""  # the last one asked
    answer: Answer | None = None
    trust: float = 0.0  # share of the draws that gave the answer

    @property
    def state(self) -> str:
        """The steps as text."""
        return "\n".join(self.steps)

    @property
    def key(self) -> str:
        """The answer in canonical form; empty where there is none."""
        return self.answer.key if self.answer else ""

    @property
    def shown(self) -> str:
        """The answer as it was written; empty where there is none."""
        return self.answer.shown if self.answer else ""

    def legal(self, left: int) -> tuple[Action, ...]:
        """What may follow with so many steps left; with one left only what comes to an answer."""
        return tuple(each for each in FOLLOWS[self.last] if left > 1 or each == "A2")


class Actor:
    """Takes actions with a model: all of a line's in one round of calls, sub-questions in a second."""

    def __init__(self, problem: Problem, model: Model, votes: int, **decoding: Any) -> None:
        self.problem, self.model, self.votes, self.decoding = problem, model, votes, decoding
        self.pack = prompts.pack(problem.pack)
        self.reader = reader_of(
            replace(problem, output_schema=None), self.pack, self.pack.template("rest-of-reasoning")
        )
        self.asked: list[Sample] = []

    @property
    def failed(self) -> int:
        """Calls that brought nothing."""
        return sum(got.error is not None for got in self.asked)

    async def taken(self, line: Line, left: int, where: str) -> list[Line]:
        """The lines that the legal actions lead to, in their order; an action that comes to nothing leads nowhere."""
        actions = line.legal(left)
        requests = [self._requests(line, each) for each in actions]
        said = iter(await self._ask(joined(requests), f"{where}/act"))
        found: dict[Action, Line | None] = {}
        for each, asked in zip(actions, requests, strict=True):
            found[each] = self._after(line, each, list(islice(said, len(asked))))
        if (begun := found.get("A3")) is not None:
            again = Lazy(range(self.votes), self._subanswer(begun, examples_shown=False).at)
            found["A3"] = self._answered(line, begun, await self._ask(again, f"{where}/answer"))
        return [after for each in actions if (after := found[each]) is not None]

    async def completed(self, begun: Sequence[tuple[Line, str]], branch: int, where: str) -> list[Answer | None]:
        """What second draws of the model come to from beginnings of lines; None where that cannot be read."""
        requests = [
            self._request(line, "rest-of-reasoning", state=state).at(i) for i, (line, state) in enumerate(begun)
        ]
        return [self._read(each) for each in await self._ask(requests, where, fork(self.model, branch))]

    # ask ------------------------------------------------------------------------------------------------------

    def _requests(self, line: Line, action: Action) -> Sequence[Request]:
        match action:
            case "A1":
                return [self._request(line, "sample")]
            case "A2":
                return Lazy(range(self.votes), self._request(line, "rest-of-reasoning").at)
            case "A3":
                return [self._request(line, "next-subquestion")]
            case "A4":
                return Lazy(range(self.votes), self._subanswer(line, examples_shown=True).at)
            case _:
                return [self._request(line, "restate")]

    def _subanswer(self, line: Line, *, examples_shown: bool) -> Request:
        shown = self._examples() if examples_shown else []
        before = "\n".join(line.steps[:-1] if examples_shown else line.steps)
        return self._request(line, "subanswer", subquestion=line.subquestion, examples=shown, state=before)

    def _examples(self) -> list[dict[str, str]]:
        """A few of the pack's worked examples; none where it has none with reasons, or it is the question itself."""
        try:
            held = examples.of_pack(self.problem.pack)
        except BadInput:
            return []
        asked = examples.same(self.problem.text)
        shown = [each for each in held if each.rationale and examples.same(each.question) != asked][:SHOWN]
        return [{"question": e.question, "rationale": e.rationale.strip(), "answer": e.answer} for e in shown]

    def _request(self, line: Line, name: str, **inputs: Any) -> Request:
        told = {"question": line.question, "state": line.state, **inputs}
        return put(self.problem, self.pack.template(name), told, **self.decoding)

    async def _ask(
        self, requests: Sequence[Request], where: str, model: Model | None = None
    ) -> list[Completion | None]:
        """One round; the search ends only when nothing but lost calls has come."""
        drawn = await ask_all(model or self.model, requests, where=where, quorum=None) if requests else []
        self.asked += drawn
        hold(self.asked, 0.0)
        return [got.completion for got in drawn]

    # read -----------------------------------------------------------------------------------------------------

    def _after(self, line: Line, action: Action, said: Sequence[Completion | None]) -> Line | None:
        """The line after an action; of A3 with the sub-question alone."""
        first = said[0]
        text = first.text.strip() if first and first.finish != "length" else ""
        if action == "A2":
            return self._voted(line, said)
        if action == "A4":
            return self._answered(replace(line, steps=line.steps[:-1]), line, said, "A4")
        if not text:
            return None
        if action == "A1":  # one that answers already is no single thought: that is what A2 is for
            return None if states_answer(text) else replace(line, steps=(*line.steps, text), last="A1")
        if action == "A3":
            return replace(line, subquestion=text.splitlines()[0].strip(), last="A3")
        return replace(line, question=text, last="A5")

    def _voted(self, line: Line, said: Sequence[Completion | None]) -> Line | None:
        """The line with the reasoning that most draws agree with."""
        top = self._top(said)
        if top is None:
            return None
        answer, text, share = top
        return replace(line, steps=(*line.steps, text), last="A2", answer=answer, trust=share)

    def _answered(
        self, line: Line, asked: Line, said: Sequence[Completion | None], action: Action = "A3"
    ) -> Line | None:
        """The line with a sub-question and what most draws answer; the question itself ends it."""
        top = self._top(said)
        if top is None:
            return None
        answer, _, share = top
        step = f"{asked.subquestion} {answer.shown}"
        whole = examples.same(asked.subquestion) == examples.same(line.question)
        after = replace(line, steps=(*line.steps, step), last=action, subquestion=asked.subquestion)
        return replace(after, answer=answer, trust=share) if whole else after

    def _top(self, said: Sequence[Completion | None]) -> tuple[Answer, str, float] | None:
        """The answer that most draws give, the first of equals, with its text and its share of all draws."""
        votes: dict[str, int] = {}
        first: dict[str, tuple[Answer, str]] = {}
        for each in said:
            if each and (answer := self._read(each)):
                votes[answer.key] = votes.get(answer.key, 0) + 1
                first.setdefault(answer.key, (answer, each.text.strip()))
        if not votes:
            return None
        key = max(votes, key=votes.__getitem__)
        return (*first[key], votes[key] / len(said))

    def _read(self, completion: Completion | None) -> Answer | None:
        return read(self.reader, completion) if completion else None
