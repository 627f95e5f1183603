"""`promptkit learn vote`: a two-minute exercise over a real run of the model on board, asked and marked here."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from promptkit.cli import complete
from promptkit.cli.exits import Exit
from promptkit.cli.speak import err, out, out_json, say
from promptkit.cli.tables import columns
from promptkit.cli.verb import Verb
from promptkit.errors import BadInput

if TYPE_CHECKING:
    from promptkit.lessons import Exercise, Question

SCHEMA = "promptkit.learn/1"

Name = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME]", help="The exercise; none lists them.", autocompletion=complete.lessons, show_default=False
    ),
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Another number, another exercise.")]
Answers = Annotated[
    str | None,
    typer.Option("--answers", metavar="A,B,…", help="The letters, a comma between questions.", show_default=False),
]
Kept = Annotated[
    str | None,
    typer.Option("--journal", metavar="PATH", help="Where runs are kept; memory keeps nothing.", show_default=False),
]


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("learn", cls=Verb)(learn)


def learn(
    name: Name = None,
    seed: Seed = 0,
    answers: Answers = None,
    journal: Kept = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> int:
    """Predict what a vote, a search or a sampling rule does, then see: two minutes, offline, no key.

    Each exercise is made of runs of the built-in model, and the answers are read off them. It asks in a terminal;
    elsewhere --answers has them, and without it the questions are printed and the exit code is 2.
    """
    from promptkit import lessons

    if name is None:
        return _listed(answers, as_json=as_json)
    asking = not as_json and answers is None and _at_terminal()
    if name in lessons.LESSONS and asking:
        err("the built-in model is at work …")
    exercise = lessons.exercise(name, seed, journal=journal)
    if asking:
        return _asked(exercise)
    given = None if answers is None else [each.strip() for each in answers.split(",")]
    right = None if given is None else exercise.score(given)  # what cannot be read is said before anything is shown
    if as_json:
        out_json(document(exercise, given))
    elif given is None:
        _lines(str(exercise).splitlines())
    else:
        _marked(exercise, given)
    if right is None:
        again = f"promptkit learn {name} --seed {seed} --answers {','.join(exercise.sample)}"
        say("these are the questions; nobody is at a terminal to answer them", [again])
        return Exit.USAGE
    return Exit.DONE


def document(exercise: Exercise, answers: Sequence[str] | None) -> dict[str, Any]:
    """The exercise as JSON has it; what is right is told with the answers only."""
    questions = []
    for number, question in enumerate(exercise.questions):
        told: dict[str, Any] = {"shown": list(question.shown), "text": question.text}
        told["choices"] = dict(zip(question.letters, question.choices, strict=True))
        told["wanted"] = question.wanted
        if answers is not None:
            told |= {"answer": answers[number], "correct": question.correct(answers[number])}
            told |= {"right": question.solution, "why": question.why}
        questions.append(told)
    body: dict[str, Any] = {"schema": SCHEMA, "exercise": exercise.name, "seed": exercise.seed}
    body |= {"about": list(exercise.about), "questions": questions, "runs": list(exercise.runs)}
    score = None if answers is None else {"right": exercise.score(answers), "of": len(questions)}
    return {**body, "score": score, "go_on": list(exercise.go_on)}


def _listed(answers: str | None, *, as_json: bool) -> int:
    """Say which exercises there are."""
    from promptkit.lessons import LESSONS

    if answers is not None:
        raise BadInput("--answers belongs to an exercise", hint="promptkit learn vote --answers a,b")
    if as_json:
        out_json({"schema": SCHEMA, "exercises": [{"name": name, "about": about} for name, about in LESSONS.items()]})
        return Exit.DONE
    columns(("exercise", "what is done"), LESSONS.items())
    err("to begin: promptkit learn vote")
    return Exit.DONE


def _marked(exercise: Exercise, answers: Sequence[str]) -> None:
    """All of it at once, with the answers."""
    from promptkit.lessons import page

    width = _width()
    _lines(page.opening(exercise, width))
    for number, (question, answer) in enumerate(zip(exercise.questions, answers, strict=True)):
        _lines(["", *page.asked(exercise, number, width), f"> {answer}", *page.told(question, answer, width)])
    _end(exercise, exercise.score(answers), len(answers))


def _asked(exercise: Exercise) -> int:
    """One question after the other, answered at the terminal; leaving is no error."""
    from promptkit.lessons import page

    _lines(page.opening(exercise, _width()))
    right = 0
    for number, question in enumerate(exercise.questions):
        _lines(["", *page.asked(exercise, number, _width())])
        try:
            answer = _typed(question)
        except (EOFError, KeyboardInterrupt) as left:
            out("")
            out(f"{page.score(right, number)} so far" if number else "no answer yet")
            return Exit.INTERRUPTED if isinstance(left, KeyboardInterrupt) else Exit.DONE
        right += question.correct(answer)
        _lines(page.told(question, answer, _width()))
    _end(exercise, right, len(exercise.questions))
    return Exit.DONE


def _typed(question: Question) -> str:
    """An answer that can be read: another one is asked for until there is one."""
    while True:
        answer = input("> ").encode("utf-8", "replace").decode("utf-8", "replace")
        try:
            question.picked(answer)
        except BadInput:
            _lines([f"{question.wanted}; Ctrl-D leaves"], wrapped=True)
        else:
            return answer


def _end(exercise: Exercise, right: int, of: int) -> None:
    from promptkit.lessons import page

    out(f"\n{page.score(right, of)}")
    say("to go on:", [*exercise.go_on, f"promptkit learn {exercise.name} --seed {exercise.seed + 1}"])


def _lines(lines: Sequence[str], *, wrapped: bool = False) -> None:
    from promptkit.render.safe import wrap

    width = _width() if wrapped else None
    for line in lines:
        for piece in wrap(line, width) if width else [line]:
            out(piece)


def _at_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def _width() -> int | None:
    """The cells of a line on the terminal; None into a pipe."""
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    from rich.console import Console

    return Console(file=sys.stdout).width
