"""`promptkit what-if RUN --set b=10`: a recorded run with other parameters, from what the journal has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import typer

from promptkit.around import Around
from promptkit.cli import complete
from promptkit.cli.exits import OF_STATUS, Exit
from promptkit.cli.speak import err, out, out_json, say
from promptkit.cli.verb import Verb
from promptkit.errors import BadInput, Cut, PromptkitError, ReplayMiss
from promptkit.types import Completion, Model, Outcome, Problem, Request, Strategy

Run = Annotated[str, typer.Argument(help="Run id, a unique beginning of one, or last.", autocompletion=complete.runs)]
Set = Annotated[
    list[str],
    typer.Option("--set", metavar="NAME=VALUE", help="A parameter, or one inside as in of.n=4; repeatable."),
]
Vote = Annotated[str | None, typer.Option("--vote", help="The same as --set vote=…", show_default=False)]
Stop = Annotated[str | None, typer.Option("--stop", help="The same as --set stop=…", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("what-if", cls=Verb)(what_if)


def what_if(run: Run, set: Set = [], vote: Vote = None, stop: Stop = None, as_json: Json = False) -> int:  # noqa: B006
    """Show what a run would have answered with other parameters.

    Nothing is asked and nothing is written: the answer comes from the journal where that has every call of it.
    Otherwise it says how many are missing at least, and the command that would make them (exit code 5).
    """
    from promptkit import announced, api, composition, sync
    from promptkit.cli.retyped import command_line
    from promptkit.runtime.run import execute

    plan = api.plan_replay(run)
    changes = [*set, *(f"{name}={word}" for name, word in (("vote", vote), ("stop", stop)) if word is not None)]
    if not changes:
        raise BadInput("what-if wants a change", hint=f"promptkit what-if {run} --set n=20")
    row = plan.journal.run(plan.run)
    params: Mapping[str, Any] = row.params
    for each in changes:
        name, equals, text = each.partition("=")
        if not equals or not name.strip():
            raise BadInput(f"--set wants name=value, not {each!r}", hint="e.g. --set n=20")
        params = _amended(plan.name, params, name.strip().replace("-", "_"), text)
    changed = composition.made(plan.name, params, recorded=True)
    changed = composition.resolved(changed, plan.problem)
    asked = _FromJournal(strategy=changed)
    try:
        outcome = sync.run(execute(replace(plan, strategy=asked, cut_as="budget")))
    except PromptkitError as error:
        error.run = ""  # nothing was done, and there is nothing to resume
        raise
    told = announced.changed(plan.strategy, changed)
    command = command_line(changed, plan.problem, row) if asked.missing else None
    was = (row.outcome or {}).get("answer")
    if as_json:
        from promptkit.cli.form import as_json as document

        out_json(
            {
                **document(outcome),
                "schema": "promptkit.what-if/1",
                "status": "missing" if asked.missing else outcome.status,
                "changes": told,
                "recorded": {"answer": was, "status": row.status},
                "missing": len(asked.missing),
                "command": command,
            }
        )
        return OF_STATUS[outcome.status]
    return _told(outcome, asked, told, was, command)


def _told(outcome: Outcome, asked: _FromJournal, changes: Sequence[str], was: str | None, command: str | None) -> int:
    from promptkit.cli.form import printable
    from promptkit.render.amounts import many

    err(f"{', '.join(changes) or 'nothing is changed by that'}")
    if asked.missing:
        best = f"; the best until there: {outcome.answer}" if outcome.answer is not None else ""
        missing = many(len(asked.missing), "sample")
        hint = f"to draw them: {command}" if command else "from Python: it has what no command line can give"
        say(f"at least {missing} of it {'is' if missing[:2] == '1 ' else 'are'} not in the journal{best}", [hint])
        return Exit.BUDGET
    if outcome.answer is None:
        say(f"undecided, from {many(outcome.usage.samples, 'sample')} of the journal; the run answered: {was}")
        return OF_STATUS[outcome.status]
    same = "as the run did" if outcome.answer == was else f"the run answered: {was}"
    say(f"from {many(outcome.usage.samples, 'sample')} of the journal; {same}")
    out(printable(outcome.answer))
    return OF_STATUS[outcome.status]


def _amended(name: str, params: Mapping[str, Any], path: str, text: str) -> Mapping[str, Any]:
    """The recorded parameters with one of them, or one of a strategy inside, set anew."""
    from promptkit import composition

    first, _, rest = path.partition(".")
    held = params.get("of")
    if first not in params and isinstance(held, Mapping) and set(held) == {"strategy", "params"}:  # a layer has few
        return {**params, "of": {**held, "params": _amended(held["strategy"], held["params"], path, text)}}
    if not rest:
        composition.check(name, {first: (value := composition.meant(name, first, text))})
        return {**params, first: value}
    inside = params.get(first)
    if not isinstance(inside, Mapping) or set(inside) != {"strategy", "params"}:
        raise BadInput(f"{first} is no strategy inside {name}", hint=f"it has: {', '.join(params)}")
    return {**params, first: {**inside, "params": _amended(inside["strategy"], inside["params"], rest, text)}}


@dataclass(frozen=True, slots=True)
class _FromJournal:
    """A strategy that ends where the journal does; `missing` is what it wanted in that round."""

    strategy: Strategy
    missing: set[tuple[str, int]] = field(default_factory=set, init=False, compare=False)

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The strategy's outcome, where the journal has every call of it."""
        return await self.strategy.solve(problem, _Kept(model, self.missing))


@dataclass(frozen=True, slots=True)
class _Kept(Around):
    """A model whose missing replies are a cap: what else the round wants is looked for before the run ends."""

    inner: Model
    missing: set[tuple[str, int]]

    async def complete(self, request: Request, /) -> Completion:
        try:
            return await self.inner.complete(request)
        except (ReplayMiss, Cut) as miss:  # or the run itself had been cut off there
            self.missing.add((request.canonical(), request.index))
            raise Cut("the journal has no more of it") from miss
