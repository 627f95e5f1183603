"""A look at a model's probabilities as a recorded run: what `next`, `decode` and `diversity` have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from promptkit.cli.answer import parse_options, read_stdin
from promptkit.cli.exits import Exit
from promptkit.cli.speak import err
from promptkit.errors import BadInput
from promptkit.types import Outcome, Strategy

if TYPE_CHECKING:
    from promptkit.runtime.plan import Plan

SHARED = "model option seed fresh max_calls max_tokens max_cost timeout concurrency journal as_json".split()


def text_from(argument: str | None, verb: str) -> str:
    """The text: the argument, or stdin for `-` and when none is given and stdin is no terminal."""
    import sys

    hint = f'promptkit {verb} "The cat", or - to read it from stdin'
    if argument is None and (sys.stdin is None or sys.stdin.isatty()):
        raise BadInput("no text given", hint=hint)
    piped = argument is None or argument == "-"
    text = read_stdin("the text").decode("utf-8-sig", "replace").removesuffix("\n") if piped else str(argument)
    if not text.strip():
        raise BadInput("the text is empty", hint=hint)
    return text


def looked(strategy: Strategy | str, text: str, given: Mapping[str, Any]) -> tuple[Plan, Outcome]:
    """The run and its outcome; its warnings go to stderr. Interrupted, it says how to go on, and leaves."""
    from promptkit import api, sync
    from promptkit.cli.session import Warnings
    from promptkit.runtime.fallback import Chain
    from promptkit.runtime.run import execute

    how = {name: value for name, value in given.items() if name not in ("option", "as_json")}
    plan = api.plan(strategy, text, model_options=parse_options(given["option"]), **how)
    if isinstance(plan.provider, Chain):
        raise BadInput("one model is looked at, not a list of them", hint="-m builtin")
    try:
        return plan, sync.run(execute(plan, (Warnings(),)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        err(f"interrupted; to go on with it: promptkit resume {plan.run}")
        raise typer.Exit(Exit.INTERRUPTED) from None


def cut_short(outcome: Outcome) -> None:
    """Say why a run ended before its end, and how it goes on."""
    from promptkit.cli.speak import say

    told = outcome.detail.get("cut", outcome.status)
    say(f"cut short: {told}", [f"promptkit resume {outcome.run} --max-calls …"])


def document(schema: str, outcome: Outcome, told: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON document of a look: what is told, between the run's name and what it took."""
    from promptkit.types import plain

    body: dict[str, Any] = {"schema": schema, "run": outcome.run, "model": outcome.model, "status": outcome.status}
    body |= {**told, "usage": plain(outcome.usage), "cost_usd": outcome.cost_usd}
    return {name: writable(value) for name, value in body.items()}


def writable(value: Any) -> Any:
    """The value with nothing in it that UTF-8 cannot hold, and without the noise of the sixteenth digit."""
    from promptkit.render.pieces import readable

    if isinstance(value, str):
        return readable(value)
    if isinstance(value, float):
        return float(f"{value:.10g}")
    if isinstance(value, Mapping):
        return {name: writable(each) for name, each in value.items()}
    return [writable(each) for each in value] if isinstance(value, (list, tuple)) else value
