"""What top-p keeps: the next token of a solution that was begun, under two rules that cut the tail of its chances."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any

from promptkit.algorithms.decoding.distribution import Distribution
from promptkit.algorithms.decoding.truncation import min_p, top_p
from promptkit.decoding.next_token import NextToken
from promptkit.lessons.desk import Desk, Ran, worthwhile
from promptkit.lessons.exercise import Exercise, Question
from promptkit.render.next_tokens import share
from promptkit.render.pieces import visible
from promptkit.worlds.words import draw

ABOUT = (
    "A model says how probable each token is as the next. Top-p (arXiv:1904.09751) keeps the fewest of the likeliest "
    "tokens that have a mass of p together, and draws from those.",
    "Min-p (arXiv:2407.01082) keeps every token that is at least so many times as probable as the likeliest.",
)
TOP = 6  # tokens that are shown
P = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
MIN_P = (0.05, 0.1, 0.2, 0.3, 0.5)
CLEAR = 0.004  # a mass or a probability this near to the rule's own is not to be worked out by eye


@dataclass(frozen=True, slots=True)
class Cut:
    """A rule and how many tokens it keeps."""

    rule: float
    kept: int


def made(desk: Desk) -> Exercise:
    """The exercise of the desk's seed."""
    ran = worthwhile(_looked(desk), _open, tries=8)
    chance = desk.chance()
    tokens, distribution = ran.outcome.detail["tokens"], told(ran)
    nucleus, floor = _chosen(distribution, "top-p", chance), _chosen(distribution, "min-p", chance)
    return Exercise(
        name=desk.name,
        seed=desk.seed,
        about=ABOUT,
        questions=(_nucleus(ran, tokens, nucleus), _floor(tokens, floor)),
        go_on=(
            f"promptkit next {quote(ran.question)} --top-p {nucleus.rule:g}",
            f"promptkit decode {quote(ran.question)}",
        ),
        runs=tuple(desk.runs),
    )


def _open(ran: Ran) -> bool:
    """Whether a setting of top-p keeps several tokens, and cuts some that are shown."""
    return any(cut.kept > 1 for cut in cuts(told(ran), "top-p"))


def told(ran: Ran) -> Distribution[int]:
    """The distribution of a look at the next token, its tokens by their places; what is not shown is its rest."""
    shown = [each["p"] for each in ran.outcome.detail["tokens"]]
    return Distribution(tuple(enumerate(shown)), max(0.0, 1 - sum(shown)))


def cuts(distribution: Distribution[int], rule: str) -> list[Cut]:
    """The settings of a rule that keep more than one token and not all that are shown, none of them by a hair."""
    found = []
    for each in P if rule == "top-p" else MIN_P:
        cut = top_p(distribution, each) if rule == "top-p" else min_p(distribution, each)
        if not cut.open and not cut.tied and cut.kept < len(distribution.tokens) and _clear(distribution, rule, each):
            found.append(Cut(each, cut.kept))
    return [cut for cut in found if cut.kept > 1] or found


def _clear(distribution: Distribution[int], rule: str, at: float) -> bool:
    chances = [p for _, p in distribution.tokens]
    if rule == "min-p":
        return all(abs(p - at * chances[0]) > CLEAR for p in chances)
    return all(abs(sum(chances[:many]) - at) > CLEAR for many in range(1, len(chances) + 1))


def _chosen(distribution: Distribution[int], rule: str, chance: random.Random) -> Cut:
    if found := cuts(distribution, rule):
        return chance.choice(found)
    each = P[0] if rule == "top-p" else MIN_P[-1]
    return Cut(each, (top_p if rule == "top-p" else min_p)(distribution, each).kept)


def _looked(desk: Desk) -> Iterator[Ran]:
    chance = desk.chance()
    while True:
        words = " ".join(draw(chance, level="easy", split="test").steps).split()
        yield desk.run(NextToken(top=TOP), " ".join(words[: chance.randrange(min(6, len(words) - 1), len(words))]))


def _nucleus(ran: Ran, tokens: list[Mapping[str, Any]], cut: Cut) -> Question:
    mass = sum(each["p"] for each in tokens[: cut.kept])
    before = mass - tokens[cut.kept - 1]["p"]
    return Question(
        shown=(
            f"{ran.question} …",
            "",
            "The likeliest tokens that may come next (␣ is a blank, a mark one without text):",
        ),
        text=f"Which of them does top-p {cut.rule:g} keep?",
        choices=tuple(f"{_named(each)}  {share(each['p'])}" for each in tokens),
        right=tuple(range(cut.kept)),
        pick=None,
        why=f"{share(before)} is less than {cut.rule:g}, and with {_named(tokens[cut.kept - 1])} it is {share(mass)}."
        if cut.kept > 1
        else f"the first alone has {share(mass)}.",
    )


def _floor(tokens: list[Mapping[str, Any]], cut: Cut) -> Question:
    first = tokens[0]["p"]
    return Question(
        text=f"How many of them does min-p {cut.rule:g} keep?",
        choices=tuple(map(str, range(1, len(tokens) + 1))),
        right=(cut.kept - 1,),
        why=f"a token must have at least {cut.rule:g} × {share(first)} = {share(cut.rule * first)}.",
    )


def _named(token: Mapping[str, Any]) -> str:
    return visible(token["text"], token["id"])
