"""`promptkit tokens TEXT`: how a model's tokenizer cuts a text; nothing is asked of the model."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from promptkit.cli import complete
from promptkit.cli.answer import parse_options
from promptkit.cli.exits import Exit
from promptkit.cli.looking import text_from, writable
from promptkit.cli.speak import out, out_json
from promptkit.cli.verb import Verb
from promptkit.errors import CapabilityMissing

if TYPE_CHECKING:
    from promptkit.types import Piece

Text = Annotated[str | None, typer.Argument(help="The text; - reads it from stdin.", show_default=False)]
Model = Annotated[
    str | None,
    typer.Option(
        "-m",
        "--model",
        help="provider:name; the default is `builtin`.",
        autocompletion=complete.models,
        show_default=False,
    ),
]
Option = Annotated[list[str], typer.Option("-o", metavar="KEY=VALUE", help="Provider option; repeatable.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
AT_HAND = (
    "exact with -m builtin and -m llamacpp:path/to/model.gguf; a GGUF file of the same model cuts alike\n"
    "what a call took is counted by its server: promptkit runs show last"
)


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("tokens", cls=Verb)(tokens)


def tokens(text: Text = None, model: Model = None, option: Option = [], as_json: Json = False) -> int:  # noqa: B006
    """Show the tokens of a text as a model's tokenizer cuts it: how many, which, and with which numbers."""
    from promptkit import sync
    from promptkit.runtime.open import open_provider
    from promptkit.settings import default_model

    provider = open_provider(model or default_model(), parse_options(option))
    cut: Any = getattr(provider, "tokens", None)
    if not callable(cut):
        raise CapabilityMissing(f"{provider.id}: its tokenizer is not at hand", hint=AT_HAND)
    given = text_from(text, "tokens")
    pieces: Sequence[Piece] = sync.run(cut(given))
    if as_json:
        told = [{"id": each.id, "text": each.text, "bytes": _bytes(each).hex()} for each in pieces]
        counts = {"count": len(pieces), "characters": len(given), "bytes": len(given.encode("utf-8", "replace"))}
        out_json(
            writable({"schema": "promptkit.tokens/1", "model": provider.id, "text": given, **counts, "tokens": told})
        )
        return Exit.DONE
    _show(provider.id, given, pieces)
    return Exit.DONE


def _show(model: str, text: str, pieces: Sequence[Piece]) -> None:
    from promptkit.cli.tables import columns, draw, prose
    from promptkit.render import amounts
    from promptkit.render.pieces import joined, parts_of, visible

    words = [piece.text for piece in pieces]
    if sys.stdout.isatty():
        from rich.console import Console

        from promptkit.render.safe import Legible

        draw(Legible(*joined(words, Console(file=sys.stdout).width)))
        out("")
    parts = parts_of(words)
    split = [("of",)] if any(parts) else []
    rows = [
        (str(place), str(piece.id), visible(piece.text, piece.id), *((part,) if split else ()))
        for place, (piece, part) in enumerate(zip(pieces, parts, strict=True), start=1)
    ]
    columns(("", "id", "token", *(split[0] if split else ())), rows)
    size = f"{amounts.many(len(text), 'character')}, {amounts.many(len(text.encode('utf-8', 'replace')), 'byte')}"
    prose(f"\n{amounts.many(len(pieces), 'token')} for {amounts.model(model)} · {size}")


def _bytes(piece: Piece) -> bytes:
    return piece.text.encode("utf-8", "surrogateescape")
