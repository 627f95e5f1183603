"""Questions with right answers, in three parts that share none: to make examples of, to train on, held out."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast, get_args

from promptkit import examples
from promptkit.errors import BadInput
from promptkit.examples import same
from promptkit.worlds.words import Level, Split

WORLDS = ("words", "patterns", "game24")  # whose questions are drawn by program
SPLITS: tuple[str, ...] = get_args(Split)
LEVELS: tuple[str, ...] = get_args(Level)
SHOWN = 8  # examples of a pattern
_TRIES = 200  # draws without a new question before a split is taken to be used up


@dataclass(frozen=True, slots=True)
class Item:
    """A question; where its answer is None, the rules of the pack know what is right."""

    question: str
    answer: str | None = None
    examples: tuple[Mapping[str, str], ...] = ()  # that belong to it: what a strategy shows before it


Items = tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """The questions, divided."""

    worked: Items  # examples are made of these
    train: Items
    held_out: Items


def parts(use: str, split: str, level: str, seed: int, sizes: tuple[int, int, int]) -> Parts:
    """So many questions for examples, for training and held out, by chance; BadInput where there are fewer."""
    wanted = sum(sizes)
    found: dict[str, Item] = {}
    missed = 0
    for item in _drawn(use, split, level, seed):
        missed = missed + 1 if same(item.question) in found else 0
        found.setdefault(same(item.question), item)
        if len(found) == wanted or missed > _TRIES:
            break
    if len(found) < wanted:
        told = f"{len(found)} questions, and {wanted} are wanted: {sizes[0]} for examples, {sizes[1]} to train on, "
        raise BadInput(f"{use} has {told}{sizes[2]} held out", hint="a smaller train or held_out")
    items = tuple(found.values())
    first, second = sizes[0], sizes[0] + sizes[1]
    return Parts(items[:first], items[first:second], items[second:])


def _drawn(use: str, split: str, level: str, seed: int) -> Iterator[Item]:
    """Questions in an order of chance; those that are drawn by program never end."""
    rng = random.Random(f"optimize {use} {split} {level} {seed}")
    if use == "words":
        from promptkit.worlds import words

        while True:
            problem = words.draw(rng, level=cast(Level, level), split=cast(Split, split))
            yield Item(problem.question, str(problem.answer))
    elif use == "patterns":
        from promptkit.worlds import patterns

        while True:
            drawn = patterns.draw(rng, n=SHOWN, split=cast(Any, split))
            shown = tuple({"question": asked, "answer": answer} for asked, answer in drawn.examples)
            yield Item(drawn.question, drawn.answer, shown)
    elif use == "game24":
        from promptkit.worlds.game24_puzzles import puzzles

        puzzled = [" ".join(map(str, puzzle)) for puzzle in puzzles(cast(Any, split))]
        yield from map(Item, rng.sample(puzzled, len(puzzled)))
    else:
        held = list(examples.read(use))
        yield from (Item(each.question, each.answer) for each in rng.sample(held, len(held)))


def recorded(given: Any) -> Items:
    """The questions as a journal has them."""
    return tuple(
        each if isinstance(each, Item) else Item(each["question"], each["answer"], tuple(each["examples"]))
        for each in given
    )
