"""`promptkit prompts diff|history`: the versions of a template, in its files and in the runs that used it."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from promptkit.cli import complete
from promptkit.cli.form import printable
from promptkit.cli.speak import err, out, out_json
from promptkit.cli.tables import columns
from promptkit.cli.templates import found
from promptkit.errors import BadInput

if TYPE_CHECKING:
    from promptkit.journal import Journal
    from promptkit.prompts import Prompt

ORIGINS = ("project", "user", "promptkit")
_SHOWN = 12  # characters of a digest
Id = Annotated[str, typer.Argument(metavar="ID", help="pack/template.", autocompletion=complete.templates)]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@dataclass(slots=True)
class Version:
    """One text that a template has or had."""

    digest: str
    version: int
    text: str  # of all its files, its own first
    files: list[str]  # origins of the files that have it now, the one in force first
    runs: list[tuple[float, str]]  # when, and which


def history(name: Id, as_json: Json = False) -> None:
    """The versions of a template: its files, and those that runs used."""
    every = _versions(name)
    if as_json:
        return out_json({"schema": "promptkit.prompt-history/1", "id": name, "versions": [_record(v) for v in every]})
    rows = []
    for each in every:
        first, last = (each.runs[0], each.runs[-1]) if each.runs else ((0.0, ""), (0.0, ""))
        when = _day(first[0]) + (f" – {_day(last[0])}" if _day(last[0]) != _day(first[0]) else "")
        what = f"{first[1]} … {last[1]}" if last[1] != first[1] else first[1]
        rows.append((each.digest[:_SHOWN], str(each.version), " ".join(each.files), str(len(each.runs)), when, what))
    return columns(("digest", "version", "files", "runs", "when", "first … last run"), rows)


def diff(
    name: Id,
    other: Annotated[
        str | None,
        typer.Argument(
            metavar="[OTHER]",
            help="Another template, project, user, promptkit, a run, or a digest in its history; none: what it hides.",
        ),
    ] = None,
) -> None:
    """What changed from another version of a template to the one in force, as a unified diff."""
    now = found(name)
    before, text = _other(name, now, other)
    lines = list(_unified(text, _joined(now), before, f"{name} {now.origin} {now.digest[:_SHOWN]}"))
    if not lines:
        return err(f"{name}: no difference to {before}")
    for line in lines:
        out(printable(line) if sys.stdout.isatty() else line)
    return None


def _unified(old: str, new: str, before: str, after: str) -> Iterator[str]:
    return difflib.unified_diff(old.splitlines(), new.splitlines(), before, after, lineterm="")


def _other(name: str, now: Prompt, other: str | None) -> tuple[str, str]:
    """What the version to compare with is called, and its text."""
    from promptkit import prompts as shelf

    known = _versions(name)
    if other is not None and "/" in other:
        chosen = found(other)
        return f"{other} {chosen.origin} {chosen.digest[:_SHOWN]}", _joined(chosen)
    for origin, path in shelf.copies(f"{now.pack}/{now.name}"):
        if other == origin or (other is None and path != now.path):
            hidden = shelf.load(path, origin)
            return f"{name} {origin} {hidden.digest[:_SHOWN]}", _joined(hidden)
    if other is None:
        raise BadInput(f"{name} hides no other file", hint=f"promptkit prompts history {name}")
    if other in ORIGINS:
        where = ", ".join(origin for origin, _ in shelf.copies(f"{now.pack}/{now.name}"))
        raise BadInput(f"{name} has no file there: {other}", hint=f"it has: {where}")
    near = [v for v in known if v.digest.startswith(other) or any(run.startswith(other) for _, run in v.runs)]
    if other == "last":
        near = sorted((v for v in known if v.runs), key=lambda v: v.runs[-1])[-1:]
    if len({v.digest for v in near}) != 1 or not other:
        what = f"{other!r} is {'no' if not near else 'more than one'} version of {name}"
        raise BadInput(what, hint=f"promptkit prompts history {name}")
    return f"{name} {near[0].digest[:_SHOWN]}", near[0].text


def _versions(name: str) -> list[Version]:
    """Every version known: those of files first, then those of runs, the newest first."""
    from promptkit import prompts as shelf
    from promptkit.api import open_journal

    journal = open_journal()
    now = found(name)
    known: dict[str, Version] = {}
    for origin, path in shelf.copies(f"{now.pack}/{now.name}"):
        prompt = shelf.load(path, origin)
        known.setdefault(prompt.digest, Version(prompt.digest, prompt.version, _joined(prompt), [], []))
        known[prompt.digest].files.append(origin)
    past: dict[str, Version] = {}
    for pin in journal.versions(f"{now.pack}/{now.name}"):
        into = known if pin.digest in known else past
        version = into.setdefault(pin.digest, Version(pin.digest, pin.version, _kept(journal, pin.files), [], []))
        version.runs.append((pin.at, pin.run))
    return [*known.values(), *sorted(past.values(), key=lambda v: v.runs[-1], reverse=True)]


def _joined(prompt: Prompt) -> str:
    return _one_text(prompt.files)


def _kept(journal: Journal, files: tuple[tuple[str, str], ...]) -> str:
    return _one_text([(name, (journal.blob(sha) or b"").decode("utf-8", "replace")) for name, sha in files])


def _one_text(files: Any) -> str:
    """The template's own file, and below it what it includes and extends."""
    (_, own), *others = files
    return "".join((own, *(f"\n==> {name} <==\n{text}" for name, text in others)))


def _record(version: Version) -> dict[str, Any]:
    runs = [{"run": run, "at": at} for at, run in version.runs]
    return {
        "digest": version.digest,
        "version": version.version,
        "files": version.files,
        "runs": len(runs),
        "first": runs[0] if runs else None,
        "last": runs[-1] if runs else None,
        "text": version.text,
    }


def _day(at: float) -> str:
    from datetime import datetime

    return datetime.fromtimestamp(at).astimezone().date().isoformat() if at else ""
