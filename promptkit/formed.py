"""Asking for a reply of a given form: by schema where the model can be held to one, by words everywhere."""

from __future__ import annotations

from dataclasses import replace

from promptkit.errors import CapabilityMissing
from promptkit.events import Substituted, emit_once
from promptkit.prompts import Pack
from promptkit.sampling import ask, fork
from promptkit.types import Completion, Model, Request, Text, message

_REPAIR = 1  # the branch of draws a re-ask has for itself


def asked(request: Request, wanted: str, pack: Pack, model: Model, *, held: bool) -> Request:
    """The request, its last turn saying what the answer must be. `held`: the reply is to be nothing but that."""
    words = pack.template("output").render(schema=wanted)[-1].text
    turns = list(request.messages)
    at = max((i for i, turn in enumerate(turns) if turn.role == "user"), default=len(turns) - 1)
    turns[at] = replace(turns[at], content=(*turns[at].content, Text(f"\n\n{words}")))
    return replace(request, messages=tuple(turns), schema=_schema(wanted, model) if held else None)


async def ask_held(model: Model, request: Request, *, where: str) -> Completion:
    """The reply; not held to the schema where the model refuses it, which is before anything is sent."""
    try:
        return await ask(model, request, where=where)
    except CapabilityMissing:
        if request.schema is None:
            raise
        _in_words()
        return await ask(model, replace(request, schema=None), where=f"{where}-free")


async def asked_again(
    request: Request, got: Completion, fault: str, wanted: str, pack: Pack, model: Model
) -> Completion:
    """Another reply, after the model was shown its own and what is wrong with it."""
    words = pack.template("output-repair").render(fault=fault, schema=wanted)[-1].text
    turns = (message("assistant", got.text), message("user", words))
    again = replace(request, messages=request.messages + turns, schema=_schema(wanted, model), stop=(), draw=(0,))
    return await ask_held(fork(model, _REPAIR), again, where="repair")


def _schema(wanted: str, model: Model) -> str | None:
    if model.capabilities.json_schema:
        return str(wanted)
    _in_words()
    return None


def _in_words() -> None:
    emit_once(Substituted("a reply held to a JSON schema", "the form in words, checked, and one repair"))
