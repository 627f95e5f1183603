"""A command whose help shows its arguments the way they are typed."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

from promptkit.errors import BadInput

_FORM = "--structured"


class Verb(TyperCommand):
    """A command with `Usage: promptkit runs rm [OPTIONS] RUN…` where typer has `[OPTIONS] {RUN…}...`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """What is left of the words; BadInput where two forms are asked for: the last would win in silence."""
        if not ctx.resilient_parsing and sum(word == _FORM or word.startswith(f"{_FORM}=") for word in args) > 1:
            _, _, met = self.make_parser(ctx).parse_args(args=list(args))
            if sum(param.name == "structured" for param in met) > 1:
                hint = f"give {_FORM} once, e.g. {_FORM} steps\nhelp: {ctx.command_path} --help"
                raise BadInput(f"{_FORM} is given twice, and a reply has one form", hint=hint)
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What follows the command's name in its usage line."""
        shown = (param for param in self.get_params(ctx) if _positional(param) and not _hidden(param))
        return ["[OPTIONS]", *(_typed(param) for param in shown)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments without their Python types, then the options, then those under a heading of their own."""
        found: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for param in self.get_params(ctx):
            if _positional(param) and not _hidden(param):
                found["Arguments"].append((_typed(param), str(param.help or "")))  # type: ignore[attr-defined]
            elif row := param.get_help_record(ctx):
                found.setdefault(getattr(param, "rich_help_panel", None) or "Options", []).append(row)
        for title, rows in found.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def _positional(param: Any) -> bool:
    return bool(param.param_type_name == "argument")


def _hidden(param: Any) -> bool:
    return bool(getattr(param, "hidden", False))


def _typed(param: Any) -> str:
    name = param.metavar or param.name.upper()
    return str(name if param.required or name.startswith("[") else f"[{name}]")
