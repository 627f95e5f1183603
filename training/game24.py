"""What the built-in model learns about the Game of 24: answers, chains, next steps, verdicts, corrections.

The game is played in whole numbers from 0 to 300. Moves into a held-out state of three numbers do not exist here, so
that no such state occurs anywhere in the training text; held-out puzzles are never drawn.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import combinations, combinations_with_replacement

from promptkit.worlds.game24_puzzles import HIGHEST, held_out_state, split_of
from promptkit.worlds.game24_whole import LISTED, TARGET, Numbers, results
from training.lesson import Lesson

WIDEST = 26  # of the numbers of a puzzle; above 13 for training alone
PREFERRED = 0.7  # of the chains go the same way for the same puzzle; all would be learned by heart
MEASURED = 20  # the highest number of the puzzles whose states are measured
SMALL = 40  # results above it seldom lead to 24

Move = tuple[int, str, int, int, Numbers]  # a sign b = result, and what is left


@lru_cache(maxsize=500_000)
def moves(numbers: Numbers) -> tuple[Move, ...]:
    """Every step from these numbers that training knows."""
    found = []
    for low, high in dict.fromkeys(combinations(numbers, 2)):
        rest = list(numbers)
        rest.remove(low)
        rest.remove(high)
        for a, sign, b, result in results(low, high):
            left = tuple(sorted([*rest, result]))
            if not held_out_state(left):
                found.append((a, sign, b, result, left))
    return tuple(found)


@lru_cache(maxsize=500_000)
def solutions(numbers: Numbers) -> int:
    """How many sequences of steps lead to 24."""
    if len(numbers) == 1:
        return int(numbers[0] == TARGET)
    return sum(solutions(move[4]) for move in moves(numbers))


@cache
def drill() -> tuple[Sequence[Numbers], Sequence[Numbers]]:
    """The puzzles to train on: those of 1 to 13, and those with a larger number."""
    everything = combinations_with_replacement(range(1, WIDEST + 1), 4)
    mine = [p for p in everything if split_of(p) == "train" and solutions(p)]
    return [p for p in mine if p[-1] <= HIGHEST], [p for p in mine if p[-1] > HIGHEST]


def puzzle(rng: random.Random) -> Numbers:
    """A solvable training puzzle."""
    cards, wider = drill()
    return rng.choice(cards if rng.random() < 0.55 else wider)


def state(rng: random.Random, size: int) -> Numbers:
    """Numbers left after steps from a training puzzle; about half the time they can still make 24."""
    if size == 3 and rng.random() < 0.5:  # each state as often as any other: walks seldom reach large numbers
        return rng.choice(triples()[rng.random() < 0.5])
    wanted = rng.random() < 0.5
    numbers: Numbers = ()
    for _ in range(12):
        numbers = puzzle(rng)
        while len(numbers) > size and (choices := moves(numbers)):
            move = rng.choice(choices)
            if move[3] > 100 and rng.random() < 0.7:  # products of large numbers would be most of what is seen
                move = rng.choice(choices)
            numbers = move[4]
        if len(numbers) == size and bool(solutions(numbers)) == wanted:
            break
    return numbers


@cache
def triples() -> tuple[Sequence[Numbers], Sequence[Numbers]]:
    """The three numbers that one step leaves of training puzzles: those that cannot make 24, and those that can."""
    cards, wider = drill()
    known = [*cards, *(numbers for numbers in wider if numbers[-1] <= MEASURED)]
    found = sorted({move[4] for numbers in known for move in moves(numbers)})
    return [t for t in found if not solutions(t)], [t for t in found if solutions(t)]


def path(rng: random.Random, numbers: Numbers) -> list[Move]:
    """The steps of a solution, mostly the one whose branches have most ways to 24: votes need where to meet."""
    preferred = rng.random() < PREFERRED
    steps = []
    while len(numbers) > 1:
        good = [move for move in ranked(numbers) if solutions(move[4])]
        (move,) = good[:1] if preferred else rng.choices(good, [solutions(move[4]) for move in good])
        steps.append(move)
        numbers = move[4]
    return steps


@lru_cache(maxsize=100_000)
def ranked(numbers: Numbers) -> tuple[Move, ...]:
    """One step to each state within reach: what has most ways to 24 first, then what stays small, in a fixed order."""
    first = {move[4]: move for move in reversed(moves(numbers))}
    return tuple(sorted(first.values(), key=lambda move: (-solutions(move[4]), move[3] > SMALL, order(move))))


def order(move: Move) -> tuple[int, int, str]:
    """Where a step stands among those that are as good: by its numbers, then by its sign."""
    a, sign, b, _, _ = move
    return min(a, b), max(a, b), sign


# texts --------------------------------------------------------------------------------------------------------


def spell(numbers: Numbers) -> str:
    """Numbers as the prompts write them."""
    return " ".join(map(str, numbers))


def line(move: Move) -> str:
    """A step as the prompts write it."""
    a, sign, b, result, left = move
    return f"{a} {sign} {b} = {result} (left: {spell(left)})"


def expression(numbers: Numbers, steps: Sequence[Move]) -> str:
    """The steps as one expression, with no parentheses it does not need."""
    pool = [(n, str(n), 3) for n in numbers]
    for a, sign, b, result, _ in steps:
        left = pool.pop(next(i for i, term in enumerate(pool) if term[0] == a))
        right = pool.pop(next(i for i, term in enumerate(pool) if term[0] == b))
        binds = 1 if sign in "+-" else 2
        first = left[1] if left[2] >= binds else f"({left[1]})"
        second = right[1] if right[2] > binds or (right[2] == binds and sign in "+*") else f"({right[1]})"
        pool.append((result, f"{first} {sign} {second}", binds))
    return pool[0][1]


def chain(numbers: Numbers, steps: Sequence[Move]) -> str:
    """A chain of thought that ends in the answer."""
    lines = [line(step) for step in steps]
    return "\n".join(["Steps:", *lines, f"Answer: {expression(numbers, steps)} = 24"])


def verdict(numbers: Numbers) -> tuple[str, bool]:
    """Whether two or three numbers can make 24, and all that they make up to the first 24.

    Of three, each pair's results meet the number that is kept, so that all that has to be seen is a 24.
    """
    lines: list[str] = []
    for kept, pair in _pairs(numbers):
        made = list(dict.fromkeys(result for *_, result in results(*pair)))
        if kept:
            lines.append(f"with {kept[0]}: {_makes(pair, made)}")
        for last in [tuple(sorted([*kept, each])) for each in made] if kept else [pair]:
            ends = list(dict.fromkeys(result for *_, result in results(*last)))
            if TARGET in ends:
                return "\n".join([*lines, _makes(last, ends[: ends.index(TARGET) + 1]), "sure"]), True
            lines.append(_makes(last, ends))
    return "\n".join([*lines, "impossible"]), False


def _pairs(numbers: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
    """The number kept, the largest first, and the two beside it; no number of two is kept."""
    if len(numbers) == 2:
        yield (), numbers
        return
    for at in reversed(range(3)):
        if at == 2 or numbers[at] != numbers[at + 1]:
            yield numbers[at : at + 1], numbers[:at] + numbers[at + 1 :]


def _makes(pair: Numbers, made: Sequence[int]) -> str:
    return f"{spell(pair)} make {spell(tuple(made))}"


# lessons ------------------------------------------------------------------------------------------------------


def _lesson(
    template: str, reply: str, shots: tuple[tuple[dict[str, object], str], ...] = (), **inputs: object
) -> Lesson:
    return Lesson("game24", template, inputs, reply, shots)


def direct(rng: random.Random) -> Lesson:
    """The expression at once."""
    numbers = puzzle(rng)
    return _lesson("solve", f"Answer: {expression(numbers, path(rng, numbers))} = 24", question=_asked(rng, numbers))


def cot(rng: random.Random) -> Lesson:
    """Steps, then the expression."""
    numbers = puzzle(rng)
    return _lesson("cot", chain(numbers, path(rng, numbers)), question=_asked(rng, numbers))


def few_shot(rng: random.Random) -> Lesson:
    """The same after one to four worked puzzles, with their steps or without."""
    worked = rng.random() < 0.6
    turns = []
    for _ in range(rng.randint(2, 5)):
        numbers = puzzle(rng)
        steps = path(rng, numbers)
        reply = chain(numbers, steps) if worked else f"Answer: {expression(numbers, steps)} = 24"
        turns.append(({"question": _asked(rng, numbers)}, reply))
    (inputs, reply), shots = turns[-1], tuple(turns[:-1])
    return Lesson("game24", "cot" if worked else "solve", inputs, reply, shots)


def propose(rng: random.Random) -> Lesson:
    """Next steps, one a line, each to another state, all that lead to 24 among them."""
    size = rng.choices([4, 3, 2], [5, 3.5, 1.5])[0]
    numbers = puzzle(rng) if size == 4 else state(rng, size)
    return _lesson("propose", "\n".join(map(line, listed(numbers))), state=spell(numbers))


def listed(numbers: Numbers) -> list[Move]:
    """What a list of proposals holds: every step that leads to 24, and small results up to its length.

    The steps are in their natural order. With the good ones first, a model that begins with a wrong one has learned
    that no good one follows; in an order that is drawn anew, it repeats the likeliest step. What fills the list is
    always the same, too: filled by chance, the model found fewer good steps (validation, b=1: 91 % before, 75 % after).
    """
    first: dict[Numbers, Move] = {}
    for move in moves(numbers):
        first.setdefault(move[4], move)
    steps = list(first.values())
    wanted = sorted(steps, key=lambda move: (not solutions(move[4]), move[3] > SMALL))[: LISTED[len(numbers)]]
    return [move for move in steps if move in wanted]


def value(rng: random.Random) -> Lesson:
    """Whether the numbers left can make 24."""
    numbers = state(rng, rng.choices([3, 2], [7, 3])[0])
    return _lesson("value", verdict(numbers)[0], state=spell(numbers))


def vote(rng: random.Random) -> Lesson:
    """The first of several states that can make 24."""
    candidates = [state(rng, rng.choice([2, 2, 3])) for _ in range(rng.randint(2, 5))]
    reply, best = [], rng.randint(1, len(candidates))
    for number, numbers in enumerate(candidates, start=1):
        worked, sure = verdict(numbers)
        reply.append(f"{number}: {worked}")
        if sure:
            best = number
            break
    reply.append(f"The best choice is {best}.")
    return _lesson("vote", "\n".join(reply), candidates=[spell(numbers) for numbers in candidates])


def critique(rng: random.Random) -> Lesson:
    """Every step of a draft worked out again."""
    numbers = puzzle(rng)
    draft, said, _ = drafted(rng, numbers, wrong=rng.random() < 0.6)
    return _lesson("critique", said, question=spell(numbers), draft=draft)


def refine(rng: random.Random) -> Lesson:
    """A draft that was found right again, or another solution in place of a wrong one."""
    numbers = puzzle(rng)
    draft, said, right = drafted(rng, numbers, wrong=rng.random() < 0.55)
    reply = draft if right else chain(numbers, path(rng, numbers))
    return _lesson("refine", reply, question=spell(numbers), draft=draft, critique=said)


def _asked(rng: random.Random, numbers: Numbers) -> str:
    """The numbers of a question, now and then out of order."""
    asked = list(numbers)
    if rng.random() < 0.12:
        rng.shuffle(asked)
    return " ".join(map(str, asked))


def drafted(rng: random.Random, numbers: Numbers, *, wrong: bool) -> tuple[str, str, bool]:
    """A chain, what checking it says, and whether it is right; wrong ones claim 24 as well."""
    if not wrong:
        steps = path(rng, numbers)
        draft = chain(numbers, steps)
    else:
        steps = _wandered(rng, numbers)
        draft = chain_claimed(rng, numbers, steps)
    said, right = checked(numbers, draft)
    return draft, said, right


def _wandered(rng: random.Random, numbers: Numbers) -> list[Move]:
    """Legal steps that may follow a solution for a while and then leave it."""
    steps: list[Move] = []
    follow = rng.choice([0, 1, 1, 2])
    while len(numbers) > 1:
        choices = moves(numbers) or tuple(
            (a, s, b, r, tuple(sorted([*(n for n in numbers[2:]), r]))) for a, s, b, r in results(*numbers[:2])
        )
        good = [move for move in choices if solutions(move[4])]
        pick = good if len(steps) < follow and good else [m for m in choices if m[4] != (TARGET,)] or list(choices)
        move = rng.choice(pick)
        steps.append(move)
        numbers = move[4]
    return steps


def chain_claimed(rng: random.Random, numbers: Numbers, steps: Sequence[Move]) -> str:
    """A chain in which one thing is false, by the time the last line claims 24."""
    lines = [line(step) for step in steps]
    a, sign, b, _, _ = steps[-1]
    how = rng.random()
    if how < 0.6:  # the last result is made up
        lines[-1] = f"{a} {sign} {b} = 24 (left: 24)"
    elif how < 0.8 and len(steps) == 3:  # a result on the way is
        a, sign, b, result, left = steps[1]
        false = max(0, result + rng.choice([-3, -2, -1, 1, 2, 3, 10]))
        kept = list(left)
        kept.remove(result)
        bent = tuple(sorted([*kept, false]))
        lines[1] = line((a, sign, b, false, bent))
        ends = [m for m in _ends(bent) if m[3] == TARGET] or [rng.choice(_ends(bent))]
        a, sign, b, _, _ = ends[0]
        lines[2] = f"{a} {sign} {b} = 24 (left: 24)"
    else:  # a number that is not there is used
        x, y = rng.choice([(4, 6), (3, 8), (2, 12), (12, 12), (10, 14), (20, 4)])
        lines[-1] = f"{x} {'*' if x * y == TARGET else '+'} {y} = 24 (left: 24)"
    return "\n".join(["Steps:", *lines, f"Answer: {expression(numbers, steps)} = 24"])


def _ends(pair: Numbers) -> list[Move]:
    return [(a, sign, b, result, (result,)) for a, sign, b, result in results(*pair)]


def checked(numbers: Numbers, draft: str) -> tuple[str, bool]:
    """What checking a chain step by step says, and whether it is right.

    Each step is computed again from the numbers that are really left; a step that uses others is missing them.
    """
    left, said, right = list(numbers), [], True
    for written in draft.split("\n")[1:-1]:
        step, _, rest = written.partition(" = ")
        a, sign, b = step.split()
        if not all(left.count(int(n)) >= (2 if a == b else 1) for n in (a, b)):
            said.append(f"{step} missing wrong")
            right = False
            break
        (result,) = (r for x, s, y, r in _both(int(a), int(b)) if (x, s, y) == (int(a), sign, int(b)))
        left.remove(int(a))
        left.remove(int(b))
        left = sorted([*left, result])
        fine = rest == f"{result} (left: {spell(tuple(left))})"
        said.append(f"{step} = {result} left {spell(tuple(left))} {'right' if fine else 'wrong'}")
        if not fine:
            right = False
            break
    right = right and left == [TARGET]
    return "\n".join([*said, f"Verdict: {'right' if right else 'wrong'}"]), right


def _both(a: int, b: int) -> Iterator[tuple[int, str, int, int]]:
    """Every reading of two numbers with a sign between, in the order they were written."""
    yield a, "+", b, a + b
    yield a, "-", b, a - b
    yield a, "*", b, a * b
    if b:
        yield a, "/", b, a // b
