"""`promptkit run STRATEGY [QUESTION|-]`: one command a strategy, its fields the flags."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Annotated, Any, get_type_hints

import typer
from typer.core import TyperGroup

from promptkit import registry
from promptkit.cli.fields import field_help
from promptkit.cli.session import Session
from promptkit.errors import BadInput

Question = Annotated[str | None, typer.Argument(help="The question; - reads it from stdin.", show_default=False)]


def _flag(kind: Any, default: Any, *names: str, help: str, metavar: str | None = None) -> tuple[Any, Any]:
    return kind, typer.Option(default, *names, help=help, show_default=bool(default), metavar=metavar)


SHARED: dict[str, tuple[Any, Any]] = {
    "model": _flag(str | None, None, "-m", "--model", help="provider:name; the default is `builtin`."),
    "pack": _flag(str, "general", "-P", "--pack", help="Prompt pack."),
    "option": _flag(list[str], [], "-o", metavar="KEY=VALUE", help="Provider option; repeatable."),
    "reader": _flag(str | None, None, "--reader", help="How the answer is read, e.g. number."),
    "seed": _flag(int, 0, "--seed", help="Run seed."),
    "fresh": _flag(bool, False, "--fresh", help="Draws that no earlier run has used."),
    "max_calls": _flag(int | None, None, "--max-calls", help="Cap on calls."),
    "max_tokens": _flag(int | None, None, "--max-tokens", help="Cap on tokens, input and output, over the run."),
    "max_cost": _flag(float | None, None, "--max-cost", help="Cap in USD."),
    "timeout": _flag(float | None, None, "--timeout", help="Cap in seconds."),
    "concurrency": _flag(int | None, None, "--concurrency", help="Calls in flight at once; the default is 8."),
    "as_json": _flag(bool, False, "--json", help="One JSON object on stdout."),
    "events": _flag(bool, False, "--events", help="Events as JSON lines on stderr."),
    "dry_run": _flag(bool, False, "--dry-run", help="Show the first prompts; call nothing."),
    "plain": _flag(bool, False, "--plain", help="No live display."),
    "quiet": _flag(bool, False, "-q", "--quiet", help="Warnings only."),
}


class RunGroup(TyperGroup):
    """The strategies as commands; each is built when it is named."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all strategies."""
        return registry.names("strategy")

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """What is left of the words; BadInput when there are none."""
        if not args and not ctx.resilient_parsing:
            hint = 'promptkit run cot "your question"\nlist them: promptkit strategies'
            raise BadInput("run wants a strategy and a question", hint=hint)
        return super().parse_args(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a strategy; UnknownName with the nearest name when there is none."""
        if ctx.resilient_parsing and cmd_name not in registry.names("strategy"):
            return None  # completing what is being typed
        if cmd_name.endswith((".yaml", ".yml")) or "/" in cmd_name:
            raise BadInput(f"this promptkit runs no recipes yet: {cmd_name}", hint='promptkit run cot "your question"')
        return build(cmd_name)


def build(name: str) -> Any:
    """The command that runs the strategy of that name."""
    strategy = registry.load("strategy", name)
    small = typer.Typer(add_completion=False, rich_markup_mode=None)
    small.command(name, help=inspect.getdoc(strategy), context_settings={"help_option_names": ["-h", "--help"]})(
        _body(name, strategy)
    )
    command = typer.main.get_command(small)
    command.name = name
    return command


def _body(name: str, strategy: type) -> Callable[..., int]:
    hints, helps = get_type_hints(strategy), field_help(strategy)

    def body(question: str | None = None, **given: Any) -> int:
        shared = {key: given.pop(key) for key in SHARED}
        session = Session(**{key: shared.pop(key) for key in ("as_json", "events", "dry_run", "plain", "quiet")})
        how = {"model_options": parse_options(shared.pop("option")), **shared, **given}
        return session.run(name, question_from(question), how)

    parameters = [
        inspect.Parameter("question", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=Question)
    ]
    for field in fields(strategy):
        flag = "--" + field.name.replace("_", "-")
        default = None if field.default is MISSING else field.default
        option = typer.Option(default, flag, help=helps.get(field.name, ""), show_default=default is not None)
        parameters.append(_keyword(field.name, hints[field.name], option))
    parameters += [_keyword(key, kind, option) for key, (kind, option) in SHARED.items()]
    body.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    body.__annotations__ = {p.name: p.annotation for p in parameters}
    return body


def _keyword(name: str, kind: Any, option: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=option, annotation=kind)


def parse_options(pairs: list[str]) -> dict[str, object]:
    """`-o key=value` pairs; numbers and booleans are recognised."""
    options: dict[str, object] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise BadInput(f"-o wants key=value, not {pair!r}", hint="e.g. -o n_gpu_layers=0")
        options[key] = _scalar(text)
    return options


def _scalar(text: str) -> object:
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def question_from(argument: str | None) -> str:
    """The question: the argument, or stdin for `-` and when none is given and stdin is no terminal."""
    if argument is not None and argument != "-":
        return argument
    if argument is None and (sys.stdin is None or sys.stdin.isatty()):
        raise BadInput("no question given", hint='promptkit run cot "your question", or - to read it from stdin')
    return read_stdin()


def read_stdin() -> str:
    """All of stdin as UTF-8; says that it waits when nothing comes for a while."""
    import threading

    from promptkit.cli.speak import err

    waiting = threading.Timer(2.0, err, ["reading the question from stdin; end it with Ctrl-D, or stop with Ctrl-C"])
    waiting.daemon = True
    waiting.start()
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig", "replace")
    finally:
        waiting.cancel()
