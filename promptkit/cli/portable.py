"""`promptkit runs export|import`: a run as one file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Annotated, TextIO

import typer

from promptkit.cli import complete
from promptkit.cli.speak import err, out, say
from promptkit.errors import BadInput

Run = Annotated[
    str, typer.Argument(metavar="RUN", help="Run id, a unique beginning of one, or last.", autocompletion=complete.runs)
]


def export(
    run: Run,
    file: Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="Where to; - is stdout.")] = "-",
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write a run and all it used as one file of JSON lines."""
    from promptkit.api import find_run, open_journal

    journal = open_journal()
    row, text = find_run(run, journal), StringIO()
    journal.export(row.id, text)
    if file == "-":
        return out(text.getvalue().removesuffix("\n"))  # ASCII: stdout can write it, whatever its encoding
    try:
        with Path(file).open("w" if force else "x", encoding="utf-8", newline="\n") as target:
            target.write(text.getvalue())
    except FileExistsError as error:
        raise BadInput(f"there is a {file} already", hint="another -o, or --force to overwrite it") from error
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror or error}", hint="another -o") from error
    return err(f"exported {row.id} to {file}; bring it in with: promptkit runs import {file}")


def import_(file: Annotated[str, typer.Argument(metavar="FILE|-", help="An exported run; - is stdin.")]) -> None:
    """Bring in an exported run; nothing is ever overwritten. Prints its id."""
    from promptkit.api import open_journal

    with _reading(file) as source:
        run = open_journal().import_(source)
    out(run)
    say(f"see it: promptkit runs show {run}")


@contextmanager
def _reading(file: str) -> Iterator[TextIO]:
    if file == "-":
        yield sys.stdin
        return
    try:
        source = Path(file).open(encoding="utf-8")  # noqa: SIM115  (only what opening raises is explained here)
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror or error}", hint="a file written by: promptkit runs export") from error
    with source:
        yield source
