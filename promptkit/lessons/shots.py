"""Which example tells most: a sign with a hidden meaning, and worked examples that leave some of its meanings open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from promptkit.lessons.desk import Desk, Ran, worthwhile
from promptkit.lessons.exercise import Exercise, Question
from promptkit.worlds.patterns import MEANINGS, Pattern, draw

ABOUT = (
    "Few-shot prompting (arXiv:2005.14165) shows worked examples instead of saying what is wanted. An example is worth "
    "what it rules out: 4 # 4 -> 4 leaves a sign with many meanings, 7 # 2 -> 9 with one.",
    f"Here a sign means one of: {', '.join(MEANINGS)} (difference: without its sign; joined: 7 # 2 -> 72).",
)
SHOWN = 3  # examples

Shot = tuple[str, str]


def made(desk: Desk) -> Exercise:
    """The exercise of the desk's seed."""
    pattern, ran = _run(desk, worthwhile(_drawn(desk), _telling, tries=50))
    return Exercise(
        name=desk.name,
        seed=desk.seed,
        about=ABOUT,
        questions=(_most(pattern), _answer(pattern), _model(pattern, ran)),
        go_on=(f"promptkit runs show {desk.runs[-1]} --prompts", "promptkit bench patterns --quick"),
        runs=tuple(desk.runs),
    )


def meanings(shots: Sequence[Shot]) -> list[str]:
    """The meanings of the sign that all of the examples leave open."""
    return [name for name in MEANINGS if all(_result(name, asked) == answer for asked, answer in shots)]


def _result(name: str, asked: str) -> str:
    left, _, right = asked.split()
    return str(MEANINGS[name](int(left), int(right)))


def _drawn(desk: Desk) -> Iterator[Pattern]:
    chance = desk.chance()
    while True:
        yield draw(chance, n=SHOWN, kind="operator", split="test")


def _telling(pattern: Pattern) -> bool:
    """Whether one example leaves less open than each other, and all together leave one answer."""
    left = sorted(len(meanings([shot])) for shot in pattern.examples)
    return left[0] < left[1] and len(_answers(pattern)) == 1


def _answers(pattern: Pattern) -> set[str]:
    return {_result(name, pattern.question) for name in meanings(pattern.examples)}


def _run(desk: Desk, pattern: Pattern) -> tuple[Pattern, Ran]:
    shots = [{"question": asked, "answer": answer} for asked, answer in pattern.examples]
    return pattern, desk.run("few-shot", pattern.question, pack="patterns", examples=shots)


def _most(pattern: Pattern) -> Question:
    left = [meanings([shot]) for shot in pattern.examples]
    fewest = min(range(len(left)), key=lambda at: len(left[at]))
    told = "; ".join(
        f"{asked} leaves {', '.join(names)}" for (asked, _), names in zip(pattern.examples, left, strict=True)
    )
    return Question(
        text="Which example alone tells most about the sign?",
        choices=tuple(f"{asked} -> {answer}" for asked, answer in pattern.examples),
        right=(fewest,),
        why=f"{told}.",
    )


def _answer(pattern: Pattern) -> Question:
    choices = _choices(pattern)
    names = " or ".join(meanings(pattern.examples))
    return Question(
        text=f"All three are shown. What is {pattern.question}?",
        choices=choices,
        right=(choices.index(pattern.answer),),
        why=f"only {names} fits all of them.",
    )


def _model(pattern: Pattern, ran: Ran) -> Question:
    said, model = ran.outcome.answer or "nothing that can be read", ran.outcome.model
    right = said == pattern.answer
    return Question(
        text=f"A model of 3.3 million parameters ({model}) is shown all three and asked the same. Is it right?"
        if model == "builtin"
        else f"{model} is shown all three and asked the same. Is it right?",
        choices=("yes", "no"),
        right=(0 if right else 1,),
        why=f"it says {said}.",
    )


def _choices(pattern: Pattern) -> tuple[str, ...]:
    """What the meanings would give, the right one among at most six."""
    values = dict.fromkeys([pattern.answer, *(_result(name, pattern.question) for name in MEANINGS)])
    return tuple(sorted(list(values)[:6], key=int))
