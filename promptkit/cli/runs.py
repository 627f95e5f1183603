"""`promptkit runs`: what the journal remembers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from promptkit.cli import complete
from promptkit.cli.calls import answered, calls_of, show_call
from promptkit.cli.portable import export, import_
from promptkit.cli.samples import export_samples
from promptkit.cli.speak import err, out, out_json
from promptkit.cli.tables import columns, draw
from promptkit.cli.usage import Verbs
from promptkit.cli.verb import Verb
from promptkit.errors import BadInput, RunLive
from promptkit.types import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from promptkit.journal import Journal, Pinned, RunRow

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Run = Annotated[
    str, typer.Argument(metavar="RUN", help="Run id, a unique beginning of one, or last.", autocompletion=complete.runs)
]


def add_to(app: typer.Typer) -> None:
    """Add the noun and its verbs."""
    noun = typer.Typer(cls=Verbs)
    noun.callback(invoke_without_command=True)(runs)
    for name, verb in (("list", list_), ("show", show), ("rm", rm), ("export", export), ("import", import_)):
        noun.command(name, cls=Verb)(verb)
    noun.command("export-samples", cls=Verb)(export_samples)
    app.add_typer(noun, name="runs")


def runs(context: typer.Context) -> None:
    """List, show, remove, export and import recorded runs."""
    if context.invoked_subcommand is None:
        out(context.get_help())


def list_(
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", help="The newest N; 0: all of them.")] = 20,
    as_json: Json = False,
) -> None:
    """List recorded runs, newest first."""
    if limit < 0:
        raise BadInput(f"--limit must be 0 or more, not {limit}", hint="promptkit runs list --limit 0, for all")
    journal = _journal()
    rows, total = journal.runs(limit or None), journal.stats()["runs"]
    if as_json:
        return out_json({"schema": "promptkit.runs/1", "total": total, "runs": [_record(row) for row in rows]})
    if not rows:
        return err('no runs yet: promptkit run tot "2 3 5 12" -P game24')
    if sys.stdout.isatty():
        from promptkit.render.runs import runs_table

        draw(runs_table([plain(row) for row in rows]))
    else:
        columns(("id", "started", "strategy", "model", "status", "calls", "question"), [_cells(row) for row in rows])
    if total > len(rows):
        err(f"{len(rows)} of {total} runs; all of them: promptkit runs list --limit 0")
    return None


def show(
    run: Run,
    tree: Annotated[bool, typer.Option("--tree", help="The whole search tree, dropped thoughts included.")] = False,
    call: Annotated[int | None, typer.Option("--call", help="Sample N: prompt and reply in full.", metavar="N")] = None,
    events: Annotated[bool, typer.Option("--events", help="Its events as JSON lines on stdout.")] = False,
    as_json: Json = False,
) -> None:
    """Show a run: its timeline, its tree, one of its samples, its events."""
    if tree + (call is not None) + events > 1 or (tree and as_json):
        hint = "the tree as data: --events" if as_json else ""
        raise BadInput("--tree, --call, --events and --json do not go together like this: give one view", hint=hint)
    from promptkit.api import find_run

    journal = _journal()
    row = find_run(run, journal)
    if call is not None:
        return show_call(journal, row, call, as_json)
    happened = journal.events(row.id)
    if as_json:
        record = {**_record(row), "options": row.options, "source": row.source, "outcome": row.outcome}
        record |= {"spent": plain(journal.spent(row.id)), "calls": list(calls_of(journal, row))}
        record |= {"prompts": [_pinned(each) for each in journal.pinned(row.id)]}
        record |= {"programs": [plain(each) for each in journal.programs(row.id)]}
        record |= {"answers": [plain(each) for each in journal.answers(row.id)]}
        return out_json({"schema": "promptkit.run-record/1", **record, **({"events": happened} if events else {})})
    if events:
        import json

        for event in happened:
            out(json.dumps(event))
        return None
    from promptkit.render.runs import run_tree, run_view

    shown = {**plain(row), "answered": answered(journal, row)}
    draw(run_tree(happened) if tree else run_view(shown, happened))
    return None if tree else _prompts(journal.pinned(row.id))


def rm(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN…", help="Run ids, unique beginnings of them, or last.", autocompletion=complete.runs
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove runs, and the completions that no other run used."""
    from promptkit import sync
    from promptkit.api import find_run

    journal = _journal()
    rows = list({row.id: row for row in (find_run(run, journal) for run in runs)}.values())
    names = " ".join(row.id for row in rows)
    for row in rows:  # all or none
        if row.status == "running":
            raise RunLive(f"run {row.id} is still running", hint="wait for it, or stop it")
    if not yes:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise BadInput(f"this would remove {names} for good", hint=f"promptkit runs rm {names} --yes")
        if not typer.confirm(f"remove {names} for good?", err=True):
            return err("nothing removed")
    for row in rows:
        sync.run(journal.remove(row.id))
    return err(f"removed {names}")


def _journal() -> Journal:
    from promptkit.api import open_journal

    return open_journal()


def _prompts(pinned: Sequence[Pinned]) -> None:
    """The templates a run used, each in the version it had then."""
    if pinned:
        out("")
        columns(
            ("prompt", "version", "origin", "digest"), [(p.id, str(p.version), p.origin, p.digest[:12]) for p in pinned]
        )


def _pinned(each: Pinned) -> dict[str, Any]:
    return {name: value for name, value in plain(each).items() if name not in ("run", "at")}


def _record(row: RunRow) -> dict[str, Any]:
    """A run as data; what its outcome tells is null while it has none."""
    outcome = row.outcome or {}
    told = {name: outcome.get(name) for name in ("answer", "confidence", "usage", "cost_usd", "seconds")}
    about = {name: getattr(row, name) for name in ("strategy", "model", "status", "question", "pack", "seed", "params")}
    times = {"started": row.started, "ended": row.ended, "attempt": row.attempt}
    return {"run": row.id, **about, **told, **times}


def _cells(row: RunRow) -> tuple[str, ...]:
    from datetime import datetime

    from promptkit.composition import titled

    started = datetime.fromtimestamp(row.started).astimezone().isoformat(timespec="seconds")
    usage = (row.outcome or {}).get("usage")
    calls = str(usage["calls"]) if usage else ""
    return row.id, started, titled(row.strategy, row.params), row.model, row.status, calls, row.question
