"""Plans of a graph of thoughts, as in `generate(5) score keep(2) aggregate(2) keep(1)`: read, checked, counted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from promptkit.announced import VERDICT, Forecast
from promptkit.errors import BadInput

EXAMPLE = 'e.g. --plan "generate(5) score keep(2) aggregate(2) improve keep(1)"'
MOST = 100  # the largest number an operation takes
DEFAULTS = {"generate": 1, "score": 0, "keep": 1, "aggregate": 1, "improve": 0, "validate": 3}  # 0: takes no number

_PART = re.compile(r"([a-z]+)(?:\s*\(\s*(\d+)\s*\))?(?=[\s,]|\Z)")
NOTHING = Forecast(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Operation:
    """A step of a plan, with its number, and how many thoughts there are before and after it."""

    name: str
    n: int
    before: int
    after: int
    unscored: int  # of those before it
    at: int  # its place in the plan, from 1
    level: int = 0  # of a keep, which ends a level: how many there are up to it …
    levels: int = 0  # … and in the whole plan

    def __str__(self) -> str:
        return f"{self.name}({self.n})" if self.n else self.name


def planned(text: str) -> tuple[Operation, ...]:
    """The operations of a plan; BadInput names the first one that cannot be done."""
    found: list[Operation] = []
    thoughts = unscored = level = 0
    parts = _parts(text)
    levels = sum(name == "keep" for name, _ in parts)
    for at, (name, n) in enumerate(parts, start=1):
        shown = f"{name}({n})" if n else name
        if (fault := _fault(name, n, thoughts)) is not None:
            raise BadInput(f"--plan: {shown}, operation {at}, {fault}", hint=EXAMPLE)
        after = {"generate": thoughts + n, "keep": n, "aggregate": n}.get(name, thoughts)
        level += name == "keep"
        found.append(Operation(name, n, thoughts, after, unscored, at, level, levels))
        graded = name == "score" or (name == "keep" and n < thoughts)
        changed = {"generate": unscored + n, "aggregate": n, "improve": thoughts, "validate": thoughts}
        unscored = 0 if graded else min(after, changed.get(name, unscored))
        thoughts = after
    if not found:
        raise BadInput("--plan is empty", hint=EXAMPLE)
    if thoughts != 1:
        raise BadInput(
            f"--plan ends with {thoughts} thoughts, not with one answer", hint=f"end it with keep(1)\n{EXAMPLE}"
        )
    return tuple(found)


def written(operations: Sequence[Operation]) -> str:
    """The plan as it is read."""
    return " ".join(map(str, operations))


def takes(operation: Operation, of: Forecast, reply: Forecast, verdicts: int) -> Forecast:
    """The samples an operation takes, where `of` drafts and a grade takes so many verdicts (none where rules grade)."""
    match operation.name:
        case "generate":
            return of.times(operation.n)
        case "score":
            return _grading(verdicts * operation.unscored)
        case "keep":
            graded = operation.unscored if operation.n < operation.before else 0
            return _grading(verdicts * graded)
        case "aggregate":
            return reply.times(operation.n)
        case "improve":
            return reply.times(operation.before)
        case _:  # validate: from one check that passes to as many tries
            check = VERDICT if verdicts else NOTHING
            most = check.times(operation.n + 1) + reply.times(operation.n)
            return Forecast(check.least, None, most.most).times(operation.before)


def _grading(verdicts: int) -> Forecast:
    """So many verdicts at most asked for; a thought without an answer is given none."""
    return replace(VERDICT.times(verdicts), least=0)


def _parts(text: str) -> list[tuple[str, int]]:
    """The names with their numbers."""
    found: list[tuple[str, int]] = []
    at = 0
    text = text.strip()
    while at < len(text):
        part = _PART.match(text, at)
        if not part:
            raise BadInput(f"--plan cannot be read from {text[at : at + 30]!r} on", hint=EXAMPLE)
        name, number = part[1], part[2]
        if name not in DEFAULTS:
            raise BadInput(f"--plan: no operation {name!r}", hint=f"there are: {', '.join(DEFAULTS)}\n{EXAMPLE}")
        if number is not None and not DEFAULTS[name]:
            raise BadInput(f"--plan: {name} takes no number", hint=EXAMPLE)
        if number is not None and (len(number) > 9 or not 1 <= int(number) <= MOST):
            raise BadInput(f"--plan: {name}({number[:9]}) is not between 1 and {MOST}", hint=EXAMPLE)
        found.append((name, int(number) if number is not None else DEFAULTS[name]))
        at = part.end()
        at += len(text[at:]) - len(text[at:].lstrip(" \t\r\n,"))
    return found


def _fault(name: str, n: int, thoughts: int) -> str | None:
    """Why an operation cannot be done with so many thoughts."""
    if name != "generate" and not thoughts:
        return "has no thought to work on: begin with generate"
    if name == "keep" and n > thoughts:
        return f"cannot keep more than the {thoughts} there {'is' if thoughts == 1 else 'are'}"
    if name == "aggregate" and thoughts < 2:
        return "needs at least two thoughts"
    return None
