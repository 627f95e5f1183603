"""What a repair must keep: the answer that was read before it. A form without that answer is noise in good order."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from promptkit import answers, exchange, prompts
from promptkit.around import Around
from promptkit.outputs import canonical
from promptkit.types import Completion, Message, Model, Outcome, Problem, Request

LOST = "the form does not hold the answer"
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
_WORD = re.compile(r"[^\W_]+(?:[.,][^\W_]+)*")


def holds(text: str, answer: str) -> bool:
    """Whether a text says an answer: a number or an expression as it stands, of words at least half."""
    wanted = _words(answer)
    if not any(letter.isalpha() for letter in answer):
        squeezed = "".join(_plain(answer).split())
        spaced = r"\s*".join(map(re.escape, squeezed))
        return bool(re.search(rf"(?<![\w.,]){spaced}(?![.,]?\w)", _plain(text)))
    return len(wanted & _words(text)) * 2 >= len(wanted)


def read_off(problem: Problem, reply: str) -> str | None:
    """The answer that a reply states; None where it states none, or is to be taken as a whole."""
    reader = problem.reader or prompts.pack(problem.pack).reader
    if reader not in answers.READERS or not exchange.marked(reader, reply):
        return None
    found = answers.read(reader, reply)
    return found.shown if isinstance(found, answers.Reading) and not found.shown.startswith(("{", "[", "`")) else None


def stated(outcome: Outcome, problem: Problem) -> str | None:
    """The answer of an outcome that a form must say; None where it is but the end of a text without a mark."""
    reader = problem.reader or prompts.pack(problem.pack).reader
    return outcome.answer if reader != "final" or exchange.marked(reader, outcome.text) else None


def asking(problem: Problem, wanted: str) -> Problem:
    """The problem with its output. Where any JSON will do, a number is asked for as ever: it is JSON already."""
    number = prompts.pack(problem.pack).reader == "number" and wanted == "{}"
    return problem if number else replace(problem, output_schema=wanted)


def as_json(answer: str) -> str:
    """An answer as any JSON that says it: a number as one, else text."""
    return answer if _NUMBER.fullmatch(answer) else canonical(answer)


def _plain(text: str) -> str:
    """Without escapes, the commas of thousands, and a sign that is written in another way."""
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text.casefold().replace("\\", ""))
    text = re.sub(r"(?<=\d)\.0+\b", "", text)
    return text.translate({0x2212: "-", 0xD7: "*", 0xF7: "/", 0x2013: "-"})


def _words(text: str) -> set[str]:
    return set(_WORD.findall(_plain(text)))


@dataclass(frozen=True, slots=True)
class Keeping(Around):
    """A model whose repairs of an output are dropped where the reply that they mend states another answer."""

    inner: Model
    problem: Problem  # with the output
    texts: list[str] = field(default_factory=list)  # of the repairs that were let through
    dropped: list[str] = field(default_factory=list)  # those that were not

    async def complete(self, request: Request, /) -> Completion:
        got = await self.inner.complete(request)
        if not self._mends(request.messages):
            return got
        before = read_off(replace(self.problem, output_schema=None), request.messages[-2].text)
        if before is None or self._translated(before) or holds(got.text, before):
            self.texts.append(got.text)
            return got
        self.dropped.append(got.text)
        return replace(got, text="")

    def _translated(self, stated: str) -> bool:
        """Whether a schema may ask for it in other words: "yes" as true, "seven" as 7; never a number as another."""
        return (self.problem.output_schema or "{}") != "{}" and not _NUMBER.fullmatch(_plain(stated).strip())

    def _mends(self, turns: tuple[Message, ...]) -> bool:
        """Whether the last turn is the template's that asks for an output again."""
        if len(turns) < 2 or turns[-2].role != "assistant":
            return False
        template = prompts.pack(self.problem.pack).template("output-repair")
        words = template.render(fault="\0", schema=self.problem.output_schema or "{}")[-1].text
        head, _, tail = words.partition("\0")
        last = turns[-1].text
        return last.startswith(head) and last.endswith(tail)
