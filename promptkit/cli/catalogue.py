"""`promptkit strategies`: what there is to choose from. Nothing here touches the network."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import typer

from promptkit.announced import Forecast, forecast
from promptkit.cli import complete
from promptkit.cli.speak import clean, out_json
from promptkit.cli.tables import columns, prose
from promptkit.cli.verb import Verb
from promptkit.errors import BadInput, PluginBroken
from promptkit.types import Problem

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]

OTHERS = "others"
ROOMS = {
    "prompting": "one question put well, in one reply or a fixed chain of them",
    "voting": "several replies, and what they agree on",
    "search": "a tree or a graph of thoughts, kept and dropped by their value",
    "reflection": "replies that are criticised and written anew",
    "layers": "what goes around any strategy: a manner, a form, a pattern",
    OTHERS: "of plug-ins and of your own",
}

_ANY = Problem(text="any question")
_PAPER = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


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
        return _list(found)
    one = _detailed(name, registry.load("strategy", name))
    if as_json:
        return out_json({"schema": "promptkit.strategy/1", **one})
    return _show(one)


def _list(found: Sequence[Mapping[str, Any]]) -> None:
    """The strategies by room, each with the papers it is from."""
    rooms = sorted({each["room"] for each in found}, key=lambda room: (list(ROOMS).index(room), room))
    for room in rooms:
        prose(("" if room == rooms[0] else "\n") + f"{room}: {ROOMS[room]}")
        rows = [(each["name"], " ".join(each["from"]), each["about"]) for each in found if each["room"] == room]
        columns(("name", "arXiv", "what it does"), rows)
    prose("\nparameters, cost and evidence of one: promptkit strategies NAME")


def _show(one: Mapping[str, Any]) -> None:
    from promptkit.cli.dry_run import spread

    prose(f"{one['name']}  {clean(one['about'])}\n")
    prose("\n".join(clean(line).rstrip() for line in one["doc"].splitlines()) + "\n")
    told = [("papers", " ".join(f"https://arxiv.org/abs/{paper}" for paper in one["papers"]))]
    told += [
        ("samples", one["calls"]),
        (f"by default, -P {_ANY.pack}", "" if one["samples"] is None else spread(Forecast(**one["samples"]))),
    ]
    told += [("helps", one["helps"]), ("does not help", one["fails"])]
    for what, text in told:
        if text:
            prose(f"{what}: {clean(text)}", hang=2)
    prose("")
    columns(
        ("parameter", "type", "default", "what it is"),
        [
            (
                field["flag"] or field["name"],
                field["type"].removesuffix(" | None"),
                "required" if field["required"] else _said(field["default"]),
                field["help"],
            )
            for field in one["parameters"]
        ],
    )


def _strategy(name: str) -> dict[str, Any]:
    from promptkit import registry

    try:
        kind = registry.load("strategy", name)
    except Exception as error:  # somebody else's plug-in: the others are listed all the same
        why = error.message if isinstance(error, PluginBroken) else f"{type(error).__name__}: {error}"
        return {"name": name, "room": OTHERS, "about": f"cannot be loaded: {why}", "papers": [], "from": []}
    about = (inspect.getdoc(kind) or "").partition("\n")[0]
    papers = _papers(kind)
    first = _PAPER.findall(((sys.modules[kind.__module__].__doc__) or "").partition("\n\n")[0])
    origin = [each for each in papers if each in first] or papers[:2]
    return {"name": name, "room": _room(kind), "about": about, "papers": papers, "from": origin}


def _room(kind: type[Any]) -> str:
    """The folder of promptkit/strategies it stands in; everybody else's share one."""
    parts = kind.__module__.split(".")
    return parts[2] if parts[:2] == ["promptkit", "strategies"] and parts[2:3][0] in ROOMS else OTHERS


def _papers(kind: type[Any]) -> list[str]:
    module = sys.modules.get(kind.__module__)
    return list(dict.fromkeys(_PAPER.findall((module and module.__doc__) or "")))


def _detailed(name: str, kind: type[Any]) -> dict[str, Any]:
    from promptkit.cli.fields import field_help

    module = inspect.getdoc(sys.modules.get(kind.__module__)) or ""
    about, helps = (inspect.getdoc(kind) or "").partition("\n")[0], field_help(kind)
    hints = get_type_hints(kind)
    parameters = [
        {
            "name": field.name,
            "flag": "--" + field.name.replace("_", "-") if said else None,
            "type": _type(said) if said else "from Python",
            "required": field.default is MISSING and field.default_factory is MISSING,
            "default": _default(field),
            "help": helps.get(field.name, ""),
        }
        for field in fields(kind)
        if field.init
        for said in [field.metadata.get("flag", hints[field.name])]
    ]
    said: Any = getattr(kind, "about", None)
    told = {each: getattr(said, each, "") for each in ("calls", "helps", "fails")}
    body = {"name": name, "room": _room(kind), "about": about, "papers": _papers(kind), "doc": module}
    return {**body, **told, "samples": _samples(kind), "parameters": parameters}


def _samples(kind: type[Any]) -> dict[str, Any] | None:
    """What it announces with its defaults for any question; None where a parameter must be given first."""
    if any(f.default is MISSING and f.default_factory is MISSING for f in fields(kind) if f.init):
        return None
    try:
        said = forecast(kind(), _ANY)
    except BadInput:  # one of two must be given, whichever
        return None
    return {"least": said.least, "expected": said.expected, "most": said.most}


def _type(hint: Any) -> str:
    """A field's type as a person writes it: `propose | sample | None`."""
    if get_origin(hint) in (Union, UnionType):
        return " | ".join(_type(each) for each in get_args(hint))
    if get_origin(hint) is Literal:
        return " | ".join(map(str, get_args(hint)))
    return "None" if hint is NoneType else inspect.formatannotation(hint)


def _default(field: Any) -> Any:
    from promptkit.types import plain

    if field.default is MISSING and field.default_factory is MISSING:
        return None
    value = field.default_factory() if field.default is MISSING else field.default
    return json.loads(json.dumps(plain(value), default=repr))


def _said(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
