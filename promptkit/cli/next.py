"""`promptkit next "The cat"`: what may come next, how probable each token is, and what the rules leave."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from promptkit.cli.exits import OF_STATUS
from promptkit.cli.looking import SHARED, cut_short, document, looked, text_from
from promptkit.cli.run import shared
from promptkit.cli.speak import out, out_json
from promptkit.cli.verb import Verb

Text = Annotated[str | None, typer.Argument(help="The text to go on with; - reads it from stdin.", show_default=False)]
OPTIONS: dict[str, tuple[Any, Any]] = {
    "top": (10, Annotated[int, typer.Option("--top", help="Tokens shown.")]),
    "temperature": (
        1.0,
        Annotated[float, typer.Option("--temperature", help="Above 1 flatter, below 1 steeper, 0 the likeliest.")],
    ),
    "top_k": (None, Annotated[int | None, typer.Option("--top-k", help="Keep so many.", show_default=False)]),
    "top_p": (
        None,
        Annotated[float | None, typer.Option("--top-p", help="Keep the likeliest with this mass.", show_default=False)],
    ),
    "min_p": (
        None,
        Annotated[
            float | None,
            typer.Option("--min-p", help="Keep those this times as probable as the likeliest.", show_default=False),
        ],
    ),
    "heat_first": (
        False,
        Annotated[bool, typer.Option("--heat-first", help="Temperature before the cuts; llama.cpp cuts first.")],
    ),
    "chat": (
        False,
        Annotated[bool, typer.Option("--chat", help="The first token of a reply to the text as a message.")],
    ),
}


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("next", cls=Verb)(_command())


def _command() -> Callable[..., int]:
    def next(text: str | None = None, **given: Any) -> int:
        """Show what may come next, and what top-k, top-p, min-p and temperature leave of it.

        One call of one token, kept like any other. The rules are applied in this order: top-k, top-p, min-p,
        temperature.
        """
        return _next(text, {name: given.pop(name) for name in OPTIONS}, given)

    kind = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("text", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=Text),
        *(inspect.Parameter(name, kind, default=default, annotation=a) for name, (default, a) in OPTIONS.items()),
        *shared(SHARED),
    ]
    next.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    next.__annotations__ = {each.name: each.annotation for each in parameters}
    return next


def _next(text: str | None, fields: dict[str, Any], given: dict[str, Any]) -> int:
    from promptkit.decoding.next_token import NextToken

    strategy = NextToken(**fields)
    _, outcome = looked(strategy, text_from(text, "next"), given)
    whole = "tokens" in outcome.detail
    if given["as_json"]:
        told = outcome.detail if whole else {"answer": None, "cut": outcome.detail.get("cut")}
        out_json(document("promptkit.next/1", outcome, told))
    elif whole:
        _show(outcome.detail)
    if not whole:
        cut_short(outcome)
    return OF_STATUS[outcome.status]


def _show(told: Any) -> None:
    from promptkit.render import next_tokens

    if not sys.stdout.isatty():
        from promptkit.cli.tables import columns

        columns(next_tokens.head(told), next_tokens.rows(told))
        return out("\n".join(["", *next_tokens.told_below(told)]))
    from rich.console import Console
    from rich.text import Text as Line

    from promptkit.cli.tables import draw
    from promptkit.render.safe import Legible, wrap

    width = Console(file=sys.stdout).width
    below = [Line(piece) for line in next_tokens.summary(told) for piece in wrap(line, width)]
    return draw(Legible(*next_tokens.bars(told, width), Line(), *below))
