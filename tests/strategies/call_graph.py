"""The calls of a strategy as text: how many, in which order, where, with which draws, after which others.

Replies come from a function of the request; when they come is shuffled. A line is a call:

    3  round/1  draw 1  after 1-2  user  t=0.7  "first words … last words of the last turn"

`round/1` is its span, `after` the calls it had to wait for, `user` the roles of the turns (su: system, user), and
`= 2` stands where call 2 was the very same one. Lines are ordered by span, and spans by when they began, which is the
same in whatever order replies come.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from promptkit.events import Best, CallEnded, CallStarted, Record, SpanEnded, SpanStarted
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.runtime.answering import source
from promptkit.runtime.plan import Plan, RunOptions
from promptkit.runtime.run import execute
from promptkit.types import Capabilities, Completion, Outcome, Problem, Request, Strategy

GOLDEN = Path(__file__).parent.parent / "golden" / "call_graphs"
SCRIPTED = Capabilities(seed=True, local=True, price=(0.0, 0.0))
FIRST, LAST = 32, 44  # characters shown of a turn

Reply = Callable[[Request], str | Completion]  # what the model says; an error it raises is the call's


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A strategy, what it is asked, and the model: `reply` says what it answers, by the request alone."""

    strategy: Strategy
    reply: Reply
    problem: Problem = field(default_factory=lambda: Problem(text="What is six times seven?"))
    capabilities: Capabilities = SCRIPTED
    answers: object = None  # to what it asks whoever made the run
    about: Callable[[Request], str] | None = None  # what is shown of a request; default: how its last turn begins, ends


def drawn(case: Case, *, shuffle: int | None = None, concurrency: int = 8) -> str:
    """The run of a case as text; `shuffle` gives every reply a delay of its own."""
    records: list[Record] = []

    async def reply(request: Request) -> str | Completion:
        if shuffle is not None:
            await asyncio.sleep(_dice(shuffle, request).random() * 0.003)
        said = case.reply(request)
        return await said if isinstance(said, Awaitable) else said

    async def run() -> Outcome:
        with Journal.open(None) as journal:
            plan = Plan(
                run="r0",
                name="run",
                strategy=case.strategy,
                problem=case.problem,
                provider=Scripted(reply, name="graph", capabilities=case.capabilities),
                journal=journal,
                options=RunOptions(concurrency=concurrency, attempts=1),
                answers=source(case.answers),
            )
            return await execute(plan, [records.append])

    outcome = asyncio.run(run())
    graph = _Graph()
    for record in records:
        graph.add(record)
    return "\n".join([*graph.lines(case.about or _words), graph.ending(outcome)]) + "\n"


def same_as_golden(name: str, text: str) -> None:
    """Compare with tests/golden/call_graphs/NAME.txt; GOLDEN=write makes it so."""
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("GOLDEN") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    assert file.exists(), f"no golden file {file.name}; GOLDEN=write makes it"
    assert text == file.read_text(encoding="utf-8")


def prompt_of(request: Request) -> str:
    """All of its turns, as one text."""
    return "\n".join(turn.text for turn in request.messages)


@dataclass(slots=True, eq=False)
class _Part:
    """A span, or a call in one; it is told from others of its path by its place."""

    name: str
    began: int
    ended: int | None = None
    request: Request | None = None
    key: str = ""
    number: int = 0
    inside: list[_Part] = field(default_factory=list)

    def calls(self) -> Iterator[_Part]:
        if self.request:
            yield self
        for each in self.inside:
            yield from each.calls()


class _Graph:
    """The calls of a run in the spans they were made in."""

    def __init__(self) -> None:
        self._top = _Part("", 0)
        self._open: dict[str, list[_Part]] = {"": [self._top]}
        self._best: list[str] = []

    def add(self, record: Record) -> None:
        """Take in what happened next."""
        match record.event:
            case SpanStarted():
                outer = record.span.rpartition("/")[0]
                while outer not in self._open:  # the name of a span may have a / in it
                    outer = outer.rpartition("/")[0]
                part = _Part(record.span.removeprefix(outer).removeprefix("/"), record.seq)
                self._open[outer][-1].inside.append(part)
                self._open.setdefault(record.span, []).append(part)
            case SpanEnded():
                self._open[record.span].pop().ended = record.seq
                if not self._open[record.span]:
                    del self._open[record.span]
            case CallStarted(request=Request() as request, key=key):
                call = _Part("", record.seq, request=request, key=key)
                self._open[record.span][-1].inside.append(call)
            case CallEnded(key=key, draw=draw):
                waiting = (p for p in self._open[record.span][-1].inside if p.request and p.ended is None)
                next(p for p in waiting if (p.key, p.request and p.request.draw) == (key, draw)).ended = record.seq
            case Best(answer=answer) if "~" not in record.span:
                self._best.append("(taken back)" if answer is None else answer)

    def lines(self, about: Callable[[Request], str]) -> list[str]:
        """A line a call, columns aligned."""
        rows: list[list[str]] = []
        first: dict[tuple[str, tuple[int, ...]], int] = {}
        calls = [(path, call, before) for path, call, before in self._walk(self._top, "", [])]
        for number, (_, call, _) in enumerate(calls, start=1):
            call.number = number
        for path, call, before in calls:
            request = call.request
            assert request
            same = first.setdefault((call.key, request.draw), call.number)
            rows.append(
                [
                    str(call.number),
                    path.removeprefix("run/"),
                    f"draw {'.'.join(map(str, request.draw))}",
                    f"after {_ranges(sorted(each.number for each in before))}" if before else "first",
                    "".join(turn.role[0] for turn in request.messages),
                    f"t={'' if request.temperature is None else format(request.temperature, 'g')}",
                    f"= {same}" if same != call.number else about(request),
                ]
            )
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)] if rows else []
        return ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]

    def _walk(self, part: _Part, path: str, before: list[_Part]) -> Iterator[tuple[str, _Part, list[_Part]]]:
        """The calls inside with their paths, and those that had ended, the last ones, when each was made."""
        for each in part.inside:
            done = [p for p in part.inside if p.ended is not None and p.ended < each.began and any(p.calls())]
            last = [p for p in done if not any(p.ended < other.began for other in done if p.ended is not None)]
            waited = [call for p in last for call in _ends(p)] or before
            if each.request:
                yield path, each, waited
            else:
                yield from self._walk(each, f"{path}/{each.name}" if path else each.name, waited)

    def ending(self, outcome: Outcome) -> str:
        """The last line: the answer, and the best ones on the way to it."""
        best = f"; best on the way: {' > '.join(self._best)}" if self._best else ""
        return f"{outcome.status}: {outcome.answer}{best}"


def _ends(part: _Part) -> list[_Part]:
    """The calls in it that nothing in it came after."""
    if part.request:
        return [part]
    having = [p for p in part.inside if any(p.calls())]
    last = [p for p in having if p.ended is None or not any(p.ended < other.began for other in having)]
    return [call for p in last for call in _ends(p)]


def _ranges(numbers: list[int]) -> str:
    """`1-3,5`."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1].append(number)
        else:
            found.append([number])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in found)


def _words(request: Request) -> str:
    """How the last turn begins and ends."""
    text = " ".join(request.messages[-1].text.split())
    return f'"{text}"' if len(text) <= FIRST + LAST + 3 else f'"{text[:FIRST].rstrip()} … {text[-LAST:].lstrip()}"'


def _dice(shuffle: int, request: Request) -> random.Random:
    """Different for every request and draw, the same in every process."""
    asked = repr((shuffle, replace(request, draw=(0,)).canonical(), request.draw))
    return random.Random(hashlib.sha256(asked.encode()).digest())
