"""Predict the vote: the first chains of a self-consistency run are shown, the rest is to be guessed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from promptkit.lessons.desk import Desk, Ran, worthwhile
from promptkit.lessons.equations import equations
from promptkit.lessons.exercise import Exercise, Question
from promptkit.worlds.words import WordProblem, draw

ABOUT = (
    "Self-consistency (arXiv:2203.11171) asks a model the same question several times, at a temperature above 0, and "
    "takes the answer that most of the chains of thought reach.",
    "A vote finds what the model says most often. Whether that is right is another matter.",
)
N = 9  # chains, at most
SHOWN = 3  # chains that are seen before the answer
LONGEST = 5  # steps of a problem
TIED = "none: no answer is ahead"

Asked = tuple[WordProblem, Ran]


def made(desk: Desk) -> Exercise:
    """The exercise of the desk's seed."""
    problem, ran = worthwhile(asked(desk, n=N), lambda each: len(each[1].outcome.detail["votes"]) > 1)
    return Exercise(
        name=desk.name,
        seed=desk.seed,
        about=ABOUT,
        questions=(_winner(problem, ran), truth(problem, ran)),
        go_on=(f"promptkit runs show {desk.runs[-1]}", f"promptkit what-if {desk.runs[-1]} --set n=5"),
        runs=tuple(desk.runs),
    )


def asked(desk: Desk, **params: Any) -> Iterator[Asked]:
    """Word problems that the model was not trained on, each with its vote; they take as many runs as are looked at."""
    chance = desk.chance()
    while True:
        problem = draw(chance, level="hard", split="test")
        if len(problem.steps) <= LONGEST:
            yield problem, desk.run("sc", problem.question, pack="words", **params)


def _winner(problem: WordProblem, ran: Ran) -> Question:
    votes = dict(ran.outcome.detail["votes"])
    numbers = {*list(votes)[:4], str(problem.answer)}
    for equation in reversed(problem.equations):  # where all agree, results on the way could be taken for the answer
        if len(numbers) >= 3:
            break
        numbers.add(equation.rpartition("= ")[2])
    choices = (*sorted(numbers, key=_in_order), TIED)
    answer = ran.outcome.answer
    chains = ran.chains
    shown = [problem.question]
    for number, chain in enumerate(chains[:SHOWN], start=1):
        shown += ["", f"chain {number}", *(f"  {line}" for line in chain.text.strip().splitlines())]
    left = N - len(chains)
    unasked = f"; the other {left} could not change that" if left and answer else ""
    return Question(
        shown=tuple(shown),
        text=f"Up to {N} chains are drawn; these are the first {len(chains[:SHOWN])}. Which answer wins the vote?",
        choices=choices,
        right=(choices.index(answer if answer in choices else TIED),),
        why=f"of {len(chains)} chains {counted(ran)}{unasked}.",
    )


def counted(ran: Ran) -> str:
    """`405 has 4, 445 has 1`."""
    votes = ran.outcome.detail["votes"]
    return ", ".join(f"{said} has {count}" for said, count in votes) or "no chain has an answer"


def truth(problem: WordProblem, ran: Ran) -> Question:
    """Whether the answer of a vote is right, with the slip in the chain that won, if it has one."""
    answer = ran.outcome.answer
    choices = ("yes", "no", "there is no winner")
    right = 2 if answer is None else 0 if answer == str(problem.answer) else 1
    steps = "; ".join(problem.equations)
    why = f"exactly: {steps}"
    if slip := next((each for each in equations(ran.outcome.text) if not each.holds), None):
        why += f"; the winning chain has {slip}, where {slip.mended}"
    return Question(text="Is the answer that wins the right one?", choices=choices, right=(right,), why=f"{why}.")


def _in_order(number: str) -> tuple[int, str]:
    return len(number), number
