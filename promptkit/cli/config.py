"""`promptkit config`: every setting, its value and where it comes from."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from promptkit.cli.speak import err, out, out_json
from promptkit.cli.tables import columns
from promptkit.cli.usage import Verbs

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def add_to(app: typer.Typer) -> None:
    """Add the noun and its verbs."""
    noun = typer.Typer(cls=Verbs)
    noun.callback(invoke_without_command=True)(config)
    noun.command("show")(show)
    noun.command("path")(path)
    app.add_typer(noun, name="config")


def config(context: typer.Context) -> None:
    """Show the settings in force, and the file they are written in."""
    if context.invoked_subcommand is None:
        out(context.get_help())


def show(
    origin: Annotated[bool, typer.Option("--origin", help="Where each value comes from, and how to set it.")] = False,
    as_json: Json = False,
) -> None:
    """List every setting and its value.

    A flag of a command comes first, then the environment, the project's promptkit.toml, the user's config.toml.
    """
    from promptkit import settings

    found: list[dict[str, Any]] = []
    for name, known in settings.SETTINGS.items():
        value, where = settings.origin(name)
        about = {"default": known.default, "variable": known.variable, "about": known.about}
        found.append({"setting": name, "value": value, "origin": where, **about})
    for name, (limit, where) in sorted(settings.all_limits().items()):
        about = {"default": None, "variable": "", "about": settings.LIMITS[name.rpartition(".")[2]]}
        found.append({"setting": name, "value": limit, "origin": where, **about})
    if as_json:
        journal = settings.journal_path()
        files = [{"path": str(path), "exists": path.is_file()} for path in settings.files()]
        return out_json(
            {
                "schema": "promptkit.config/1",
                "settings": found,
                "files": files,
                "journal": str(journal) if journal else "memory",
            }
        )
    if origin:
        rows = [(one["setting"], _said(one), one["origin"], one["variable"], one["about"]) for one in found]
        return columns(("setting", "value", "origin", "environment", "what it is"), rows)
    return columns(("setting", "value"), [(one["setting"], _said(one)) for one in found])


def path(
    user: Annotated[bool, typer.Option("--user", help="The user's file, also inside a project.")] = False,
) -> None:
    """Print the file to write settings into: the project's promptkit.toml, else the user's config.toml."""
    from promptkit import settings

    chosen = settings.files()[-1 if user else 0]
    out(str(chosen))
    if not chosen.is_file():
        err('it is not there yet; a line of it: model = "ollama:qwen3:8b"')


def _said(one: dict[str, Any]) -> str:
    """The value as a person reads it; what is kept without a word is everything."""
    from promptkit import settings

    if one["setting"] == "journal.path":
        return str(settings.journal_path() or "memory")
    if one["setting"] == "model":
        return settings.default_model()
    if one["value"] is None:
        return "keep everything"
    if one["setting"] == "journal.max_size":
        return settings.sized(one["value"])
    return f"{one['value']:g}" if isinstance(one["value"], float) else str(one["value"])
