"""`promptkit plugins`: what installed packages add, and whether it can be used."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from promptkit.cli.speak import clean, err, out_json
from promptkit.cli.tables import columns
from promptkit.errors import PluginBroken

if TYPE_CHECKING:
    from promptkit.registry import Plugin


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("plugins")(plugins)


def plugins(as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False) -> None:
    """List what installed packages add, and whether it loads."""
    from promptkit import registry

    found = [looked_at(plugin) for plugin in registry.plugins()]
    if as_json:
        return out_json({"schema": "promptkit.plugins/1", "plugins": found})
    if not found:
        return err("no installed package adds anything to promptkit; how one does: promptkit new strategy NAME")
    head = ("package", "version", "kind", "name", "state")
    return columns(head, [(*(each[name] for name in head[:-1]), _said(each)) for each in found])


def looked_at(plugin: Plugin) -> dict[str, Any]:
    """A plugin with its state: ok, hidden by another of its name, or broken."""
    from promptkit.cli.run import build

    state, problem = ("hidden", plugin.hidden) if plugin.hidden else ("ok", "")
    if not problem:
        try:
            if plugin.kind == "strategy":
                build(plugin.name)  # its fields become flags
            else:
                plugin.load()
        except PluginBroken as error:
            state, problem = "broken", error.message
    about = {"package": plugin.package, "version": plugin.version, "kind": plugin.kind, "name": plugin.name}
    return {**about, "target": plugin.target, "state": state, "problem": problem}


def _said(found: dict[str, Any]) -> str:
    return f"{found['state']}: {found['problem']}" if found["problem"] else str(found["state"])


@contextmanager
def hidden_ones_named() -> Iterator[None]:
    """Within it, a warning about a plugin that is passed over is a line on stderr, said once."""
    from promptkit.registry import PluginHidden

    said: set[str] = set()

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if not issubclass(category, PluginHidden):
            return usual(message, category, filename, lineno, file, line)
        if "_PROMPTKIT_COMPLETE" not in os.environ and str(message) not in said:  # a shell has no place for it
            said.add(str(message))
            err(clean(f"warning: {message}"))
        return None

    with warnings.catch_warnings():
        usual, warnings.showwarning = warnings.showwarning, show
        warnings.simplefilter("always", PluginHidden)
        yield
