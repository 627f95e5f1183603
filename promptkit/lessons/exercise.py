"""An exercise: something to look at, questions with lettered choices, and what a real run says about each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from promptkit.errors import BadInput

LETTERS = "abcdefghijklmnopqrstuvwxyz"
YES_NO = ("yes", "no")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something to predict; which choices are right was read off a run, or worked out exactly."""

    text: str
    choices: tuple[str, ...]
    right: tuple[int, ...]  # the places of the right choices, in order
    why: str  # one sentence, said after the answer
    shown: tuple[str, ...] = ()  # lines to look at first
    pick: int | None = 1  # how many letters an answer has; None: one or more

    @property
    def letters(self) -> str:
        """The letters of the choices."""
        return LETTERS[: len(self.choices)]

    @property
    def solution(self) -> str:
        """The letters of the right choices."""
        return "".join(LETTERS[place] for place in self.right)

    @property
    def wanted(self) -> str:
        """What an answer looks like, in words."""
        span = f"{self.letters[0]}-{self.letters[-1]}"
        if self.pick == 1:
            return f"one letter of {span}"
        example = self.letters[: self.pick or 2]
        return f"{self.pick or 'one or more'} letters of {span}, as in {example}"

    def picked(self, answer: str) -> tuple[int, ...]:
        """The places an answer names, in order; BadInput where it names none, or too many."""
        said = [each for each in answer.casefold() if not each.isspace() and each not in ",;."]
        places = sorted({LETTERS.index(each) for each in said if each in self.letters})
        strange = [each for each in said if each not in self.letters]
        if strange or not places or len(places) != (self.pick or len(places)):
            raise BadInput(f"{answer.strip()!r} is not {self.wanted}", hint=f"answer with {self.wanted}")
        return tuple(places)

    def correct(self, answer: str) -> bool:
        """Whether the answer names all the right choices and no other; BadInput when it cannot be read."""
        return self.picked(answer) == self.right


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """An exercise made from a seed; `runs` are the journaled runs it was read off, the last one its own."""

    name: str
    about: tuple[str, ...]  # paragraphs: what this is about
    questions: tuple[Question, ...]
    go_on: tuple[str, ...]  # commands to go on with
    seed: int = 0
    runs: tuple[str, ...] = ()

    @property
    def sample(self) -> list[str]:
        """Answers that can be read, right or wrong."""
        return [question.letters[: question.pick or 1] for question in self.questions]

    def score(self, answers: Sequence[str]) -> int:
        """How many answers are right, of one a question; BadInput when their number or one of them is off."""
        if len(answers) != len(self.questions):
            given = f"{len(answers)} answer{'s' if len(answers) != 1 else ''}"
            hint = f"one a question, as in --answers {','.join(self.sample)}"
            raise BadInput(f"{given} for {len(self.questions)} questions", hint=hint)
        return sum(question.correct(answer) for question, answer in zip(self.questions, answers, strict=True))

    def __str__(self) -> str:
        from promptkit.lessons import page

        return "\n".join(page.whole(self))
