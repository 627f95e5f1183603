"""A scripted model that plays: exact and chatty on the Game of 24, plausible on anything else.

What it says depends on the prompt and the draw alone. When it says it is another matter: `shuffle` gives every
call a delay of its own, so that replies arrive in an order that differs from shuffle to shuffle.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import re
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

from promptkit.providers.scripted import Scripted
from promptkit.types import Capabilities, Request
from promptkit.worlds.game24 import moves, show, solvable

Term = tuple[Fraction, str]


def prompt_of(request: Request) -> str:
    return "\n".join(turn.text for turn in request.messages)


def dice(*of: object) -> random.Random:
    """A generator that depends on these things alone, the same in every process."""
    return random.Random(hashlib.sha256(repr(of).encode()).digest())


class Player:
    """The script behind the model; `asked` is every call in the order it was made."""

    def __init__(self, *, shuffle: int | None = None, longest: float = 0.004) -> None:
        self.asked: list[tuple[str, tuple[int, ...]]] = []
        self.requests: list[Request] = []
        self.flying = self.most_flying = 0
        self._shuffle = shuffle
        self._longest = longest

    async def __call__(self, request: Request) -> str:
        self.asked.append((prompt_of(request), request.draw))
        self.requests.append(request)
        self.flying += 1
        self.most_flying = max(self.most_flying, self.flying)
        try:
            if self._shuffle is not None:
                late = dice("late", self._shuffle, prompt_of(request), request.draw).random()
                await asyncio.sleep(late * self._longest)
            return reply(request)
        finally:
            self.flying -= 1


def player(script: Player, capabilities: Capabilities | None = None) -> Scripted:
    return Scripted(script, name="player", capabilities=capabilities)


def reply(request: Request) -> str:
    """What the player says to a request."""
    prompt, rng = prompt_of(request), dice("say", prompt_of(request), request.draw, request.seed)
    for mark, say in _SAYINGS:
        if mark in prompt:
            return say(prompt, rng)
    raise AssertionError(f"the player does not know this prompt: {prompt!r}")


def filler(rng: random.Random, most: int = 40) -> str:
    """Words that say nothing, as models write them."""
    return " ".join(
        rng.choice(["well", "so", "now", "consider", "the", "numbers"]) for _ in range(rng.randint(1, most))
    )


def _propose24(prompt: str, rng: random.Random) -> str:
    numbers = _numbers(prompt.split("Input:", 1)[1].split("\n")[0])
    steps = list(moves(numbers))
    rng.shuffle(steps)
    lines = [f"{show(m.left)} {m.sign} {show(m.right)} = {show(m.result)}" for m in steps]
    return "\n".join([*lines[: rng.randint(3, 9)], "1000 + 1 = 1001 (left: 24)", filler(rng)])


def _value24(prompt: str, rng: random.Random) -> str:
    numbers = _numbers(prompt.split("Input:", 1)[1])
    word = "sure" if solvable(numbers) else rng.choice(["impossible", "impossible", "likely"])
    return f"{filler(rng)}\n{word}"


def _cot24(prompt: str, rng: random.Random) -> str:
    numbers = tuple(int(n) for n in prompt.split("Input:", 1)[1].split("\n")[0].split())
    right = expression(numbers)
    wrong = " + ".join(map(str, numbers))
    return f"{filler(rng)}.\nAnswer: {right if right and rng.random() < 0.7 else wrong}"


def _sample(prompt: str, rng: random.Random) -> str:
    state = prompt.split("Steps so far:\n", 1)[-1].split("\n")[0]
    if re.fullmatch(r"[-\d/ ]+", state):  # a game, played with the general pack's words
        move = rng.choice(list(moves(_numbers(state))))
        return f"{show(move.left)} {move.sign} {show(move.right)} = {show(move.result)}"
    return f"{filler(rng)} {rng.randint(0, 9)}"


def _vote(prompt: str, rng: random.Random) -> str:
    choices = len(re.findall(r"^Choice \d+:$", prompt, re.M))
    return f"{filler(rng)}\nThe best choice is {rng.randint(1, choices)}"


def _vote24(prompt: str, rng: random.Random) -> str:
    choices = len(re.findall(r"^\d+: ", prompt, re.M))
    return f"{filler(rng)}\nThe best choice is {rng.randint(1, choices)}."


def _answer(prompt: str, rng: random.Random) -> str:
    return f"{filler(rng)}\nAnswer: {rng.choice([17, 17, 17, 18, 19])}"


_SAYINGS = (
    ("Possible next steps:", _propose24),
    ("Evaluate if the given numbers", _value24),
    ("Which of these numbers can reach 24", _vote24),
    ("Use the four numbers", _cot24),
    ("Write only the next step", _sample),
    ("different next steps", lambda prompt, rng: "\n".join(f"{filler(rng, 8)} {i}" for i in range(rng.randint(2, 5)))),
    ("The best choice is N", _vote),
    (
        "sure, likely or impossible",
        lambda prompt, rng: f"{filler(rng)}\n{rng.choice(['sure', 'likely', 'impossible'])}",
    ),
    ("Draw the conclusion", _answer),
    ("Let's think step by step", _answer),
    ("Give the answer directly", lambda prompt, rng: str(rng.choice([17, 18]))),
)


def _numbers(text: str) -> tuple[Fraction, ...]:
    return tuple(sorted(Fraction(n) for n in text.split()))


@lru_cache(maxsize=1000)
def expression(numbers: tuple[int, ...]) -> str | None:
    """An expression that makes 24, found by trying everything, with code that knows nothing of promptkit's."""
    return next(_makes24([(Fraction(n), str(n)) for n in numbers]), None)


def _makes24(pool: list[Term]) -> Iterator[str]:
    if len(pool) == 1:
        if pool[0][0] == 24:
            yield pool[0][1]
        return
    for i, (a, left) in enumerate(pool):
        for j, (b, right) in enumerate(pool):
            if i == j:
                continue
            rest = [term for k, term in enumerate(pool) if k not in (i, j)]
            made = [(a + b, "+"), (a - b, "-"), (a * b, "*"), *([(a / b, "/")] if b else [])]
            for value, sign in made:
                yield from _makes24([*rest, (value, f"({left} {sign} {right})")])
