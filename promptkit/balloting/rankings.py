"""Samples that rank: each names several answers, best first, and they are counted by places (Borda 1781)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import ClassVar

from promptkit.algorithms.voting.ballot import Ballot
from promptkit.algorithms.voting.borda import Borda
from promptkit.announced import Forecast
from promptkit.balloting.count import NOTHING, Count, Poll
from promptkit.balloting.options import options_of
from promptkit.balloting.sampled import Chains, Sampled, Source
from promptkit.errors import BadInput
from promptkit.events import SampleRead, emit
from promptkit.exchange import Answer, key_of, reader_of
from promptkit.prompts import Prompt, pack
from promptkit.types import Completion

Ranking = tuple[tuple[Answer, ...], ...]

_LINE = re.compile(r"[\s*_#>-]*(?:final\s+)?ranking[\s*_]*[:：]\s*(.+?)[\s*_.]*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ByPlaces:
    """The answer with the most points, of samples that rank answers; the options of a question, where it has some."""

    heads: ClassVar[bool] = False
    settles: ClassVar[bool] = True
    takes_of: ClassVar[bool] = False

    most: int = 3  # answers that a sample ranks, where the question does not list any

    def __post_init__(self) -> None:
        if self.most < 2:
            raise BadInput(f"a ranking has at least 2 places, not {self.most}", hint="e.g. borda(3)")

    def opened(self, poll: Poll) -> Count:
        """The count of one run; BadInput for an output of a given form."""
        if poll.problem.output_schema is not None:
            raise BadInput("--vote borda reads rankings, not JSON", hint="--vote majority, or leave --output out")
        return _Ranked(poll, self.most)

    def further(self, n: int) -> Forecast:
        """Nothing."""
        return NOTHING


class _Ranked(Count):
    def __init__(self, poll: Poll, most: int) -> None:
        options = options_of(poll.problem.text)
        super().__init__(poll, Borda(tuple(options.letters) if options else ()))
        self._most = len(options.letters) if options else most
        problem = poll.problem
        self._reader = "choice" if options else reader_of(problem, pack(problem.pack), self._template())
        self._rankings: dict[int, Ranking] = {}

    def _template(self) -> Prompt:
        return pack(self.poll.problem.pack).template("rank")

    def source(self) -> Source:
        """Replies to the template `rank`."""
        poll = self.poll
        return Chains(
            poll.problem,
            poll.model,
            "rank",
            temperature=poll.temperature,
            reply_tokens=poll.reply_tokens,
            inputs={"most": self._most},
            reading=self._read,
        )

    def _read(self, completion: Completion, index: int) -> Answer | None:
        """The answer put first; None when nothing is ranked, the reply is cut off, or the first place is shared."""
        found = None if completion.finish == "length" else ranking(completion.text, self._reader)
        if not found:
            emit(SampleRead(index, None, "", "cut off at max_tokens" if found is None else "no ranking in the reply"))
            return None
        self._rankings[index] = found
        emit(SampleRead(index, " > ".join(" = ".join(each.shown for each in group) for group in found), "ranking"))
        return found[0][0] if len(found[0]) == 1 else None

    def ballot(self, got: Sampled) -> Ballot:
        """With its ranking."""
        places = tuple(tuple(each.key for each in group) for group in self._rankings.get(got.index, ()))
        return replace(super().ballot(got), ranking=places)

    def shown(self, key: str) -> str:
        """An answer as it was first written."""
        every = (each for found in self._rankings.values() for group in found for each in group)
        return next((each.shown for each in every if each.key == key), key)

    def text(self, key: str) -> str:
        """The first sample that puts it first, or else names it."""
        named = [i for i, found in self._rankings.items() if any(key == e.key for group in found for e in group)]
        first = next((i for i in named if any(each.key == key for each in self._rankings[i][0])), None)
        at = first if first is not None else next(iter(named), None)
        return "" if at is None else self.came[at].text


def ranking(text: str, reader: str) -> Ranking:
    """The places of a reply's last line that begins with "Ranking:"; empty where there is none."""
    lines = [line for line in text.splitlines() if line.strip()]
    found = _LINE.match(lines[-1]) if lines else None
    if not found:
        return ()
    groups = [[word.strip(" *_\"'") for word in group.split(" = ")] for group in re.split(r"\s>\s", found[1])]
    return tuple(tuple(Answer(key_of(reader, word), word) for word in group if word) for group in groups if any(group))
