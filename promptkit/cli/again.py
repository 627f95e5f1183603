"""`promptkit resume` and `promptkit replay`: a recorded run once more."""

from __future__ import annotations

from typing import Annotated

import typer

from promptkit.cli import complete

Run = Annotated[str, typer.Argument(help="Run id, a unique beginning of one, or last.", autocompletion=complete.runs)]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
Events = Annotated[bool, typer.Option("--events", help="Events as JSON lines on stderr.")]
Plain = Annotated[bool, typer.Option("--plain", help="No live display.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Warnings only.")]
Answers = Annotated[str | None, typer.Option("--answers", metavar="FILE", help="Answers to what it asks you, in YAML.")]
Cap = Annotated[int | None, typer.Option(help="A new cap over the run and its resumes.", show_default=False)]
Amount = Annotated[float | None, typer.Option(help="A new cap.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Add both verbs."""
    app.command("resume")(resume)
    app.command("replay")(replay)


def resume(
    run: Run,
    max_calls: Cap = None,
    max_tokens: Cap = None,
    max_cost: Amount = None,
    timeout: Amount = None,
    answers: Answers = None,
    as_json: Json = False,
    events: Events = False,
    plain: Plain = False,
    quiet: Quiet = False,
) -> int:
    """Continue a run where it stopped, for free.

    No completed call is made again; a new cap is over the run and its resumes.
    """
    from promptkit.cli.session import Session

    caps = {"max_calls": max_calls, "max_tokens": max_tokens, "max_cost": max_cost, "timeout": timeout}
    changes = {**caps, "answers": answers}
    return Session(as_json=as_json, events=events, plain=plain, quiet=quiet).resume(run, changes)


def replay(run: Run, as_json: Json = False, events: Events = False, plain: Plain = False, quiet: Quiet = False) -> int:
    """Show a run again; no call is made."""
    from promptkit.cli.session import Session

    return Session(as_json=as_json, events=events, plain=plain, quiet=quiet).replay(run)
