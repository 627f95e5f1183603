"""`promptkit strategies`: what there is to choose from. Nothing here touches the network."""

from __future__ import annotations

import inspect
import json
import re
import sys
from dataclasses import MISSING, fields
from typing import Annotated, Any

import typer

from promptkit.cli import complete
from promptkit.cli.speak import clean, out_json
from promptkit.cli.tables import columns, prose
from promptkit.cli.verb import Verb
from promptkit.errors import PluginBroken

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]

_PAPER = re.compile(r"arXiv:(\d{4}\.\d{4,5})")
_LITERAL = re.compile(r"Literal\[([^\]]*)\]")


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("strategies", cls=Verb)(strategies)


def strategies(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="STRATEGY", help="Only this one, with its parameters.", autocompletion=complete.strategies
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the strategies, or show one."""
    from promptkit import registry

    if name is None:
        found = [_strategy(known) for known in registry.names("strategy")]
        if as_json:
            return out_json({"schema": "promptkit.strategies/1", "strategies": found})
        rows = [(each["name"], " ".join(each["papers"]), each["about"]) for each in found]
        return columns(("name", "arXiv", "what it does"), rows)
    one = _detailed(name, registry.load("strategy", name))
    if as_json:
        return out_json({"schema": "promptkit.strategy/1", **one})
    prose(f"{name}  {clean(one['about'])}\n")
    prose("\n".join(clean(line).rstrip() for line in one["doc"].splitlines()) + "\n")
    columns(
        ("parameter", "type", "default", "what it is"),
        [
            (
                field["flag"],
                field["type"].removesuffix(" | None"),
                "required" if field["required"] else _said(field["default"]),
                field["help"],
            )
            for field in one["parameters"]
        ],
    )
    return None


def _strategy(name: str) -> dict[str, Any]:
    from promptkit import registry

    try:
        kind = registry.load("strategy", name)
    except Exception as error:  # somebody else's plug-in: the others are listed all the same
        why = error.message if isinstance(error, PluginBroken) else f"{type(error).__name__}: {error}"
        return {"name": name, "about": f"cannot be loaded: {why}", "papers": []}
    about = (inspect.getdoc(kind) or "").partition("\n")[0]
    return {"name": name, "about": about, "papers": _papers(kind)}


def _papers(kind: type[Any]) -> list[str]:
    module = sys.modules.get(kind.__module__)
    return list(dict.fromkeys(_PAPER.findall((module and module.__doc__) or "")))


def _detailed(name: str, kind: type[Any]) -> dict[str, Any]:
    from promptkit.cli.fields import field_help

    module = inspect.getdoc(sys.modules.get(kind.__module__)) or ""
    about, helps = (inspect.getdoc(kind) or "").partition("\n")[0], field_help(kind)
    parameters = [
        {
            "name": field.name,
            "flag": "--" + field.name.replace("_", "-"),
            "type": _type(field.metadata.get("flag", field.type)),
            "required": field.default is MISSING and field.default_factory is MISSING,
            "default": _default(field),
            "help": helps.get(field.name, ""),
        }
        for field in fields(kind)
        if field.init
    ]
    return {"name": name, "about": about, "papers": _papers(kind), "doc": module, "parameters": parameters}


def _type(annotation: Any) -> str:
    """A field's type as a person writes it: `propose | sample | None`."""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return _LITERAL.sub(lambda found: re.sub(r"\s*,\s*", " | ", re.sub("[\"']", "", found[1])), text)


def _default(field: Any) -> Any:
    from promptkit.types import plain

    if field.default is MISSING and field.default_factory is MISSING:
        return None
    value = field.default_factory() if field.default is MISSING else field.default
    return json.loads(json.dumps(plain(value), default=repr))


def _said(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
