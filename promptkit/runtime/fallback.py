"""Several models for one run: the next one answers when one cannot.

A request goes down the list until a model answers; the completion is that model's in every way: its key, its budget,
its name. What a replay needs to take the same turns is in the journal, as failures of the run:

- A failure that concerns one request (too slow, too long, limited for now) concerns that request alone.
- A failure that concerns the model whatever it is asked (no key, no such model, no credit, no server at its address,
  not answering after every retry) rules it out for the rest of the run: requests made later pass it over, except for
  what the journal has of it. Each pass is recorded, so a replay never has to guess when the model was ruled out.
  Requests under way at that moment are not touched, so what a strategy asks for in one round depends on no order of
  arrival.
- A bad request of ours (Rejected) is nobody's failure: the next model would refuse it too.

A resume forgets the failures and begins with the first model again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol

from promptkit.errors import (
    BadInput,
    ContextOverflow,
    KeyMissing,
    ModelMissing,
    NoCredit,
    Paused,
    PromptkitError,
    ProviderError,
    Rejected,
    TooLarge,
    Transient,
    Unavailable,
)
from promptkit.events import Warned, emit
from promptkit.types import Capabilities, Completion, Model, Provider, Request

RULES_OUT = (Unavailable, KeyMissing, ModelMissing, NoCredit)


def falls_over(error: PromptkitError) -> bool:
    """Whether the next model is asked: the error is the model's, not the request's."""
    return isinstance(error, Transient | ContextOverflow | TooLarge | Paused) or rules_out(error)


def rules_out(error: PromptkitError) -> bool:
    """Whether the model would fail whatever it is asked."""
    # What is neither passing nor about the request: nothing listens at its address, its library cannot be loaded.
    of_the_model = isinstance(error, ProviderError) and not isinstance(error, Transient | Rejected)
    return isinstance(error, RULES_OUT) or of_the_model


class Remembering(Model, Protocol):
    """A model behind the journal, as far as a fallback needs it."""

    @property
    def replaying(self) -> bool:
        """Whether it answers from the journal alone."""

    def has(self, request: Request, /) -> bool:
        """Whether the completion is there, or on its way."""

    async def pass_over(self, request: Request, error: PromptkitError, /) -> None:
        """Record that the run could not have it from this model."""

    async def aclose(self) -> None:
        """Stop what is under way."""


class Fallback:
    """A model that asks the first of its models, and the next when that one cannot answer."""

    def __init__(self, id: str, capabilities: Capabilities, models: Sequence[Remembering]) -> None:
        self.id = id
        self.capabilities = capabilities
        self._models = models
        self._ruled_out: dict[int, PromptkitError] = {}
        self._told: set[tuple[int, type]] = set()

    async def complete(self, request: Request, /) -> Completion:
        """The completion of the first model that has one; when none has, what each of them said."""
        ruled_out = dict(self._ruled_out)  # as it was when the request was made, whatever happens meanwhile
        failed: list[tuple[str, PromptkitError]] = []
        for place, model in enumerate(self._models):
            try:
                if place in ruled_out and not model.replaying and not model.has(request):
                    await model.pass_over(request, ruled_out[place])
                    raise ruled_out[place]
                return await model.complete(request)
            except PromptkitError as error:
                if not falls_over(error):
                    raise
                failed.append((model.id, error))
                if rules_out(error):
                    self._ruled_out.setdefault(place, error)
                self._tell(place, error)
        raise _none(failed)

    async def aclose(self) -> None:
        """Stop what is still under way."""
        for model in self._models:
            await model.aclose()

    def _tell(self, place: int, error: PromptkitError) -> None:
        """Say once for a model and a kind of failure that the next model takes over."""
        if place + 1 == len(self._models) or (place, type(error)) in self._told:
            return
        self._told.add((place, type(error)))
        here, following = self._models[place].id, self._models[place + 1].id
        emit(Warned(f"{here} cannot answer, {following} is asked instead: {error.message}", error.hint))


def _none(failed: Sequence[tuple[str, PromptkitError]]) -> PromptkitError:
    """One error for all: that of a model that can be asked later, which ends the run until then.

    Else the first that was worth another try, so that a vote counts it as a failed sample.
    """
    errors = [error for _, error in failed]
    if len(failed) == 1:
        return errors[0]
    chief = next((each for kind in (Paused, Transient) for each in errors if isinstance(each, kind)), errors[0])
    said = "; ".join(f"{id}: {error.message}" for id, error in failed)
    hints = dict.fromkeys(error.hint for _, error in failed if error.hint)
    message, hint = f"none of {len(failed)} models could answer: {said}", "\n".join(hints)
    if isinstance(chief, Paused):
        return Paused(message, hint=hint, not_before=chief.not_before)
    return type(chief)(message, hint=hint)


class Chain:
    """The models of a list as one provider, to plan a run with; the run itself talks to a Fallback."""

    def __init__(self, models: Sequence[Provider]) -> None:
        self.models = tuple(models)
        self.id = ",".join(model.id for model in models)
        self.capabilities = shared([model.capabilities for model in models])
        if len({model.id for model in models}) < len(models):
            raise BadInput(f"a model is named twice: {self.id}", hint="each model of a list once, the favourite first")

    @property
    def identity(self) -> str:
        """That of every model; none of one that cannot tell: its calls will fail, and the next model is asked."""
        return json.dumps([_identity(model) for model in self.models])

    def for_pack(self, pack: str) -> tuple[Provider, ...]:
        """The models that were made for such questions: another one's answer would be noise."""
        known = [(model, model.capabilities.packs) for model in self.models]
        return tuple(model for model, packs in known if packs is None or pack in packs)

    async def complete(self, request: Request, /) -> Completion:
        """Never: each of its models has its own stack."""
        raise RuntimeError("a list of models was called as one")

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        """Never: each of its models has its own stack."""
        raise RuntimeError("a list of models was called as one")

    async def aclose(self) -> None:
        """Close every model."""
        for model in self.models:
            await model.aclose()


def _identity(model: Provider) -> str | None:
    try:
        return model.identity
    except PromptkitError:
        return None


def chain(models: Sequence[Provider]) -> Provider:
    """The models as one provider; a single one is itself."""
    if not models:
        raise BadInput("no model given", hint="-m builtin")
    return models[0] if len(models) == 1 else Chain(models)


def shared(all: Sequence[Capabilities]) -> Capabilities:
    """What every one of them can do, and the most that any of them may cost."""
    contexts = [each.context for each in all if each.context is not None]
    prices = [(0.0, 0.0) if each.local else each.price for each in all]
    known = [price for price in prices if price is not None]
    packs = [each.packs for each in all if each.packs is not None]
    return Capabilities(
        native_n=min(each.native_n for each in all),
        batch=min(each.batch for each in all),  # each model still gets whole batches: its own stack sees to that
        seed=_all(all, "seed"),
        logprobs=_all(all, "logprobs"),
        alternatives=min(each.alternatives for each in all),
        raw=_all(all, "raw"),
        json_schema=_all(all, "json_schema"),
        grammar=_all(all, "grammar"),
        tools=_all(all, "tools"),
        images=_all(all, "images"),
        reasoning=_reasoning({each.reasoning for each in all}),
        context=min(contexts, default=None),
        local=_all(all, "local"),
        price=(max(p[0] for p in known), max(p[1] for p in known)) if len(known) == len(all) else None,
        # Not the intersection: a model that was not made for a question is left out of its run.
        packs=tuple(dict.fromkeys(pack for some in packs for pack in some)) if len(packs) == len(all) else None,
    )


def _reasoning(each: set[bool | None]) -> bool | None:
    return False if False in each else None if None in each else True


def _all(capabilities: Sequence[Capabilities], name: str) -> bool:
    return all(getattr(each, name) for each in capabilities)
