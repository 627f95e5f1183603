"""One question of a model to a person: asked for, looked at, asked for once more where it is none or several."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from promptkit import prompts
from promptkit.events import Warned, emit
from promptkit.sampling import ask
from promptkit.types import Completion, Model, Request, message

# The question marks of scripts: full width, Arabic, Armenian, Ethiopic, Greek; か ends a question in Japanese.
_MARKS = re.compile(
    r"[?\uff1f\u2047\u2048\u2049\u203d\u061f\u055e\u1367\u037e]+[!\uff01]*"
    r"|(?<=[\u0370-\u03ff\u1f00-\u1fff]);|\u304b[\u3002\uff0e]?[\u300d\u300f]?[ \t]*$",
    re.MULTILINE,
)
_ASIDE = re.compile(r"\([^()]*\)|（[^（）]*）|\[[^\[\]]*\]|\"[^\"\n]*\"|“[^“”]*”|«[^«»]*»|„[^„“]*“")
_LABEL = re.compile(r"^\W*(?:next )?question(?:\s*\d+)?\s*[:：][\s*_]*", re.IGNORECASE)
_END = re.compile(r"[\"'“”«»]?/?done[\"'“”«»]?[.!。]?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question, and what was answered."""

    question: str
    answer: str


async def next_question(request: Request, model: Model, *, where: str, pack: str) -> str:
    """What the model asks in reply to the request; "" where it says nothing, twice."""
    got = await ask(model, request, where=where)
    if asks_once(got):
        return _bare(got)
    words = prompts.pack(pack).template("flipped-once").render()
    said = got.text.strip()
    turns = (*request.messages, message("assistant", said), *words) if said else (*request.messages[:-1],)
    if not said:  # some models refuse an empty turn, and two of one speaker
        whole = "\n\n".join(turn.text for turn in (request.messages[-1], *words))
        turns = (*turns, message("user", whole))
    again = await ask(model, replace(request, messages=turns), where=f"{where}-again")
    text = _bare(again) or _bare(got)
    if text and not asks_once(again):
        emit(Warned("the model did not ask one question, twice: it is taken as it is"))
    return text


def asks_once(got: Completion) -> bool:
    """Whether a reply is one question: what stands in brackets and quotes does not count, and none may be cut off."""
    said = got.text
    while (shorter := _ASIDE.sub("", said)) != said:
        said = shorter
    return got.finish != "length" and len(_MARKS.findall(said)) == 1


def ended(answer: str | None) -> bool:
    """Whether somebody ends the questions: nothing more comes, an empty line, or `done`."""
    return answer is None or not answer.strip() or bool(_END.fullmatch(answer.strip()))


def turns_of(request: Request, exchanges: Sequence[Exchange]) -> Request:
    """The request with the questions and answers so far behind it, each a turn."""
    said = [turn for each in exchanges for turn in (message("assistant", each.question), message("user", each.answer))]
    return replace(request, messages=(*request.messages, *said))


def _bare(got: Completion) -> str:
    """The reply without the word "Question:" before it."""
    text = got.text.strip()
    return _LABEL.sub("", text) or text
