"""The verbs, put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer

from promptkit.cli import (
    again,
    bench,
    cache,
    catalogue,
    chat,
    compare,
    config,
    decode,
    describe,
    diversity,
    doctor,
    keys,
    learn,
    models,
    new,
    next,
    optimize,
    plugins,
    prompts,
    runs,
    tokens,
    what_if,
)
from promptkit.cli.exits import Exit
from promptkit.cli.run import RunGroup
from promptkit.cli.speak import complain, complain_bug, err
from promptkit.cli.usage import TopVerbs, complain_usage
from promptkit.errors import PromptkitError

ORDER = "run compare chat resume replay what-if runs prompts describe strategies models bench optimize".split()
ORDER += "learn plugins new tokens next decode diversity cache keys config doctor".split()


class InOrder(TopVerbs):
    """The verbs in the order a newcomer meets them."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all verbs."""
        return sorted(super().list_commands(ctx), key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


app = typer.Typer(
    name="promptkit",
    cls=InOrder,
    help="Prompting strategies over any model: live, budgeted, replayable.",
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(typer.Typer(), name="run", cls=RunGroup, help="Answer a question with a strategy.")
compare.add_to(app)
chat.add_to(app)
again.add_to(app)
what_if.add_to(app)
tokens.add_to(app)
next.add_to(app)
decode.add_to(app)
diversity.add_to(app)
runs.add_to(app)
prompts.add_to(app)
describe.add_to(app)
catalogue.add_to(app)
models.add_to(app)
learn.add_to(app)
bench.add_to(app)
optimize.add_to(app)
plugins.add_to(app)
new.add_to(app)
cache.add_to(app)
keys.add_to(app)
config.add_to(app)
doctor.add_to(app)


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", "-V", help="Print the version and exit."),
) -> None:
    """Prompting strategies over any model: live, budgeted, replayable."""
    if version:
        from promptkit import __version__

        typer.echo(f"promptkit {__version__}")
        raise typer.Exit(Exit.DONE)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def start(words: Sequence[str]) -> int:
    """The exit code of a command line."""
    try:
        with plugins.hidden_ones_named():
            result = app(args=list(words), prog_name="promptkit", standalone_mode=False)
        return int(result or Exit.DONE)
    except PromptkitError as error:
        return complain(error, as_json="--json" in words)
    except typer.Exit as done:
        return done.exit_code
    except (KeyboardInterrupt, typer.Abort):
        err("interrupted")
        return Exit.INTERRUPTED
    except Exception as error:
        return _unexpected(error)


def _unexpected(error: Exception) -> int:
    """Usage errors of the command line itself; anything else is a bug, and says so."""
    if hasattr(error, "format_message"):
        return complain_usage(error)
    return complain_bug(error)
