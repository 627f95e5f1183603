"""`promptkit bench`: what a model is worth under each strategy, section by section."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from promptkit.cli import complete
from promptkit.cli.exits import Exit
from promptkit.cli.speak import clean, err, out, out_json
from promptkit.cli.tables import columns, prose
from promptkit.cli.verb import Verb
from promptkit.errors import BadInput, UnknownName

if TYPE_CHECKING:
    from promptkit.bench.section import Section

ITEMS, SEEDS = 320, 2
QUICK_ITEMS, QUICK_SEEDS = 40, 1


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("bench", cls=Verb)(bench)


def bench(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]…",
            help="Sections; default: all. A model's name, as after -m.",
            autocompletion=complete.benched,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "-m", "--model", metavar="MODEL", help="provider:name; default: builtin.", autocompletion=complete.models
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
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot", metavar="FILE.svg", help="Right answers against tokens, drawn; pip install 'promptkit[plots]'."
        ),
    ] = None,
    journal: Annotated[
        str, typer.Option("--journal", metavar="PATH", help="Where calls are kept; memory keeps nothing.")
    ] = "memory",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> int:
    """Measure what a model gets right under each strategy, and what a vote gets with as many tokens.

    Sections: game24, grid, words, adaptive, patterns, verdicts, reflection, speed. With a journal on disk an
    interrupted benchmark goes on where it stopped; Ctrl-C prints the rows that are measured.
    """
    from promptkit import sync
    from promptkit.api import open_journal
    from promptkit.bench import parts, report
    from promptkit.bench.section import Bench
    from promptkit.bench.unfinished import Unfinished
    from promptkit.runtime.open import open_provider

    sections, model = _parted(names or [], model)
    if plot:
        _drawable(plot, sections)
    under_way = Unfinished()
    measuring = Bench(
        model=open_provider(model),
        journal=open_journal(journal),
        items=items or (QUICK_ITEMS if quick else ITEMS),
        seeds=range(seeds or (QUICK_SEEDS if quick else SEEDS)),
        say=lambda line: err(clean(line)),
        partly=under_way.take,
    )
    found: list[Section] = []
    try:
        for name in sections:
            under_way.begin(name)
            found.append(sync.run(parts.measure(name, measuring)))
            if not as_json:
                _print(found[-1], first=len(found) == 1)
    except (KeyboardInterrupt, asyncio.CancelledError):
        rows = under_way.section()
        err(f"interrupted in {under_way.told()}; measured: {', '.join(each.name for each in found) or 'nothing'}")
        if as_json:
            out_json(report.as_json(measuring, found, complete=False, unfinished=rows))
        elif rows:
            _print(rows, first=not found)
        return Exit.INTERRUPTED
    if as_json:
        out_json(report.as_json(measuring, found))
    if plot:
        from promptkit.bench.plot import svg

        plot.write_text(svg([chart for section in found for chart in section.charts]), encoding="utf-8")
        err(f"drawn: {plot}")
    return Exit.DONE


def _parted(names: Sequence[str], model: str | None) -> tuple[list[str], str]:
    """The sections that are named, all if none is; and the model, which may be named among them."""
    from promptkit.bench import parts

    models = [name for name in names if name == "builtin" or ":" in name] + ([model] if model else [])
    if len(models) > 1:
        raise BadInput(f"one model at a time, not {' and '.join(models)}", hint=f"promptkit bench -m {models[0]}")
    sections = [name for name in names if name not in models]
    if wrong := next((name for name in sections if name not in parts.SECTIONS), None):
        raise UnknownName("section", wrong, (*parts.SECTIONS, "builtin"))
    return list(dict.fromkeys(sections)) or list(parts.SECTIONS), models[0] if models else "builtin"


def _drawable(plot: Path, sections: Sequence[str]) -> None:
    """BadInput, before hours are spent, when the plot could not be made."""
    from promptkit.bench import parts

    if plot.suffix.lower() != ".svg" or not plot.absolute().parent.is_dir():
        what = "not an .svg file" if plot.suffix.lower() != ".svg" else "no such folder"
        raise BadInput(f"{plot}: {what}", hint="e.g. --plot ladder.svg")
    if not set(sections) & set(parts.DRAWN):
        raise BadInput("nothing to draw in these sections", hint=f"promptkit bench {parts.DRAWN[0]} --plot {plot}")
    if find_spec("matplotlib") is None:
        raise BadInput("a plot needs matplotlib", hint="pip install 'promptkit[plots]'")


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
