"""Game of 24: four numbers, each used once, + - * / and parentheses, to make 24 (arXiv:2305.10601, §4.1).

A state is the puzzle on the first line and one step a line after it, as in `10 - 4 = 6 (left: 5 6 6)`.
Arithmetic is exact; what a step leaves is computed here, never believed.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations

from promptkit.arithmetic import evaluate, numbers_in
from promptkit.errors import BadInput

TARGET = Fraction(24)
OPERATIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}

Numbers = tuple[Fraction, ...]

_NUMBER = r"\(?(-?\d+(?:/\d+|\.\d+)?)\)?"
# "1. ", "* ", "- ": a minus or a bracket right at a number belongs to the number.
_BULLET = r"(?:\d{1,2}[.)] +)?(?:[^\w(-]|-(?= )){0,4}"
_STEP = re.compile(rf"^{_BULLET}{_NUMBER} *([-+*/]) *{_NUMBER} *= *{_NUMBER}(?![\d/]|\.\d)")
_PLAIN = str.maketrans({"×": "*", "÷": "/", "−": "-"})


@dataclass(frozen=True, slots=True)
class Step:
    """One move: two numbers become one."""

    left: Fraction
    sign: str
    right: Fraction

    @property
    def result(self) -> Fraction:
        """What the two numbers become."""
        return Fraction(OPERATIONS[self.sign](self.left, self.right))


class Game24:
    """The rules: which steps are legal, when the puzzle is solved, and the expression that solves it."""

    def start(self, question: str) -> str:
        """The first state; BadInput when the question is not four whole numbers."""
        numbers = re.findall(r"\d+", question)
        extra = re.sub(r"\d+|[\s,;]|\band\b", "", question)
        if len(numbers) != 4 or extra:
            raise BadInput(
                f"not a Game of 24 puzzle: {question.strip()[:60]!r}",
                hint='give four whole numbers, e.g. "1 4 9 11"; for other questions leave out -P game24',
            )
        return " ".join(numbers)

    def step(self, state: str, thought: str) -> str | None:
        """The state after a step, or None when it is not legal arithmetic on two of the numbers left."""
        move = parse(thought)
        if move is None:
            return None
        rest = apply(remaining(state), move)
        if rest is None:
            return None
        line = f"{show(move.left)} {move.sign} {show(move.right)} = {show(move.result)}"
        return f"{state}\n{line} (left: {spell(rest)})"

    def key(self, state: str) -> str:
        """The numbers left, sorted: the order of the steps before does not matter."""
        return spell(remaining(state))

    def show(self, state: str) -> str:
        """The numbers left."""
        return spell(remaining(state))

    def finished(self, state: str) -> bool:
        """One number is left."""
        return len(remaining(state)) == 1

    def goal(self, state: str) -> bool:
        """The one number left is 24."""
        return remaining(state) == (TARGET,)

    def assemble(self, state: str) -> str | None:
        """The expression that the steps spell out, with no parentheses it does not need; None before the goal."""
        if not self.goal(state):
            return None
        first, *lines = state.split("\n")
        pool = [(Fraction(number), number, 3) for number in first.split()]
        for line in lines:
            move = parse(line)
            if move is None:
                return None
            pool.append(_combine(move, _take(pool, move.left), _take(pool, move.right)))
        return pool[0][1]

    def check(self, question: str, answer: str) -> bool:
        """Whether the answer uses exactly the four numbers and equals 24."""
        try:
            given = sorted(Fraction(number) for number in self.start(question).split())
            return sorted(numbers_in(answer)) == given and evaluate(answer) == TARGET
        except (ValueError, ArithmeticError, BadInput):
            return False


def parse(thought: str) -> Step | None:
    """The step a line states, if its arithmetic is right: bullets, "(left: …)" and remarks after it do not matter."""
    match = _STEP.match(thought.strip().translate(_PLAIN))
    if match is None:
        return None
    try:
        move = Step(Fraction(match[1]), match[2], Fraction(match[3]))
        return move if move.result == Fraction(match[4]) else None
    except ZeroDivisionError:
        return None


def apply(numbers: Numbers, move: Step) -> Numbers | None:
    """The numbers left after a step, sorted; None when it uses numbers that are not there."""
    rest = list(numbers)
    for number in (move.left, move.right):
        if number not in rest:
            return None
        rest.remove(number)
    return tuple(sorted([*rest, move.result]))


def moves(numbers: Numbers) -> Iterator[Step]:
    """Every legal step from these numbers, once each."""
    for low, high in dict.fromkeys(combinations(sorted(numbers), 2)):
        yield Step(low, "+", high)
        yield Step(low, "*", high)
        for a, b in dict.fromkeys(((high, low), (low, high))):
            yield Step(a, "-", b)
            if b != 0:
                yield Step(a, "/", b)


@lru_cache(maxsize=100_000)
def solvable(numbers: Numbers) -> bool:
    """Whether 24 can be made, by trying everything; `numbers` is sorted."""
    if len(numbers) == 1:
        return numbers[0] == TARGET
    return any(solvable(rest) for move in moves(numbers) if (rest := apply(numbers, move)) is not None)


def remaining(state: str) -> Numbers:
    """The numbers a state has left, sorted."""
    line = state.rpartition("\n")[2]
    listed = line[line.index("left:") + 5 :].rstrip(")") if "left:" in line else line
    return tuple(sorted(Fraction(number) for number in listed.split()))


def spell(numbers: Numbers) -> str:
    """The numbers as a prompt writes them."""
    return " ".join(map(show, numbers))


def show(number: Fraction) -> str:
    """A number as a prompt writes it: 6, -1 or 2/3."""
    return str(number)


_Term = tuple[Fraction, str, int]  # value, text, how tightly it binds: 1 sum, 2 product, 3 number


def _take(pool: list[_Term], value: Fraction) -> _Term:
    return pool.pop(next(i for i, term in enumerate(pool) if term[0] == value))


def _combine(move: Step, left: _Term, right: _Term) -> _Term:
    binds = 1 if move.sign in "+-" else 2
    a = left[1] if left[2] >= binds else f"({left[1]})"
    b = right[1] if right[2] > binds or (right[2] == binds and move.sign in "+*") else f"({right[1]})"
    return move.result, f"{a} {move.sign} {b}", binds
