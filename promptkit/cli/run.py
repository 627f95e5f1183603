"""`promptkit run STRATEGY [QUESTION|-]`: one command a strategy, its fields the flags."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from promptkit import registry
from promptkit.cli import complete
from promptkit.cli.answer import answer
from promptkit.cli.fields import field_help
from promptkit.cli.flags import LAYERS, SHARED, of_strategy
from promptkit.cli.speak import clean
from promptkit.cli.verb import Verb
from promptkit.errors import BadInput, PluginBroken

Question = Annotated[str | None, typer.Argument(help="The question; - reads it from stdin.", show_default=False)]


_OFFERED: dict[str, Callable[[str], Any]] = {
    "model": complete.models,
    "pack": complete.packs,
    "reader": complete.readers,
    "effort": complete.efforts,
    "structured": complete.forms,
    "pattern": complete.tricks,
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
            hint = f'if it is for a better prompt: promptkit optimize {cmd_name}\npromptkit run cot "your question"'
            raise BadInput(f"this promptkit runs no recipes of experiments yet: {cmd_name}", hint=hint)
        try:
            return build(cmd_name)
        except PluginBroken as error:  # the list of strategies and what a shell offers have no place for errors
            return Broken(cmd_name, error)


class Broken(TyperCommand):
    """A strategy that cannot be loaded: listed with the reason, which is raised when it is asked for anything."""

    def __init__(self, name: str, error: PluginBroken) -> None:
        super().__init__(name, short_help=clean(f"cannot be loaded: {error.message}"), add_help_option=False)
        self._error = error

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Nothing to offer where a shell asks; PluginBroken otherwise."""
        if ctx.resilient_parsing:
            return []
        raise self._error


def build(name: str) -> Any:
    """The command that runs the strategy of that name."""
    strategy = registry.load("strategy", name)
    small = typer.Typer(add_completion=False, rich_markup_mode=None)
    settings = {"help_option_names": ["-h", "--help"]}
    try:
        small.command(name, cls=Verb, help=inspect.getdoc(strategy), context_settings=settings)(_body(name, strategy))
        command = typer.main.get_command(small)
    except Exception as error:  # a field named like a flag of ours, or of a type that no word gives
        if (plugin := registry.plugin("strategy", name)) is None:
            raise
        raise plugin.broken(f"its fields cannot be flags: {error}") from error
    command.name = name
    return command


def _body(name: str, strategy: type) -> Callable[..., int]:
    helps = field_help(strategy)

    def body(question: str | None = None, **given: Any) -> int:
        return answer(name, question, given)

    parameters = [
        inspect.Parameter("question", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=Question)
    ]
    own = of_strategy(strategy)
    for key, flag in own.items():
        option = typer.Option(
            flag.default,
            *flag.names,
            help=helps.get(key, ""),
            show_default=flag.default is not None,
            autocompletion=complete.specs if flag.strategy else None,
        )
        parameters.append(_keyword(key, flag.kind, option))
    parameters += shared(key for key in SHARED if key not in own or key not in LAYERS)  # any other twin is refused
    body.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    body.__annotations__ = {p.name: p.annotation for p in parameters}
    return body


def shared(keys: Iterable[str]) -> list[inspect.Parameter]:
    """The flags of these names that every strategy has, as parameters of a command."""
    return [
        _keyword(
            key,
            SHARED[key].kind,
            typer.Option(
                SHARED[key].default,
                *SHARED[key].names,
                help=SHARED[key].help,
                show_default=bool(SHARED[key].default),
                metavar=SHARED[key].metavar,
                autocompletion=_OFFERED.get(key),
                rich_help_panel=SHARED[key].heading,
            ),
        )
        for key in keys
    ]


def _keyword(name: str, kind: Any, option: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=option, annotation=kind)
