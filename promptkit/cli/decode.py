"""`promptkit decode "The cat"`: the ways of decoding side by side, over the same distributions."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from promptkit.cli import complete
from promptkit.cli.exits import OF_STATUS
from promptkit.cli.form import printable
from promptkit.cli.looking import SHARED, cut_short, document, looked, text_from
from promptkit.cli.next import Text
from promptkit.cli.run import shared
from promptkit.cli.speak import out, out_json
from promptkit.cli.tables import columns, prose
from promptkit.cli.verb import Verb

OPTIONS: dict[str, tuple[Any, Any]] = {
    "steps": (8, Annotated[int, typer.Option("--steps", help="Tokens written at most.")]),
    "width": (3, Annotated[int, typer.Option("--width", help="Beams that go on.")]),
    "temperature": (1.0, Annotated[float, typer.Option("--temperature", help="Of all the sampled ways.")]),
    "top_k": (40, Annotated[int, typer.Option("--top-k", help="Of the way that keeps so many.")]),
    "top_p": (0.9, Annotated[float, typer.Option("--top-p", help="Of the way that keeps this mass.")]),
    "min_p": (
        0.05,
        Annotated[float, typer.Option("--min-p", help="Of the way that keeps what is this times the likeliest.")],
    ),
}
Methods = Annotated[
    str | None,
    typer.Option(
        "--methods",
        metavar="WAY,…",
        help="Only these: greedy, temperature, top-k, top-p, min-p, beam.",
        show_default=False,
        autocompletion=complete.decodings,
    ),
]
ByToken = Annotated[bool, typer.Option("--by-token", help="Each token of each way, too.")]


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("decode", cls=Verb)(_command())


def _command() -> Callable[..., int]:
    def decode(text: str | None = None, methods: str | None = None, by_token: bool = False, **given: Any) -> int:
        """Go on with a text in every way of decoding, side by side.

        A call for each token and each beginning that differs; the sampled ways are given the same dice (--seed).
        """
        fields = {name: given.pop(name) for name in OPTIONS}
        if methods is not None:
            fields["methods"] = tuple(name.strip() for name in methods.split(",") if name.strip())
        return _decode(text, fields, by_token, given)

    kind = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("text", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=Text),
        *(inspect.Parameter(name, kind, default=default, annotation=a) for name, (default, a) in OPTIONS.items()),
        inspect.Parameter("methods", kind, default=None, annotation=Methods),
        inspect.Parameter("by_token", kind, default=False, annotation=ByToken),
        *shared(SHARED),
    ]
    decode.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    decode.__annotations__ = {each.name: each.annotation for each in parameters}
    return decode


def _decode(text: str | None, fields: dict[str, Any], by_token: bool, given: dict[str, Any]) -> int:
    from promptkit.decoding.decode import Decode
    from promptkit.render import decoded

    _, outcome = looked(Decode(**fields), text_from(text, "decode"), given)
    told = outcome.detail
    if given["as_json"]:
        shown = told if "ways" in told else {"answer": outcome.answer, "cut": told.get("cut")}
        out_json(document("promptkit.decode/1", outcome, shown))
    elif "ways" in told:
        columns(decoded.HEAD, decoded.rows(told))
        if by_token:
            out("")
            columns(decoded.BY_TOKEN, decoded.by_token(told))
        for line in decoded.summary(told):
            prose(line)
    elif outcome.answer is not None:
        out(printable(outcome.answer))
    if "ways" not in told:
        cut_short(outcome)
    return OF_STATUS[outcome.status]
