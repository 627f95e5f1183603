"""`promptkit prompts`: the templates in force, and what a model would be sent."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from promptkit.cli import complete, new_prompt
from promptkit.cli.exits import Exit
from promptkit.cli.form import printable
from promptkit.cli.inputs import read_inputs
from promptkit.cli.prompt_tests import try_out
from promptkit.cli.prompt_versions import diff, history
from promptkit.cli.speak import clean, err, out, out_json
from promptkit.cli.tables import columns, prose
from promptkit.cli.templates import found, in_force, problems_of, slips_of, under, without_pack
from promptkit.cli.usage import Verbs
from promptkit.cli.verb import Verb
from promptkit.errors import BadInput
from promptkit.types import plain

if TYPE_CHECKING:
    from promptkit.prompts import Pack, Prompt

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]

_BROKEN = "cannot be read"


def add_to(app: typer.Typer) -> None:
    """Add the noun and its verbs."""
    noun = typer.Typer(cls=Verbs)
    noun.callback(invoke_without_command=True)(prompts)
    verbs: dict[str, Callable[..., Any]] = {
        "new": new_prompt.prompt,
        "list": list_,
        "show": show,
        "render": render,
        "check": check,
    }
    for name, verb in (verbs | {"diff": diff, "history": history, "test": try_out}).items():
        noun.command(name, cls=Verb)(verb)
    app.add_typer(noun, name="prompts")


def prompts(context: typer.Context) -> None:
    """Write, list, show, render, check, compare and test prompt templates."""
    if context.invoked_subcommand is None:
        out(context.get_help())


def list_(
    pack: Annotated[
        str | None,
        typer.Option("--pack", "-P", help="Only this pack.", show_default=False, autocompletion=complete.packs),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="With -P: each template that the pack inherits, too.")] = False,
    as_json: Json = False,
) -> None:
    """List packs and their templates."""
    from promptkit import prompts as shelf

    packs = [shelf.pack(pack)] if pack else [each for name in shelf.packs() if (each := shelf.usable_pack(name))]
    every = shelf.everything()
    own = [prompt for prompt in every if pack in (None, prompt.pack)]
    unusable = [each for each in shelf.unusable() if pack in (None, each.parent.name)]
    names = {prompt.name for prompt in own} | {file.stem for file in unusable}
    inherited = [p for p in every if pack and p.pack == shelf.DEFAULT_PACK != pack and p.name not in names]
    if as_json:
        body = {"packs": [_pack(each) for each in packs], "prompts": [_prompt(each) for each in own]}
        body |= {"inherited": [_prompt(each) for each in inherited]} if pack else {}
        return out_json({"schema": "promptkit.prompts/1", **body})
    broken = [file for file in unusable if file.name == "pack.md"]
    columns(
        ("pack", "title", "origin", "reader"),
        [
            *((p.name, p.title, p.origin, p.reader) for p in packs),
            *((f"! {file.parent.name}", _BROKEN, "", "") for file in broken),
        ],
    )
    out("")
    rows = [_line(each, each.origin) for each in own]
    rows += [_line(each, "inherited") for each in inherited if all_]
    rows += [(f"! {f.parent.name}/{f.stem}", "", "", "", "", _BROKEN) for f in unusable if f not in broken]
    columns(("template", "version", "origin", "inputs", "reader", "about"), rows)
    if inherited and not all_:
        err(f"and {len(inherited)} of {shelf.DEFAULT_PACK}, which it inherits: --all lists them")
    if unusable:
        err("! cannot be used; what is wrong: promptkit prompts check")
    return None


def show(
    name: Annotated[
        str, typer.Argument(metavar="ID", help="A pack, or pack/template.", autocompletion=complete.templates)
    ],
    as_json: Json = False,
) -> None:
    """Show a template's file, or a pack."""
    from promptkit import prompts as shelf

    if "/" in name:
        one = found(name)
        text = one.path.read_bytes().decode("utf-8-sig")
        if as_json:
            return out_json({"schema": "promptkit.prompt/1", **_prompt(one), "text": text})
        # A template of a stranger's project is data to a terminal, and itself to a pipe.
        return out(printable(text) if sys.stdout.isatty() else text.removesuffix("\n"))
    pack = shelf.pack(name)
    own = [prompt for prompt in shelf.everything() if prompt.pack == name]
    if as_json:
        return out_json({"schema": "promptkit.pack/1", **_pack(pack), "prompts": [_prompt(each) for each in own]})
    prose(f"{pack.name}  {clean(pack.title)}\n\n{printable(pack.about)}\n")
    if pack.example:
        out(f"example: {clean(pack.example)}\n")
    return columns(("template", "inputs", "about"), [(p.id, " ".join(p.inputs), _first(p.about)) for p in own])


def render(
    name: Annotated[str, typer.Argument(metavar="ID", help="pack/template.", autocompletion=complete.templates)],
    values: Annotated[
        list[str] | None,
        typer.Option("-v", "--var", metavar="NAME=VALUE", help="An input; NAME=@FILE reads it. Repeat it for a list."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the messages a model would be sent."""
    one = found(name)
    inputs = read_inputs(one, values or [])
    if missing := [each.name for each in one.declared if each.needed and each.name not in inputs]:
        told = f"{one.at('inputs', missing[0])}: {one.id} needs {' and '.join(missing)}"
        raise BadInput(told, hint=" ".join(f"-v {each}=…" for each in missing))
    request = one.request(inputs)
    if as_json:
        messages = [{"role": turn.role, "text": turn.text} for turn in request.messages]
        how = {"decoding": plain(one.defaults), "stop": list(one.stop)}
        about = {"id": one.id, "version": one.version, "digest": one.digest}
        return out_json({"schema": "promptkit.messages/1", **about, "messages": messages, **how})
    for turn in request.messages:
        text = printable(turn.text) if sys.stdout.isatty() else turn.text
        # As in a template: a lone user turn needs no heading.
        out(text if len(request.messages) == 1 and turn.role == "user" else f"[[{turn.role}]]\n{text}")
    return None


def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH|ID…]", help="Files, folders, pack/template; none: all.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 2 for what is probably a slip, too.")] = False,
) -> None:
    """Check templates; exit 2 if one cannot be used. What is probably a slip is told."""
    from promptkit.render.amounts import many

    files = [file for path in paths for file in under(path)] if paths else in_force()
    whole = [file for path in paths for file in under(path) if path.is_dir()] if paths else files
    if problems := [*problems_of(files), *without_pack(whole)]:
        for problem in problems:
            err(clean(problem))
        raise typer.Exit(Exit.USAGE)
    slips = slips_of(files)
    for slip in slips:
        err(clean(slip))
    if slips and strict:
        raise typer.Exit(Exit.USAGE)
    count = sum(file.name != "pack.md" for file in files)
    out(f"{many(count, 'template')}, {'all ' if count != 1 else ''}fine")


def _line(each: Prompt, origin: str) -> tuple[str, ...]:
    return each.id, str(each.version), origin, " ".join(each.inputs), each.reader or "", _first(each.about)


def _first(about: str) -> str:
    return about.strip().partition("\n")[0]


def _prompt(prompt: Prompt) -> dict[str, Any]:
    names = ("id", "version", "origin", "reader", "digest", "about", "lang")
    about = {name: getattr(prompt, name) for name in names}
    about |= {"reply_schema": json.loads(prompt.schema) if prompt.schema else None}
    about |= {"tags": list(prompt.tags), "tested_on": list(prompt.tested_on), "includes": _included(prompt)}
    about |= {"types": {each.name: each.type for each in prompt.declared}}
    return about | {"inputs": list(prompt.inputs), "path": str(prompt.path), "decoding": plain(prompt.defaults)}


def _included(prompt: Prompt) -> list[str]:
    return [name for name, _ in prompt.files[1:]]


def _pack(pack: Pack) -> dict[str, Any]:
    return {**plain({f.name: getattr(pack, f.name) for f in fields(pack)}), "path": str(pack.path)}
