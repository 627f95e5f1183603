"""`promptkit optimize RECIPE`: a better version of a prompt, and what it is worth on questions nothing has seen."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from promptkit.cli import complete
from promptkit.cli.exits import OF_STATUS, Exit
from promptkit.cli.run import shared
from promptkit.cli.speak import clean, err, out, out_json, say
from promptkit.cli.tables import columns, prose
from promptkit.cli.typed import Typed
from promptkit.cli.verb import Verb
from promptkit.events import BudgetHit, Record, SpanStarted, Warned
from promptkit.types import Outcome, plain

if TYPE_CHECKING:
    from promptkit.optimizing.recipe import Recipe
    from promptkit.runtime.plan import Plan

Named = Annotated[
    str,
    typer.Argument(
        metavar="RECIPE", help="A .yaml file, or the name of a shipped recipe.", autocompletion=complete.recipes
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", metavar="FILE.md", help="Where a better version is written; default: the project's prompts/."
    ),
]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="In place of the recipe's.", show_default=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it may take; call nothing.")]
SHARED = "model fresh max_calls max_tokens max_cost timeout concurrency journal as_json quiet".split()


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("optimize", cls=Verb)(_command())


def _command() -> Callable[..., int]:
    def optimize(recipe: str, output: Path | None, seed: int | None, dry_run: bool, **given: Any) -> int:
        """Look for a better version of a prompt, and measure it on held-out questions.

        The candidates of the recipe race on training questions under its budget; the best one and the prompt in force
        are asked the held-out ones. What is told is that difference with its interval, never a score it was chosen by.
        Where nothing is better, nothing is written. Every call is in the journal: the same command again costs nothing,
        and starts from the same template, though a better version of it is in force by then. Other recipes start there.
        """
        return _optimize(recipe, output, seed, dry_run, given)

    kind = inspect.Parameter.KEYWORD_ONLY
    own: dict[str, tuple[Any, Any]] = {"output": (Output, None), "seed": (Seed, None), "dry_run": (DryRun, False)}
    parameters = [
        inspect.Parameter("recipe", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Named),
        *(inspect.Parameter(name, kind, default=default, annotation=a) for name, (a, default) in own.items()),
        *shared(SHARED),
    ]
    optimize.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    optimize.__annotations__ = {each.name: each.annotation for each in parameters}
    return optimize


def _optimize(named: str, output: Path | None, seed: int | None, dry_run: bool, given: dict[str, Any]) -> int:
    from promptkit.optimizing import recipe as recipes
    from promptkit.optimizing import versions
    from promptkit.optimizing.planning import plan

    recipe = recipes.read(recipes.find(named))
    recipe = recipe if seed is None else replace(recipe, seed=seed)
    as_json, quiet = given.pop("as_json"), given.pop("quiet")
    how: Mapping[str, Any] = given
    if dry_run:
        return _forecast(recipe, plan(recipe, kept=False, **how), as_json)
    made = plan(recipe, **how)
    what: Any = made.strategy
    file = versions.target(recipe.prompt, output)
    base, _ = what.candidates()
    if file is not None:
        versions.refuse_other(file, base)
    from promptkit import sync
    from promptkit.runtime.run import execute

    again, progress = Typed(named, {"output": output, "seed": seed, **given}), _Progress(quiet=quiet)
    try:
        outcome = sync.run(execute(made, (progress,)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        say("interrupted; what was asked is kept:", again.after_cut(made.run))
        return Exit.INTERRUPTED
    if "sentence" not in outcome.detail:
        say(f"cut short: {outcome.detail.get('cut', outcome.status)}", again.after_cut(outcome.run, progress.hit))
        if as_json:
            out_json(_document(recipe, outcome, None))
        return OF_STATUS[outcome.status]
    written, anew = _written(recipe, outcome, file, what.recipe)
    if as_json:
        out_json(_document(recipe, outcome, written))
    else:
        _print(outcome.detail, quiet=quiet)
    if outcome.detail["budget"]["reached"]:
        err(f"the budget of {recipe.path} ended the race early; with a larger one there:")
        err(f"  {again.typed()}" + ("   # draws anew" if again.fresh else "   # goes on where it stopped"))
    if written:
        say(f"{'written' if anew else 'already written'}: {written}", [f"promptkit prompts check {written}"])
    elif outcome.detail["verdict"] == "better" and file is None:
        more = "" if again.fresh else "   # asks nothing again"
        say("not written: there is no project here", [f"{again.typed(output='FILE.md')}{more}"])
    if outcome.detail["verdict"] != "unmeasured":
        return Exit.DONE
    return Exit.BUDGET if outcome.detail["budget"]["reached"] else Exit.UNDECIDED


def _forecast(recipe: Recipe, made: Plan, as_json: bool) -> int:
    """What it may take."""
    from promptkit import announced
    from promptkit.cli.dry_run import spread

    said = announced.forecast(made.strategy, made.problem)
    what: Any = made.strategy
    _, candidates = what.candidates()
    if as_json:
        body: dict[str, Any] = {"schema": "promptkit.dry-run/1", "recipe": recipe.name, "prompt": recipe.prompt}
        body |= {"model": made.provider.id, "train": len(what.train), "held_out": len(what.held_out)}
        body |= {"candidates": [each.turns[-1][1] for each in candidates]}
        out_json(body | {"samples": plain(said), "budget": {"calls": recipe.calls, "tokens": recipe.tokens}})
        return Exit.DONE
    for each, text in zip(candidates, what.instructions, strict=True):
        out(clean(f"{text}  ->  {each.id} {each.digest[:12]}"))
    err(f"optimize {recipe.prompt} on {made.provider.id} would take {spread(said)}; nothing was called")
    return Exit.DONE


class _Progress:
    """The sink that says how far it is, a line a round, and what should be known."""

    deltas = False

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self.hit: BudgetHit | None = None  # the cap that ended it

    def __call__(self, record: Record) -> None:
        if isinstance(record.event, BudgetHit):
            self.hit = record.event
        elif isinstance(record.event, Warned):
            err(f"warning: {clean(record.event.message)}")
        elif isinstance(record.event, SpanStarted) and not self._quiet and record.span.count("/") == 1:
            err(f"{clean(record.span.partition('/')[2])} … ({record.spent.calls} calls)")


def _written(recipe: Recipe, outcome: Outcome, file: Path | None, digest: str) -> tuple[Path | None, bool]:
    """The file of the better version, None where there is none or no place; and whether it was not there already."""
    from promptkit.optimizing import versions

    if outcome.detail["verdict"] != "better" or file is None:
        return None, False
    where: dict[str, str] = {"run": outcome.run, "model": outcome.model, "strategy": recipe.strategy}
    said = versions.text(outcome.detail, **where, name=file.stem, recipe=digest)
    anew = not versions.already(file, said)
    if anew:
        versions.write(file, said)
    return file, anew


def _print(report: Mapping[str, Any], *, quiet: bool) -> None:
    from promptkit.optimizing.report import HEAD, rows, shares

    if not quiet:
        columns(HEAD, rows(report))
        out("")
        prose(shares(report))
    prose(clean(report["sentence"]))


def _document(recipe: Recipe, outcome: Outcome, written: Path | None) -> dict[str, Any]:
    body: dict[str, Any] = {"schema": "promptkit.optimize/1", "run": outcome.run, "recipe": recipe.name}
    body |= {"model": outcome.model, "strategy": recipe.strategy, "status": outcome.status, **outcome.detail}
    return body | {"written": str(written) if written else None, "usage": plain(outcome.usage)}
