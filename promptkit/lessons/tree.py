"""Prune the tree: the first level of a Game of 24 search with the model's values; what is kept decides the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from shlex import quote

from promptkit.events import NodeAdded, NodeSelected, NodeValued
from promptkit.lessons.desk import Desk, Ran, worthwhile
from promptkit.lessons.exercise import YES_NO, Exercise, Question
from promptkit.worlds.game24 import Numbers, remaining, solvable
from promptkit.worlds.game24_puzzles import puzzles

ABOUT = (
    "Tree of Thoughts (arXiv:2305.10601) lists possible next steps, lets the model judge each state it would lead to "
    "(sure, likely or impossible), keeps the b best and goes on from there.",
    "What is dropped never comes back: a search is as good as its judge. States of equal value keep the order in which "
    "they were proposed.",
)
B = 2  # states kept at each level


@dataclass(frozen=True, slots=True)
class State:
    """A state after one step, as the search had it."""

    step: str
    numbers: Numbers
    value: float
    verdicts: tuple[str | None, ...]
    kept: bool

    @property
    def alive(self) -> bool:
        """Whether 24 can still be made of it, by trying everything."""
        return solvable(self.numbers)


@dataclass(frozen=True, slots=True)
class Level:
    """The states of the first level, and the run they are of."""

    ran: Ran
    states: tuple[State, ...]

    @property
    def kept(self) -> list[State]:
        """Those the search went on from."""
        return [state for state in self.states if state.kept]


def made(desk: Desk) -> Exercise:
    """The exercise of the desk's seed."""
    level = worthwhile(_searched(desk), lambda each: not all(state.kept for state in each.states[:B]))
    run = desk.runs[-1]
    return Exercise(
        name=desk.name,
        seed=desk.seed,
        about=ABOUT,
        questions=(_cut(level), _reach(level), _found(level)),
        go_on=(f"promptkit runs show {run}", f"promptkit run tot -P game24 --b 5 {quote(level.ran.question)}"),
        runs=tuple(desk.runs),
    )


def first_level(ran: Ran) -> Level:
    """The first level of a breadth-first search over the Game of 24, as its events tell it."""
    values: dict[tuple[int, ...], NodeValued] = {each.node: each for each in ran.of(NodeValued) if len(each.node) == 1}
    kept = {each.node for each in ran.of(NodeSelected)}
    added = [each for each in ran.of(NodeAdded) if len(each.node) == 1 and each.node in values]
    return Level(
        ran,
        tuple(
            State(
                step=each.thought.partition("(left")[0].strip(),
                numbers=remaining(each.state),
                value=values[each.node].score,
                verdicts=values[each.node].verdicts,
                kept=each.node in kept,
            )
            for each in added
        ),
    )


def _searched(desk: Desk) -> Iterator[Level]:
    chance = desk.chance()
    while True:
        puzzle = " ".join(map(str, chance.choice(puzzles("test"))))
        yield first_level(desk.run("tot", puzzle, pack="game24", b=B))


def _cut(level: Level) -> Question:
    kept = tuple(place for place, state in enumerate(level.states) if state.kept)
    names = " and ".join(spelled(state) for state in level.kept)
    least = min(state.value for state in level.kept)
    dropped = sum(not state.kept and state.value >= least for state in level.states)
    tie = f"; {dropped} more had the same value as the last one kept, and came later" if dropped else ""
    return Question(
        shown=(
            f"The puzzle: {level.ran.question}. Each state has three numbers left, and three verdicts of the model.",
        ),
        text=f"The search keeps b = {B}. Which?",
        choices=tuple(f"{spelled(state)}  (value {state.value:g}: {_said(state)})" for state in level.states),
        right=kept,
        pick=len(kept),
        why=f"it keeps {names}{tie}.",
    )


def _reach(level: Level) -> Question:
    alive = [state for state in level.kept if state.alive]
    lost = [state for state in level.states if state.alive and not state.kept]
    also = f"; of those dropped, {len(lost)} could still make it" if lost else ""
    names = " and ".join(spelled(state) for state in alive)
    return Question(
        text="From how many of the states it keeps can 24 still be reached? (An exact solver tries everything.)",
        choices=tuple(map(str, range(len(level.kept) + 1))),
        right=(len(alive),),
        why=f"24 can be made {f'of {names}' if alive else 'of none of them'}{also}.",
    )


def _found(level: Level) -> Question:
    outcome = level.ran.outcome
    found = outcome.verified is True
    why = f"it answered {outcome.answer}, which a program checked" if found else "its last states were not 24"
    return Question(
        text="Two levels further: did the search find an expression that makes 24?",
        choices=YES_NO,
        right=(0 if found else 1,),
        why=f"{why}.",
    )


def spelled(state: State) -> str:
    """`6 7 10, by 1 + 5 = 6`."""
    return f"{' '.join(map(str, state.numbers))}, by {state.step}"


def _said(state: State) -> str:
    counted = Counter(verdict or "unreadable" for verdict in state.verdicts)
    return ", ".join(f"{count} {verdict}" for verdict, count in counted.items())
