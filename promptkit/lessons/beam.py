"""Spot the wrong beam: chains of one problem side by side, by their equations; in one of them an equation is false."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote

from promptkit.lessons.desk import Chain, Desk, worthwhile
from promptkit.lessons.equations import Equation, equations
from promptkit.lessons.exercise import Exercise, Question
from promptkit.lessons.vote import Asked, asked
from promptkit.worlds.words import WordProblem

ABOUT = (
    "A search over chains of thought follows several beams at once, and so does a vote. None of them knows that it is "
    "wrong: a chain goes on from a slip as surely as from the truth.",
    "Arithmetic is what a program can check. What to calculate at all is what it cannot, so a chain may be false with "
    "every equation true.",
)
N = 9  # chains, at most
MOST = 4  # beams that are shown
HOT = 1.0  # temperature: chains that differ
NONE = "none: all equations hold"


@dataclass(frozen=True, slots=True)
class Beam:
    """A chain as its equations, and the answer it ends in."""

    steps: tuple[Equation, ...]
    answer: str

    @property
    def slip(self) -> Equation | None:
        """Its first false equation."""
        return next((step for step in self.steps if not step.holds), None)

    def __str__(self) -> str:
        return "; ".join(map(str, self.steps))


def made(desk: Desk) -> Exercise:
    """The exercise of the desk's seed."""
    problem, ran = worthwhile(asked(desk, n=N, temperature=HOT), _telling)
    shown = beams(ran.chains)
    return Exercise(
        name=desk.name,
        seed=desk.seed,
        about=ABOUT,
        questions=(_false(problem, shown), _right(problem, shown)),
        go_on=(f"promptkit runs show {desk.runs[-1]}", f"promptkit run beam -P words {quote(problem.question)}"),
        runs=tuple(desk.runs),
    )


def beams(chains: list[Chain]) -> list[Beam]:
    """Different chains in their order, at most four, and of those with a false equation the first alone."""
    found: dict[tuple[str, ...], Beam] = {}  # by what its equations come to: 2 * 3 is 3 * 2
    for chain in chains:
        beam = Beam(tuple(equations(chain.text)), chain.answer or "")
        if beam.steps and beam.answer:
            found.setdefault(tuple(step.stated for step in beam.steps), beam)
    false = next((beam for beam in found.values() if beam.slip), None)
    true = [beam for beam in found.values() if not beam.slip]
    chosen = [*true[: MOST - bool(false)], *([false] if false else [])]
    return [beam for beam in found.values() if beam in chosen]


def _telling(each: Asked) -> bool:
    """Whether one of at least three beams has a false equation."""
    shown = beams(each[1].chains)
    return len(shown) >= 3 and any(beam.slip for beam in shown)


def _false(problem: WordProblem, shown: list[Beam]) -> Question:
    at = next((place for place, beam in enumerate(shown) if beam.slip), len(shown))
    slip = shown[at].slip if at < len(shown) else None
    return Question(
        shown=(problem.question,),
        text="Each line is a beam, by its equations. In which one is an equation false?",
        choices=(*map(str, shown), NONE),
        right=(at,),
        why=f"it has {slip}, where {slip.mended}." if slip else "worked out exactly, each of them holds.",
    )


def _right(problem: WordProblem, shown: list[Beam]) -> Question:
    truth = str(problem.answer)
    right = [beam.answer == truth for beam in shown]
    missed = sum(not each and not beam.slip for each, beam in zip(right, shown, strict=True))
    true = f"; {missed} with only true equations end elsewhere" if missed else ""
    return Question(
        text="How many of these beams end in the right answer?",
        choices=tuple(map(str, range(len(shown) + 1))),
        right=(sum(right),),
        why=f"they end in {', '.join(beam.answer for beam in shown)}; exactly it is {truth}: "
        f"{'; '.join(problem.equations)}{true}.",
    )
