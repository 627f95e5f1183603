"""`promptkit models pull ollama:NAME`: a model fetched into an Ollama's store, with its progress."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from promptkit.cli.exits import Exit
from promptkit.cli.speak import clean, err, say
from promptkit.errors import BadInput

if TYPE_CHECKING:
    from promptkit.providers.ollama import Ollama

Show = Callable[[str, int | None, int | None], None]  # what is done, bytes done, bytes in all

STEP = 10  # percent between two plain lines


def pull(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="ollama:NAME, e.g. ollama:qwen3:8b.")],
) -> int:
    """Fetch a model into Ollama's store.

    What was fetched is kept when it is interrupted: the same command goes on from there.
    """
    from promptkit import sync
    from promptkit.providers.ollama import open_ollama

    kind, _, name = model.partition(":")
    if kind != "ollama" or not name:
        hint = "promptkit models pull ollama:qwen3:8b\na GGUF file of a hub needs none: -m llamacpp:hf://repo/file.gguf"
        raise BadInput(f"only an Ollama pulls models, and {model!r} is none of its", hint=hint)
    provider = open_ollama(name, {})
    try:
        with _bars() if sys.stderr.isatty() else _lines() as show:
            sync.run(_pulled(provider, show))
    except KeyboardInterrupt:
        say("interrupted", [f"what was fetched is kept: promptkit models pull {model}"])
        return Exit.INTERRUPTED
    say(f"{model} is there", [f'promptkit run direct "your question" -m {model}'])
    return Exit.DONE


async def _pulled(provider: Ollama, show: Show) -> None:
    try:
        async with aclosing(provider.pull()) as progress:
            async for status, done, total in progress:
                show(status, done, total)
    finally:
        await provider.aclose()


@contextmanager
def _lines() -> Iterator[Show]:
    """A line for each thing that is done, and one for every tenth of what is fetched."""
    last = ("", -1)

    def show(status: str, done: int | None, total: int | None) -> None:
        nonlocal last
        percent = 100 * done // total // STEP * STEP if done is not None and total else 0
        if (status, percent) != last:
            last = (status, percent)
            err(f"{clean(status)}  {percent} % of {_bytes(total)}" if total else clean(status))

    yield show


@contextmanager
def _bars() -> Iterator[Show]:
    """A bar for each part that is fetched; the rest in words."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
    from rich.text import Text

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bars = {}
        said = ""

        def show(status: str, done: int | None, total: int | None) -> None:
            nonlocal said
            status = clean(status)
            if total:
                if status not in bars:
                    bars[status] = progress.add_task(status, total=total)
                progress.update(bars[status], completed=done or 0)
            elif status != said:
                said = status
                progress.console.print(Text(status))

        yield show


def _bytes(count: int) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000  # type: ignore[assignment]
    return f"{count:.3g} GB"
