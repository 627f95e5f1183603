"""`--dry-run`: the prompts a run would begin with, and what it may take."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from promptkit import sync
from promptkit.announced import Forecast, forecast
from promptkit.cli.exits import Exit
from promptkit.cli.form import printable
from promptkit.cli.speak import err, out, out_json, say
from promptkit.errors import Cut
from promptkit.events import Record, Warned, watch
from promptkit.providers.remote.embedding import EMBEDDING
from promptkit.runtime.plan import Plan
from promptkit.types import Capabilities, Completion, Request


class _FirstRound:
    """A model that notes what it is asked in the first round of calls, and ends the run there."""

    def __init__(self, plan: Plan) -> None:
        self.id = plan.provider.id
        self.capabilities: Capabilities = plan.provider.capabilities
        self.asked: Counter[Request] = Counter()

    async def complete(self, request: Request, /) -> Completion:
        """No completion; BadInput where it is for an embedding model that there is not."""
        if name := next((value for key, value in request.extra if key == EMBEDDING), None):
            from promptkit.providers.embedders import open_embedder

            open_embedder(name)
        self.asked[replace(request, draw=(0,))] += 1
        raise Cut("dry run")


class _Warnings:
    """The sink that keeps what a run would warn of, each once."""

    deltas = False

    def __init__(self) -> None:
        self.said: list[Warned] = []

    def __call__(self, record: Record) -> None:
        if isinstance(record.event, Warned) and record.event not in self.said:
            self.said.append(record.event)


def dry_run(plan: Plan, json: bool) -> int:
    """Print the prompts of the first round and what the run may take; nothing is called."""
    model, begun, heard = _FirstRound(plan), 1.0, _Warnings()
    try:
        with watch(heard):
            sync.run(plan.strategy.solve(plan.problem, model))
    except Cut as cut:
        begun = cut.begun  # of a round of thousands only the first are made: the others ask the same
    asked = {request: round(draws / begun) for request, draws in model.asked.items()}
    said = forecast(plan.strategy, plan.problem)
    if json:
        prompts: list[dict[str, Any]] = [
            {
                "draws": draws,
                "raw": request.raw is not None,
                "messages": [{"role": m.role, "text": m.text} for m in request.messages],
            }
            for request, draws in asked.items()
        ]
        out_json(
            {
                "schema": "promptkit.dry-run/1",
                "prompts": prompts,
                "samples": {"least": said.least, "expected": said.expected, "most": said.most},
                "changed": [each.message for each in plan.told],
                "warnings": [each.message for each in heard.said],
            }
        )
        return Exit.DONE
    for request, draws in asked.items():
        for turn in request.messages:
            # A bare text goes to the model as it stands, in no turn of anybody's.
            who = turn.role if request.raw is None else "raw text, no chat template"
            out(f"[{who}]" + (f" x {draws:,}" if draws > 1 else ""))
            out(printable(turn.text) + "\n")
    for each in plan.told:
        err(each.message)
    for each in heard.said:
        say(f"! {each.message}", each.hint.splitlines())
    err(f"{plan.name} on {plan.provider.id} would take {spread(said)}; nothing was called")
    return Exit.DONE


def spread(said: Forecast) -> str:
    """A number of samples in words: `2 to 10 samples, about 4.5`."""
    from promptkit.render.amounts import many

    least, most = said.least, said.most
    about = "" if said.expected in (None, least, most) else f", about {said.expected:.3g}"
    if most is None:
        return f"at least {many(least, 'sample')}, and more by what it finds{about}"
    return many(least, "sample") if least == most else f"{least:,} to {many(most, 'sample')}{about}"
