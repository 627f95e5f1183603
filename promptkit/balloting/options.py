"""Multiple choice with the options in several orders, letters mapped back (choice-shuffle, arXiv:2311.16452)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from promptkit import answers
from promptkit.algorithms.voting.choice_shuffle import Order, shown, shuffles, unshuffled
from promptkit.announced import Forecast
from promptkit.balloting.count import NOTHING, Count, Poll
from promptkit.balloting.sampled import Answers, Chains, Sampled, Source
from promptkit.errors import BadInput
from promptkit.events import SampleRead, emit
from promptkit.exchange import Answer
from promptkit.types import Completion, Problem

LETTERS = "ABCDEFGHIJ"  # what the reader of choices reads
_OPTION = re.compile(r"^(?P<mark>[ \t]*[(\[]?(?P<letter>[A-J])[)\].:][ \t]+)(?P<text>\S.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a question, one a line, and the text around them."""

    letters: str
    texts: tuple[str, ...]
    places: tuple[tuple[int, int], ...]  # of the texts, in the question

    def ordered(self, question: str, order: Order) -> str:
        """The question with its options in another order, lettered as before."""
        found, at = "", 0
        for (start, end), text in zip(self.places, shown(self.texts, order), strict=True):
            found += question[at:start] + text
            at = end
        return found + question[at:]


def options_of(question: str) -> Options | None:
    """The options a question lists as `A) …`, `(B) …`, `C. …`, a line each, from A on; None when there are none."""
    marks = list(_OPTION.finditer(question))
    starts = [at for at, mark in enumerate(marks) if mark["letter"] == "A"]
    if not starts:
        return None
    run: list[re.Match[str]] = []
    for mark in marks[starts[-1] :]:
        if mark["letter"] != LETTERS[len(run) : len(run) + 1]:
            break
        run.append(mark)
    if len(run) < 2:
        return None
    texts = tuple(mark["text"].rstrip() for mark in run)
    places = tuple((m.start("text"), m.start("text") + len(t)) for m, t in zip(run, texts, strict=True))
    return Options(LETTERS[: len(run)], texts, places)


def questions(problem: Problem, n: int) -> tuple[str, ...]:
    """The question as each of n samples is asked it, its options in another order; none where it lists none."""
    options = options_of(problem.text)
    orders = shuffles(len(options.letters), n, problem.seed) if options else ()
    return tuple(options.ordered(problem.text, order) for order in orders) if options else ()


@dataclass(frozen=True, slots=True)
class ByShuffle:
    """One sample, one vote, each sample with the options in an order of its own: no place is preferred."""

    heads: ClassVar[bool] = True
    settles: ClassVar[bool] = True
    takes_of: ClassVar[bool] = True

    def opened(self, poll: Poll) -> Count:
        """The count of one run; BadInput when the question lists no options."""
        if poll.problem.output_schema is not None:
            raise BadInput("--vote choice-shuffle reads letters, not JSON", hint="leave --output out")
        options = options_of(poll.problem.text)
        if options is None:
            hint = 'list them one a line: "Which city?\nA) Rome\nB) Oslo", or --vote majority'
            raise BadInput("--vote choice-shuffle needs a question with options, and finds none", hint=hint)
        return _Shuffled(poll, options)

    def further(self, n: int) -> Forecast:
        """Nothing."""
        return NOTHING


class _Shuffled(Count):
    def __init__(self, poll: Poll, options: Options) -> None:
        super().__init__(replace(poll, problem=replace(poll.problem, reader="choice")))
        self._orders: Sequence[Order] = shuffles(len(options.letters), poll.n, poll.problem.seed)
        self._questions = questions(poll.problem, poll.n)

    def source(self) -> Source:
        """Samples that are each asked with an order of its own."""
        poll = self.poll
        if poll.of is not None:
            return Answers(poll.of, poll.problem, poll.model, asked=self._asked)
        return Chains(
            poll.problem,
            poll.model,
            temperature=poll.temperature,
            reply_tokens=poll.reply_tokens,
            asked=self._asked,
            reading=self._read,
        )

    def take(self, got: Sampled) -> None:
        """Count a sample in; the answer of another strategy is mapped back here."""
        if self.poll.of is not None and got.answer:
            got = replace(got, answer=self._back(got.answer.key.upper(), got.index))
        super().take(got)

    def _asked(self, index: int) -> Problem:
        return replace(self.poll.problem, text=self._questions[index])

    def _read(self, completion: Completion, index: int) -> Answer | None:
        reading = None if completion.finish == "length" else answers.read("choice", completion.text)
        found = self._back(reading.answer, index) if isinstance(reading, answers.Reading) else None
        fault = "" if found else "cut off at max_tokens" if completion.finish == "length" else "no option in the reply"
        emit(SampleRead(index, found.shown if found else None, "choice" if found else "", fault))
        return found

    def _back(self, letter: str, index: int) -> Answer | None:
        meant = unshuffled(letter, self._orders[index])
        return Answer(meant, meant) if meant else None
