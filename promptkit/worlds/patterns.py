"""Small hidden rules that only worked examples give away: what few-shot prompting needs (arXiv:2005.14165, §2).

No question can be answered from itself. One example leaves several rules open, each further one closes some of them.
No example asks what the question asks, so no answer is there to be copied with its whole question.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from promptkit.errors import BadInput

Kind = Literal["map", "label", "shift", "operator", "edit"]
Split = Literal["train", "validation", "test"]

MOST = 12  # examples in one pattern: each kind has more different questions than that
WEIGHTS: Mapping[Kind, float] = {"map": 0.35, "label": 0.25, "shift": 0.15, "operator": 0.15, "edit": 0.10}

KEYS = tuple("bag bed bell boat book box cap car chair clock coin cup desk door fan flag key lamp map ring".split())
# What is said of a key besides never matters: it only makes two questions about one key differ, since few-shot
# leaves out an example that asks the question itself.
DRESS = tuple("big cheap clean heavy little long new old red round small white".split())
VALUES = tuple("1 2 3 4 5 6 7 8 9 A B C D E F G H K M R one two six ten sun sea sky ice".split())
BOOK = 4  # keys in one code book

CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "animal": tuple("cat dog cow pig horse sheep goat duck mouse bear".split()),
    "color": tuple("red blue green yellow black white brown pink purple gray".split()),
    "fruit": tuple("apple pear plum cherry grape lemon banana peach melon mango".split()),
    "tool": tuple("hammer saw drill axe spade rake pliers wrench file shovel".split()),
    "body": tuple("hand foot arm leg nose ear eye knee neck head".split()),
    "city": tuple("Paris London Rome Berlin Madrid Tokyo Oslo Vienna Lisbon Cairo".split()),
    "clothes": tuple("shirt coat hat shoe sock dress glove scarf skirt belt".split()),
    "food": tuple("bread cheese rice soup egg cake meat butter salt pasta".split()),
}
LABELS = tuple(
    tuple(pair.split("/")) for pair in "A/B 1/2 foo/bar left/right yes/no up/down X/Y in/out hot/cold day/night".split()
)

LARGEST = 20  # number that is shifted

SIGNS = "#@&$%"
MEANINGS: Mapping[str, Callable[[int, int], int]] = {
    "sum": lambda a, b: a + b,
    "product": lambda a, b: a * b,
    "difference": lambda a, b: abs(a - b),
    "larger": max,
    "smaller": min,
    "joined": lambda a, b: 10 * a + b,
    "first": lambda a, b: a,
    "second": lambda a, b: b,
}

LETTERS = "bcdfghjkmnprstvz"
EDITS: Mapping[str, Callable[[Sequence[str]], Sequence[str]]] = {
    "reverse": lambda row: row[::-1],
    "first": lambda row: row[:1],
    "last": lambda row: row[-1:],
    "rotate": lambda row: [*row[1:], row[0]],
    "drop first": lambda row: row[1:],
    "drop last": lambda row: row[:-1],
    "double first": lambda row: [row[0], *row],
    "double last": lambda row: [*row, row[-1]],
}


@dataclass(frozen=True, slots=True)
class Pattern:
    """One hidden rule: worked examples in the order shown, a question none of them asks, and its answer."""

    kind: Kind
    name: str  # the rule in words, for tables and tests; never shown to a model
    examples: tuple[tuple[str, str], ...]
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """A drawn rule: what it makes of an input, and how inputs for examples and for the question are drawn."""

    name: str
    output: Callable[[str], str]
    example: Callable[[], str]
    question: Callable[[], str]


def draw(rng: random.Random, *, n: int, kind: Kind | None = None, split: Split) -> Pattern:
    """A pattern with n examples from a split; the same state of the generator gives the same pattern."""
    if not 0 <= n <= MOST:
        raise BadInput(f"a pattern has 0 to {MOST} examples, not {n}", hint=f"e.g. n={MOST}")
    chosen = kind or rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    while True:
        rule = _RULES[chosen](rng, split)
        question = rule.question()
        shown: list[str] = []
        while len(shown) < n:
            if (each := rule.example()) != question and each not in shown:
                shown.append(each)
        examples = tuple((each, rule.output(each)) for each in shown)
        pattern = Pattern(chosen, rule.name, examples, question, rule.output(question))
        if _belongs(pattern, split):
            return pattern


def share(text: str) -> Split:
    """The split a text belongs to by its checksum: 1 in 12 test, 1 in 24 validation, the rest train."""
    place = zlib.crc32(text.encode()) % 24
    return "test" if place < 2 else "validation" if place == 2 else "train"


def fact(kind: Kind, asked: str, answer: str) -> str | None:
    """What of an example is held out by itself, as in `lamp=7`; None for kinds whose rules are few."""
    if kind == "map":
        return f"{asked.split()[-1]}={answer}"
    if kind == "label":
        return f"{asked}={'/'.join(next(pair for pair in LABELS if answer in pair))}"
    return None


def stretches(pattern: Pattern) -> Iterator[str]:
    """The pattern as it grows: its first example, its first two, …, last all with the question and its answer."""
    known: str = pattern.kind
    for asked, answer in (*pattern.examples, (pattern.question, pattern.answer)):
        known = f"{known}\n{asked} -> {answer}"
        yield known


def _belongs(pattern: Pattern, split: Split) -> bool:
    """By the whole of it; in train every stretch counts, since a model learns from each of its answers."""
    *before, whole = (share(stretch) for stretch in stretches(pattern))
    return whole == split and (split != "train" or all(each == "train" for each in before))


def _map(rng: random.Random, split: Split) -> _Rule:
    """A code book drawn anew: what was not shown cannot be known, so accuracy grows with what was."""
    while True:
        book = dict(zip(rng.sample(KEYS, BOOK), rng.sample(VALUES, BOOK), strict=True))
        asked = [key for key, value in book.items() if share(f"{key}={value}") == split]
        if len(asked) == BOOK or (asked and split != "train"):
            break

    def dressed(keys: Sequence[str]) -> str:
        return f"{rng.choice(DRESS)} {rng.choice(keys)}"

    return _Rule(
        ", ".join(f"{key}={value}" for key, value in book.items()),
        lambda text: book[text.split()[-1]],
        lambda: dressed(list(book)),
        lambda: dressed(asked),
    )


def _label(rng: random.Random, split: Split) -> _Rule:
    """Two categories of words and two labels that mean nothing by themselves."""
    while True:
        labels = rng.choice(LABELS)
        chosen = dict(zip(rng.sample(list(CATEGORIES), 2), rng.sample(labels, 2), strict=True))
        given = {word: label for category, label in chosen.items() for word in CATEGORIES[category]}
        asked = [word for word in given if share(f"{word}={'/'.join(labels)}") == split]
        if len(asked) > MOST or (asked and split != "train"):
            break
    shown = asked if split == "train" else list(given)
    name = ", ".join(f"{category}={label}" for category, label in chosen.items())
    return _Rule(name, given.__getitem__, lambda: rng.choice(shown), lambda: rng.choice(asked))


def _shift(rng: random.Random, split: Split) -> _Rule:
    """One hidden number added to each number."""
    by = rng.randint(1, 9)

    def number() -> str:
        return str(rng.randint(1, LARGEST))

    return _Rule(f"+{by}", lambda text: str(int(text) + by), number, number)


def _operator(rng: random.Random, split: Split) -> _Rule:
    """A sign with one of several meanings: 4 # 4 -> 4 leaves four of them open."""
    sign, name = rng.choice(SIGNS), rng.choice(list(MEANINGS))

    def term() -> str:
        return f"{rng.randint(1, 9)} {sign} {rng.randint(1, 9)}"

    def value(text: str) -> str:
        a, _, b = text.split()
        return str(MEANINGS[name](int(a), int(b)))

    return _Rule(name, value, term, term)


def _edit(rng: random.Random, split: Split) -> _Rule:
    """One change made to every row of letters."""
    name = rng.choice(list(EDITS))

    def row() -> str:
        return " ".join(rng.sample(LETTERS, rng.randint(3, 4)))

    return _Rule(name, lambda text: " ".join(EDITS[name](text.split())), row, row)


_RULES: Mapping[Kind, Callable[[random.Random, Split], _Rule]] = {
    "map": _map,
    "label": _label,
    "shift": _shift,
    "operator": _operator,
    "edit": _edit,
}
