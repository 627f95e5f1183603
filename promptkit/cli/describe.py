"""`promptkit describe TEXT`: what a prompt does not say, and the prompt with it. No model is asked."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from promptkit.cli.speak import err, out, out_json
from promptkit.cli.tables import columns
from promptkit.cli.verb import Verb
from promptkit.errors import BadInput

if TYPE_CHECKING:
    from promptkit.layering.lacking import Finding

Prompt = Annotated[
    str | None,
    typer.Argument(metavar="[TEXT|@FILE]", help="The prompt; @FILE reads it, - reads stdin.", show_default=False),
]
Lint = Annotated[bool, typer.Option("--lint", help="Only say what it lacks, ask nothing.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Audience = Annotated[str | None, typer.Option("--audience", metavar="TEXT", help="Who reads the answer.")]
Format = Annotated[str | None, typer.Option("--format", metavar="TEXT", help="What form the answer has.")]
Length = Annotated[str | None, typer.Option("--length", metavar="TEXT", help="How long the answer is.")]
Constraints = Annotated[str | None, typer.Option("--constraints", metavar="TEXT", help="What it must have, or not.")]
Examples = Annotated[str | None, typer.Option("--examples", metavar="TEXT", help="What a good answer looks like.")]
Context = Annotated[str | None, typer.Option("--context", metavar="TEXT", help="Why it is asked, what is known.")]


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("describe", cls=Verb)(describe)


def describe(
    prompt: Prompt = None,
    audience: Audience = None,
    format: Format = None,
    length: Length = None,
    constraints: Constraints = None,
    examples: Examples = None,
    context: Context = None,
    lint: Lint = False,
    as_json: Json = False,
) -> None:
    """Say what a prompt lacks, ask for it, and print the finished prompt.

    In a terminal it asks for each thing that is missing; Enter leaves one out. What is given by a flag is not asked
    for. Into a pipe, and with --lint, it only lists what is missing.
    """
    from promptkit.layering import lacking

    text = _text(prompt)
    given = {"audience": audience, "format": format, "length": length}
    given |= {"constraints": constraints, "examples": examples, "context": context}
    said = {kind: told.strip() for kind, told in given.items() if told and told.strip()}
    lacks = [each for each in lacking.lint(text) if each.kind not in said]
    asking = not (said or lint or as_json) and sys.stdin is not None and sys.stdin.isatty()
    if asking and lacks:
        said = _asked(lacks)
        lacks = [each for each in lacks if each.kind not in said]
    finished = _finished(text, said)
    if as_json:
        missing = [{"kind": each.kind, "what": each.what, "add": each.add} for each in lacks]
        return out_json({"schema": "promptkit.describe/1", "prompt": finished, "said": said, "lacks": missing})
    if (said or asking) and not lint:
        return out(finished)
    if not lacks:
        return err("it says who it is for, in which form, how long, within what, like what and why")
    return columns(("missing", "what is not said", "add, for example"), [(f.kind, f.what, f.add) for f in lacks])


def _asked(lacks: Sequence[Finding]) -> dict[str, str]:
    """What is typed for each of them; the end of the input leaves out the rest."""
    said: dict[str, str] = {}
    err("An empty line leaves a thing out, Ctrl-D all the rest.")
    for each in lacks:
        err(f"{each.kind}: {each.what}? e.g. {each.add}")
        print("> ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            break
        if line.strip():
            said[each.kind] = line.strip()
    return said


def _finished(text: str, said: Mapping[str, str]) -> str:
    """The prompt, word for word, with what was said behind it."""
    from promptkit.layering.assuming import completed
    from promptkit.types import Problem

    return completed(Problem(text=text), said, "described").text


def _text(given: str | None) -> str:
    from promptkit.cli.answer import read_stdin

    hint = 'promptkit describe "your prompt", or @FILE, or - to read stdin'
    if given is None and (sys.stdin is None or sys.stdin.isatty()):
        raise BadInput("no prompt given", hint=hint)
    if given is None or given == "-":
        text = read_stdin("the prompt").decode("utf-8-sig", "replace")
    elif given.startswith("@"):
        from pathlib import Path

        from promptkit.textfile import text_of

        text = text_of(Path(given[1:]).expanduser(), hint="@FILE reads a text file")
    else:
        text = given
    if not text.strip():
        raise BadInput("the prompt is empty", hint=hint)
    return text.strip()
