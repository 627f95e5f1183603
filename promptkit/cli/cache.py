"""`promptkit cache`: why a call was not free, what the journal holds, and letting go of what is old."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from promptkit.cli.speak import clean, err, out, out_json
from promptkit.cli.tables import columns
from promptkit.cli.usage import Verbs
from promptkit.errors import BadInput

if TYPE_CHECKING:
    from promptkit.journal import Freed, Journal

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Run = Annotated[str, typer.Argument(metavar="RUN", help="Run id, a unique beginning of one, or last.")]
Age = Annotated[
    str | None, typer.Option("--older-than", metavar="AGE", help="Remove runs that ended longer ago: 30d, 12h, 2w.")
]
Newest = Annotated[int | None, typer.Option("--keep-runs", metavar="N", min=0, help="Keep the N newest runs.")]
Size = Annotated[str | None, typer.Option("--max-size", metavar="SIZE", help="Remove the oldest runs above it: 1GB.")]


def add_to(app: typer.Typer) -> None:
    """Add the noun and its verbs."""
    noun = typer.Typer(cls=Verbs)
    noun.callback(invoke_without_command=True)(cache)
    for verb in (why, stats, prune):
        noun.command(verb.__name__)(verb)
    app.add_typer(noun, name="cache")


def cache(context: typer.Context) -> None:
    """Explain misses, count what the journal holds, remove what is old."""
    if context.invoked_subcommand is None:
        out(context.get_help())


def why(
    run: Run = "last",
    call: Annotated[int | None, typer.Option("--call", metavar="N", help="Only call N of the run.")] = None,
    as_json: Json = False,
) -> None:
    """Explain why the calls of a run were not in the journal: what came nearest, and what differs."""
    from promptkit.api import find_run
    from promptkit.cli.calls import calls_of

    journal = _journal()
    row = find_run(run, journal)
    calls = list(calls_of(journal, row))
    if call is not None and not 1 <= call <= len(calls):
        hint = f"--call 1 to --call {len(calls)}" if calls else f"promptkit runs show {row.id}"
        raise BadInput(f"run {row.id} has {len(calls)} calls, no call {call}", hint=hint)
    chosen = [one for one in calls if call in (None, one["call"])]
    misses = [one for one in chosen if one["key"] and not one["cached"]]
    reasons = journal.why([one["key"] for one in misses], row.started)
    found: list[dict[str, Any]] = [
        {
            **{name: one[name] for name in ("call", "span", "draw", "key", "model")},
            "kind": reason.kind,
            "differences": list(reason.differences),
            "nearest": reason.nearest,
        }
        for one, reason in zip(misses, reasons, strict=True)
    ]
    hits = sum(1 for one in chosen if one["key"] and one["cached"])
    if as_json:
        return out_json({"schema": "promptkit.cache-why/1", "run": row.id, "hits": hits, "misses": found})
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for miss in found:
        alike.setdefault(tuple(miss["differences"]), []).append(miss)
    for same in alike.values():
        number = f"call {same[0]['call']}" + (f" and {len(same) - 1} more" if len(same) > 1 else "")
        out(clean(f"{number}  {same[0]['span']}: {'; '.join(same[0]['differences'])}"))
        if near := same[0]["nearest"]:
            out(clean(f"  nearest: run {near}"))
    failed = len(chosen) - hits - len(found)
    err(f"{len(found)} bought, {hits} from the journal" + (f", {failed} failed" if failed else ""))
    return None


def stats(as_json: Json = False) -> None:
    """Count what the journal holds, by model, and what it saved."""
    from promptkit.render.amounts import day_time, many, short

    journal = _journal()
    held = journal.holdings()
    if as_json:
        return out_json({"schema": "promptkit.cache-stats/1", "path": str(journal.path or "memory"), **held})
    ages = f", {day_time(held['oldest'])} to {day_time(held['newest'])}" if held["completions"] else ""
    _line("journal", str(journal.path or "in memory"))
    _line("size", f"{_bytes(held['file'])}, {_bytes(held['bytes'])} in use")
    counted = [many(held[name], noun) for name, noun in (("runs", "run"), ("calls", "call"), ("completions", "sample"))]
    counted += [many(held["programs"], "program")] if held["programs"] else []
    _line("holds", f"{', '.join(counted)}{ages}")
    saved = held["saved"]
    _line("saved", f"{many(saved['calls'], 'call')}, {short(saved['tokens'])} tokens")
    if held["models"]:
        out("")
        names = ("calls", "completions", "input_tokens", "output_tokens")
        rows = [(*(str(one[name]) for name in names), one["model"]) for one in held["models"]]
        columns(("calls", "samples", "tokens in", "tokens out", "model"), rows)  # a name of any length comes last
    return None


def _line(label: str, text: str) -> None:
    """A labelled line; on a terminal it is broken at words, under its own beginning, and a path is never cut."""
    from rich.console import Console

    from promptkit.render.safe import wrap

    text, indent = clean(text), 10
    room = Console(file=sys.stdout).width - indent if sys.stdout.isatty() else len(text)
    if max(map(len, text.split(" "))) > room:
        return out(f"{label}\n  {text}")
    first, *rest = wrap(text, max(1, room))
    return out("\n".join([label.ljust(indent) + first, *(" " * indent + piece for piece in rest)]))


def prune(
    older_than: Age = None,
    keep_runs: Newest = None,
    max_size: Size = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; remove nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove old runs, and completions that no kept run needs; a live run loses nothing."""
    from promptkit.journal import Keep
    from promptkit.settings import days, size

    keep = Keep(days=_read("--older-than", days, older_than), runs=keep_runs, bytes=_read("--max-size", size, max_size))
    if not keep:
        ways = ("--older-than 30d", "--keep-runs 100", "--max-size 1GB")
        raise BadInput("nothing says what is to go", hint="\n".join(f"promptkit cache prune {way}" for way in ways))
    journal = _journal()
    plan = journal.prune(keep, dry=True)
    if dry_run or not (plan.runs or plan.completions):
        return err(_went("would remove", plan) if plan.runs or plan.completions else "there is nothing to remove")
    if not yes:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            given = (("--older-than", older_than), ("--keep-runs", keep_runs), ("--max-size", max_size))
            flags = "".join(f" {flag} {value}" for flag, value in given if value is not None)
            hint = f"promptkit cache prune{flags} --yes"
            raise BadInput(_went("this would remove for good:", plan), hint=hint)
        if not typer.confirm(_went("remove for good:", plan) + "?", err=True):
            return err("nothing removed")
    before = journal.stats()["bytes"]
    freed = journal.prune(keep)
    return err(f"{_went('removed', freed)}; {_compacted(journal, before)}")


def _compacted(journal: Journal, before: int) -> str:
    from promptkit.errors import JournalError

    try:
        journal.compact()
    except JournalError as busy:
        return f"the file stays as large as it is for now: {busy.message}"
    after = journal.stats()["bytes"]
    return f"the file went from {_bytes(before)} to {_bytes(after)}"


def _went(verb: str, freed: Freed) -> str:
    from promptkit.render.amounts import many

    return f"{verb} {many(len(freed.runs), 'run')} and {many(freed.completions, 'sample')}, {_bytes(freed.bytes)}"


def _read(flag: str, read: Any, value: str | None) -> Any:
    try:
        return None if value is None else read(value)
    except ValueError as error:
        raise BadInput(f"{flag} wants {error}, not {value!r}", hint="see: promptkit cache prune --help") from None


def _bytes(number: int) -> str:
    """`512 bytes`, `41 kB`, `1.2 MB`."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= factor:
            value = number / factor
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{number} bytes"


def _journal() -> Journal:
    from promptkit.api import open_journal

    return open_journal()
