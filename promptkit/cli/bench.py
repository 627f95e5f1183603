"""`promptkit bench`: what a model is worth under each strategy, section by section."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from promptkit.cli import complete
from promptkit.cli.exits import Exit
from promptkit.cli.speak import clean, err, out, out_json
from promptkit.cli.tables import columns, prose
from promptkit.cli.verb import Verb

if TYPE_CHECKING:
    from promptkit.bench.section import Section

ITEMS, SEEDS = 320, 2
QUICK_ITEMS, QUICK_SEEDS = 40, 1


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("bench", cls=Verb)(bench)


def bench(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="provider:name, as after -m.", autocompletion=complete.models)
    ] = "builtin",
    section: Annotated[
        list[str] | None,
        typer.Option(
            "--section", metavar="NAME", help="Only this one; repeatable.", autocompletion=complete.bench_sections
        ),
    ] = None,
    items: Annotated[
        int | None, typer.Option("--items", metavar="N", min=1, help=f"Questions a section, at most; default {ITEMS}.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option("--seeds", metavar="N", min=1, help=f"Times each is asked; default {SEEDS}.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help=f"--items {QUICK_ITEMS} --seeds {QUICK_SEEDS}: minutes, wide intervals.")
    ] = False,
    journal: Annotated[
        str, typer.Option("--journal", metavar="PATH", help="Where calls are kept; memory keeps nothing.")
    ] = "memory",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> int:
    """Measure what a model gets right under each strategy.

    Sections: game24, grid, words, adaptive, patterns, verdicts, reflection, speed. With a journal on disk an
    interrupted benchmark goes on where it stopped.
    """
    from promptkit import sync
    from promptkit.api import open_journal
    from promptkit.bench import parts, report
    from promptkit.bench.section import Bench
    from promptkit.runtime.open import open_provider

    names = list(dict.fromkeys(map(parts.known, section or parts.SECTIONS)))
    measuring = Bench(
        model=open_provider(model),
        journal=open_journal(journal),
        items=items or (QUICK_ITEMS if quick else ITEMS),
        seeds=range(seeds or (QUICK_SEEDS if quick else SEEDS)),
        say=lambda line: err(clean(line)),
    )
    found: list[Section] = []
    try:
        for name in names:
            found.append(sync.run(parts.measure(name, measuring)))
            if not as_json:
                _print(found[-1], first=len(found) == 1)
    except (KeyboardInterrupt, asyncio.CancelledError):
        err(f"interrupted; measured: {', '.join(each.name for each in found) or 'nothing'}")
        if as_json:
            out_json(report.as_json(measuring, found, complete=False))
        return Exit.INTERRUPTED
    if as_json:
        out_json(report.as_json(measuring, found))
    return Exit.DONE


def _print(section: Section, *, first: bool) -> None:
    """A section: tables that fit for a person, Markdown into a pipe."""
    from promptkit.bench import report

    if not first:
        out("")
    if not sys.stdout.isatty():
        return out(report.markdown(section).rstrip("\n"))
    out(section.title)
    for table in section.tables:
        out(f"\n{table.title}")
        columns(*report.cells(table))
    if section.notes:
        out("")
    for note in section.notes:
        prose(f"- {note}", hang=2)
    return None
