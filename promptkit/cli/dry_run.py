"""`--dry-run`: the prompts a run would begin with, and what it may take."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from promptkit import sync
from promptkit.announced import Forecast, forecast
from promptkit.cli.exits import Exit
from promptkit.cli.form import printable
from promptkit.cli.speak import err, out, out_json
from promptkit.errors import Cut
from promptkit.runtime.plan import Plan
from promptkit.types import Capabilities, Completion, Request


class _FirstRound:
    """A model that notes what it is asked in the first round of calls, and ends the run there."""

    def __init__(self, plan: Plan) -> None:
        self.id = plan.provider.id
        self.capabilities: Capabilities = plan.provider.capabilities
        self.asked: Counter[Request] = Counter()

    async def complete(self, request: Request, /) -> Completion:
        """No completion."""
        self.asked[replace(request, draw=(0,))] += 1
        raise Cut("dry run")


def dry_run(plan: Plan, json: bool) -> int:
    """Print the prompts of the first round and what the run may take; nothing is called."""
    model, begun = _FirstRound(plan), 1.0
    try:
        sync.run(plan.strategy.solve(plan.problem, model))
    except Cut as cut:
        begun = cut.begun  # of a round of thousands only the first are made: the others ask the same
    asked = {request: round(draws / begun) for request, draws in model.asked.items()}
    said = forecast(plan.strategy, plan.problem)
    if json:
        prompts: list[dict[str, Any]] = [
            {"draws": draws, "messages": [{"role": m.role, "text": m.text} for m in request.messages]}
            for request, draws in asked.items()
        ]
        out_json(
            {
                "schema": "promptkit.dry-run/1",
                "prompts": prompts,
                "samples": {"least": said.least, "expected": said.expected, "most": said.most},
                "changed": [each.message for each in plan.told],
            }
        )
        return Exit.DONE
    for request, draws in asked.items():
        for turn in request.messages:
            out(f"[{turn.role}]" + (f" x {draws:,}" if draws > 1 else ""))
            out(printable(turn.text) + "\n")
    for each in plan.told:
        err(each.message)
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
