"""Read a stopping rule: the answers of a vote one by one, and when the rule, or the plain vote, has seen enough."""

from __future__ import annotations

import random
from collections.abc import Sequence
from shlex import quote

from promptkit.balloting.stops import stopping
from promptkit.lessons.desk import Desk, Ran, worthwhile
from promptkit.lessons.exercise import Exercise, Question
from promptkit.lessons.vote import Asked, asked, counted, truth

ABOUT = (
    "A vote over n chains need not draw all of them. It ends by itself once the chains that are left could not change "
    "the winner.",
    "A stopping rule ends it earlier, at a risk: lead(3) (arXiv:2503.17587) stops when the first answer is 3 votes "
    "ahead of the second. How often that errs depends on the model; no rule here says anything about the truth.",
)
N = 11  # chains, at most
RULE = "lead(3)"


def made(desk: Desk) -> Exercise:
    """The exercise of the desk's seed."""
    problem, plain = worthwhile(asked(desk, n=N), _telling)
    ruled = desk.run("sc", problem.question, pack="words", n=N, stop=RULE, batch=1)  # its chains are in the journal
    chance = desk.chance()
    return Exercise(
        name=desk.name,
        seed=desk.seed,
        about=ABOUT,
        questions=(_rule(plain, ruled, chance), _plain(plain, chance), truth(problem, ruled)),
        go_on=(
            f'promptkit what-if {desk.runs[-2]} --stop "beta(0.95)"',
            f'promptkit run sc -P words --n 20 --stop "{RULE}" {quote(problem.question)}',
        ),
        runs=tuple(desk.runs),
    )


def _telling(each: Asked) -> bool:
    """Whether the rule ends the vote before it is settled, and not at the earliest chance."""
    rule, answers = stopping(RULE), [chain.answer for chain in each[1].chains]
    stops = [seen for seen in range(1, len(answers)) if rule and rule.check(answers[:seen], N).stop]
    return bool(stops) and stops[0] > 3


def _rule(plain: Ran, ruled: Ran, chance: random.Random) -> Question:
    stopped = len(ruled.chains)
    longest = max(plain, ruled, key=lambda ran: len(ran.chains))
    choices = around(stopped, 3, N, chance)
    why = f"there {counted(ruled)}"
    if not ruled.outcome.detail["ruled"]:
        why = f"no answer is ever 3 ahead ({counted(ruled)}), so it ends as the plain vote does"
    return Question(
        shown=("The answers in the order they came:", *_listed([chain.answer for chain in longest.chains])),
        text=f"Under --stop {RULE}, one chain at a time, after which chain does the vote over at most {N} end?",
        choices=tuple(map(str, choices)),
        right=(choices.index(stopped),),
        why=f"{why}.",
    )


def _plain(plain: Ran, chance: random.Random) -> Question:
    seen = len(plain.chains)
    choices = around(seen, N // 2 + 1, N, chance)
    left = N - seen
    return Question(
        text=f"Without a rule, after how many chains is the vote over {N} settled?",
        choices=tuple(map(str, choices)),
        right=(choices.index(seen),),
        why=f"there {counted(plain)}: {left} more could not change the winner."
        if left
        else f"the last one counts: {counted(plain)}.",
    )


def around(number: int, least: int, most: int, chance: random.Random, many: int = 4) -> list[int]:
    """Numbers in a row, anywhere among them the one, none below `least` or above `most` if that can be."""
    first = min(max(number - chance.randrange(many), min(least, number)), max(most - many + 1, number - many + 1))
    return [first + step for step in range(many)]


def _listed(answers: Sequence[str | None]) -> list[str]:
    return [f"  {number:>2}  {answer or '(unreadable)'}" for number, answer in enumerate(answers, start=1)]
