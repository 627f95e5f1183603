"""An exercise as lines of plain text: whole into a pipe or a notebook, fitted to a terminal of any width."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from promptkit.lessons.exercise import LETTERS, Exercise, Question
from promptkit.render.safe import clean, wrap

Width = int | None  # cells of a line; None: as long as it is


def whole(exercise: Exercise, width: Width = None) -> list[str]:
    """What it is about and all its questions, without an answer."""
    lines = opening(exercise, width)
    for number in range(len(exercise.questions)):
        lines += ["", *asked(exercise, number, width)]
    return lines


def opening(exercise: Exercise, width: Width = None) -> list[str]:
    """What it is about."""
    return list(_fitted(exercise.about, width))


def asked(exercise: Exercise, number: int, width: Width = None) -> list[str]:
    """One question: what to look at, what is asked, the choices."""
    question = exercise.questions[number]
    lines = list(_fitted(question.shown, width))
    if lines:
        lines.append("")
    many = {None: " (one or more letters)", 1: ""}.get(question.pick, f" ({question.pick} letters)")
    lines += _hung(f"{number + 1}. ", question.text + many, width)
    for letter, choice in zip(LETTERS, question.choices, strict=False):
        lines += _hung(f"  {letter}  ", choice, width)
    return lines


def told(question: Question, answer: str, width: Width = None) -> list[str]:
    """What an answer was worth, and why."""
    verdict = "Right" if question.correct(answer) else f"No, {_letters(question)}"
    return list(_fitted([f"{verdict}: {question.why}"], width))


def score(right: int, of: int) -> str:
    """`2 of 3 right`."""
    return f"{right} of {of} right"


def _letters(question: Question) -> str:
    return " and ".join(question.solution) if len(question.right) < 3 else ", ".join(question.solution)


def _fitted(lines: Iterable[str], width: Width) -> Iterator[str]:
    """The lines; what is too long goes on below, set in as far as its line and a little more."""
    for line in lines:
        text = line.lstrip(" ")
        yield from _hung(" " * (len(line) - len(text)), text, width, more=2 if len(line) > len(text) else 0)


def _hung(lead: str, text: str, width: Width, more: int = 0) -> Iterator[str]:
    """The text behind its lead, further lines set in below it."""
    if width is None:
        yield (lead + clean(text).replace("\n", " ")).rstrip()
        return
    inner = " " * (len(lead) + more)
    pieces = wrap(text.replace("\n", " "), max(8, width - len(inner)))
    yield (lead + pieces[0]).rstrip()
    yield from (inner + piece for piece in pieces[1:])
