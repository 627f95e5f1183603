"""A verdict among given options: thinking is free, only the verdict is held to them. No verdict is ever guessed.

The judgement comes first, without any constraint: a reply that must be one word leaves a model no room to think.
Where no verdict can be read from it, the model is shown its judgement and asked for the verdict alone, once: held to
a grammar or a schema where it can be, else read off the log-probabilities of its first token, else read strictly.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from promptkit import prompts
from promptkit.errors import BadInput, PromptkitError, ProviderError
from promptkit.events import Decided, Substituted, emit, emit_once
from promptkit.lazy import Lazy
from promptkit.sampling import Sample, ask_all, fork
from promptkit.types import Capabilities, Completion, Message, Model, Request, message
from promptkit.verdicts import ballot, bare, verdict

How = Literal["read", "grammar", "schema", "logprobs", "reask", "unreadable"]
Way = Literal["grammar", "schema", "logprobs", "words"]  # how a model can be held to the options

_INSTEAD: dict[Way, str] = {
    "schema": "a JSON schema",
    "logprobs": "the log-probabilities of its first token",
    "words": "words, read strictly, and asked again once",
}
AGAIN = 1  # the branch of draws that re-asks have for themselves
TOP = 20  # log-probabilities asked for; more is refused by most APIs
MASS = 0.5  # an option is read off the first token only if that more likely than not begins one


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided for one request; `verdict` is None where it could not be read, or the call failed."""

    index: int
    verdict: str | None
    how: How
    text: str  # the reply it was read from, or the last one that could not be read
    error: PromptkitError | None = None
    judgement: str = ""  # what was said freely before the verdict was asked for once more; else the text, too


Each = Callable[[Decision], None]


async def decide(
    model: Model,
    request: Request,
    options: Sequence[str] | int,  # the words, or k for the number of a choice from 1 to k
    *,
    draws: range = range(1),
    where: str,
    each: Each | None = None,
    direct: bool = False,  # no judgement first: one short call, held to the options
    pack: str = prompts.DEFAULT_PACK,
) -> list[Decision]:
    """A verdict for each of several independent draws of one request."""
    requests = Lazy(draws, request.at)
    return await decide_all(model, requests, options, where=where, each=each, direct=direct, pack=pack)


async def decide_all(
    model: Model,
    requests: Sequence[Request],
    options: Sequence[str] | int,
    *,
    where: str,
    each: Each | None = None,
    direct: bool = False,
    needed: bool = True,
    pack: str = prompts.DEFAULT_PACK,
) -> list[Decision]:
    """A verdict for each request, in one round, and one more for those whose verdict could not be read.

    `each` sees a decision as soon as it is made: those of the first round in order, then those of the second.
    When all calls are lost, the error of the first is raised, unless the verdicts are not `needed`.
    """
    among, way = _Options.of(options), way_of(model.capabilities)
    if way in _INSTEAD:
        emit_once(Substituted("a verdict held to the options by a grammar", _INSTEAD[way]))
    made: dict[int, Decision] = {}
    unread: list[Sample] = []

    def settle(
        index: int, word: str | None, how: How, text: str, error: PromptkitError | None = None, judgement: str = ""
    ) -> None:
        how = "unreadable" if word is None else how
        made[index] = decision = Decision(index, word, how, text, error, judgement or text)
        emit(Decided(among.words, word, decision.how, text))
        if each:
            each(decision)

    def judged(got: Sample) -> None:
        if got.completion is None:
            settle(got.index, None, "unreadable", "", got.error)
            return
        word, how = among.held(got.completion, way) if direct else (among.judgement(got.completion), "words")
        if word is None:
            unread.append(got)
        else:
            settle(got.index, word, "read" if how == "words" else how, got.completion.text)

    def asked_again(got: Sample) -> None:
        judgement = unread[got.index]
        if got.completion is None:  # the verdict is lost, not the run
            settle(judgement.index, None, "unreadable", judgement.text or "", got.error)
            return
        word, how = among.held(got.completion, way)
        said = judgement.text or ""
        text = got.completion.text if word or got.completion.text.strip() else said
        settle(judgement.index, word, "reask" if how == "words" else how, text, judgement=said)

    held = Lazy(range(len(requests)), lambda index: among.hold(requests[index], way))
    first = held if direct else requests
    await ask_all(model, first, where=where, each=judged, quorum=0.0 if needed else None)
    if unread:
        words = prompts.find(pack, "verdict").render(options=", ".join(among.words))
        again = [among.again(requests[got.index], got.text or "", words, way) for got in unread]
        where, branch = f"{where}-again", fork(model, AGAIN)
        await ask_all(branch, again, where=where, each=asked_again, quorum=None, losing=ProviderError)
    return [made[index] for index in range(len(requests))]


def way_of(capabilities: Capabilities) -> Way:
    """The surest way to hold such a model to the options."""
    if capabilities.grammar:
        return "grammar"
    if capabilities.json_schema:
        return "schema"
    return "logprobs" if capabilities.logprobs else "words"


@dataclass(frozen=True, slots=True)
class _Options:
    """What may be decided."""

    words: tuple[str, ...]
    numbered: bool  # the number of a choice, named in a sentence

    @classmethod
    def of(cls, options: Sequence[str] | int) -> _Options:
        numbered = isinstance(options, int)
        words = tuple(str(i + 1) for i in range(options)) if isinstance(options, int) else tuple(options)
        plain = {bare(word).strip().casefold() for word in words}
        if not words or "" in plain or len(plain) < len(words) or any(word != word.strip() for word in words):
            raise BadInput(
                f"nothing can be decided among {options!r}", hint="give words that differ, or a number from 1"
            )
        return cls(words, numbered)

    # asking -----------------------------------------------------------------------------------------------------

    def hold(self, request: Request, way: Way) -> Request:
        """The request, its reply held to an option."""
        match way:
            case "grammar":
                forms = " | ".join(_literal(word) for word in self.words)
                room = 8 + max(len(word.encode("utf-8", "surrogatepass")) for word in self.words)
                return replace(request, grammar=f"root ::= {forms}", max_tokens=room, stop=())
            case "schema":
                return replace(request, schema=json.dumps(self._schema()), stop=())
            case "logprobs":
                return replace(request, logprobs=TOP)
            case "words":
                return request

    def again(self, request: Request, judgement: str, words: tuple[Message, ...], way: Way) -> Request:
        """The request with its judgement behind it, and the question for the verdict alone."""
        turns = request.messages
        if judgement.strip():
            turns = (*turns, message("assistant", judgement), *words)
        else:  # nothing was said: some models refuse an empty turn, and two of one speaker
            turns = (*turns[:-1], message("user", "\n\n".join(turn.text for turn in (*turns[-1:], *words))))
        heat = None if request.temperature is None else 0.0
        return self.hold(replace(request, messages=turns, temperature=heat, stop=()), way)

    def _schema(self) -> dict[str, object]:
        word = {"type": "string", "enum": list(self.words)}
        return {
            "type": "object",
            "properties": {"verdict": word},
            "required": ["verdict"],
            "additionalProperties": False,
        }

    # reading ----------------------------------------------------------------------------------------------------

    def judgement(self, completion: Completion) -> str | None:
        """The verdict a free judgement ends in; a reply cut off has none: "1" may be the beginning of "12"."""
        return None if completion.finish == "length" else self._last_line(completion.text)

    def held(self, completion: Completion, way: Way) -> tuple[str | None, Way]:
        """The verdict of a reply that was to be nothing else, and what it was read by."""
        whole = completion.finish != "length"
        match way:
            case "grammar":
                text = completion.text.strip()
                return (text if whole and text in self.words else None), way
            case "schema":
                return (self._in_json(completion.text) if whole else None), way
            case "logprobs":
                if whole and (word := self._alone(completion.text)):
                    return word, "words"
                return self._likeliest(completion), way
            case "words":
                return (self._alone(completion.text) if whole else None), way

    def _last_line(self, text: str) -> str | None:
        if not self.numbered:
            return verdict(text, self.words)
        at = ballot(text, len(self.words))
        return None if at is None else self.words[at]

    def _alone(self, text: str) -> str | None:
        if self.numbered and re.match(r"\W*[-−–]\s*\d", text.strip().rpartition("\n")[2]):
            return None  # "-2" is no choice
        return self._last_line(text) or verdict(text, self.words)

    def _in_json(self, text: str) -> str | None:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return None
        word = value.get("verdict") if isinstance(value, dict) and len(value) == 1 else None
        return word if isinstance(word, str) and word in self.words else None

    def _likeliest(self, completion: Completion) -> str | None:
        """The option that the first token most probably begins, if it begins a single one."""
        token = next((token for token in completion.logprobs if token.text.strip()), None)
        if token is None:
            return None
        weights = dict.fromkeys(self.words, 0.0)
        for text, logprob in dict(((token.text, token.logprob), *token.top)).items():
            begun = [word for word in self.words if word.casefold().startswith(text.strip().casefold() or "\n")]
            if len(begun) == 1:
                weights[begun[0]] += math.exp(min(logprob, 0.0))
        best, second = (*sorted(weights, key=lambda word: -weights[word]), None)[:2]
        if best is None or sum(weights.values()) < MASS or (second and weights[best] == weights[second]):
            return None
        return best


def _literal(word: str) -> str:
    """The word as a GBNF literal."""
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(letter, letter) for letter in word) + '"'
