"""`promptkit new prompt`: a template in the project's prompts/ folder, and its test."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from promptkit.cli.speak import say
from promptkit.cli.steps import checkout, quoted, tell, tested, tested_in_house
from promptkit.cli.written import filled, named, write
from promptkit.errors import BadInput, UsageError

QUESTION = "How many legs do six spiders have?"


def prompt(
    name: Annotated[str, typer.Argument(metavar="PACK/NAME", help="The pack and the template's name in it.")],
    into: Annotated[
        Path | None, typer.Option("--into", metavar="DIR", help="The project; none: this one.", show_default=False)
    ] = None,
    project: Annotated[bool, typer.Option("--project", help="Make the folder a project if it is none.")] = False,
) -> None:
    """Write a prompt template into the project's prompts/ folder: general's of that name, or one to fill in."""
    from promptkit import places, prompts

    pack, slash, rest = name.partition("/")
    if not slash:
        raise BadInput(f"{name!r} names no pack", hint=f"PACK/NAME, e.g. promptkit new prompt mine/{name}")
    for part in (named("pack", pack), named("prompt", rest)):
        if part == "pack":
            raise BadInput("pack.md describes a pack; it is no template", hint="another name, e.g. mine/solve")
    here = into.expanduser().absolute() if into else Path.cwd()
    ours = checkout(here, exact=into is not None)
    root = ours or (here if into else places.project())
    files: dict[Path, str] = {}
    if root is None or not (ours or (root / places.PROJECT_FILE).is_file()):
        if not project:
            why = f"{root or here} is no project: a prompts/ folder counts only beside a {places.PROJECT_FILE}"
            raise BadInput(why, hint="add --project to make it one")
        root = root or here
        files[root / places.PROJECT_FILE] = ""
    shelves = [root / "prompts", *(folder for _, folder in places.search_path("prompts"))]
    mine, theirs = shelves[0], [shelf for shelf in shelves[1:] if shelf != shelves[0]]
    if hidden := next((shelf for shelf in theirs if (shelf / pack / f"{rest}.md").is_file()), None):
        # One that strategies rely on would be hidden by an empty frame.
        copy = [f"mkdir -p {quoted(mine / pack)}", *(f"touch {quoted(file)}" for file in files)]
        copy += [f"cp {quoted(hidden / pack / f'{rest}.md')} {quoted(mine / pack)}"]
        hint = f"a copy to change:\n{' && '.join(copy)}"
        raise BadInput(f"there is a prompt {name!r} already, in {hidden}", hint=hint)
    text, given, sent = _begun(pack, rest)
    values = {"PACK": pack, "NAME": rest, "INPUTS": _literal(given), "SENT": _literal(sent)}
    if not any((shelf / pack / "pack.md").is_file() for shelf in shelves):
        files[mine / pack / "pack.md"] = filled("pack", values)
    path, slug = mine / pack / f"{rest}.md", f"{pack}_{rest}".replace("-", "_")
    test = root / "tests" / "prompts" / f"test_{slug}.py"
    files |= {path: text, test: filled("prompt_test", values, ours="promptkit" if ours else "")}
    write(files)
    tell(files)
    if problems := prompts.check(path):
        raise problems[0]
    seen = " ".join([f"promptkit prompts render {name}", *(f"-v {each}=…" for each in given)])
    tests = tested_in_house(root, test) if ours else ["pip install pytest", tested(test)]
    say("it can be used; to look at it:", [seen, *tests])


def _begun(pack: str, name: str) -> tuple[str, dict[str, str | list[str]], list[str]]:
    """A template to begin with, inputs to try it with, and what of them is sent."""
    from promptkit import prompts
    from promptkit.cli.inputs import looped

    with suppress(UsageError):  # general has none of that name, or one that cannot be read
        found = prompts.find(prompts.DEFAULT_PACK, name)
        lists = looped(found)
        given: dict[str, str | list[str]] = {each: f"the {each}" for each in found.inputs}
        given |= {each: [f"one {each}", f"another {each}"] for each in found.inputs if each in lists}
        given |= {"question": QUESTION} if "question" in given else {}
        asked = "\n".join(turn.text for turn in found.render(**given))
        tried = [text for value in given.values() for text in ([value] if isinstance(value, str) else value)]
        text = found.path.read_bytes().decode("utf-8-sig")
        return text, given, [each for each in (*tried, "Answer:") if each in asked]
    return filled("prompt", {"PACK": pack, "NAME": name}), {"question": QUESTION}, [QUESTION, "Answer:"]


def _literal(value: dict[str, str | list[str]] | list[str]) -> str:
    """A list or mapping as a formatter writes it, an item a line."""
    items = [json.dumps(each, ensure_ascii=False) for each in value]
    if isinstance(value, dict):
        items = [f"{json.dumps(name)}: {json.dumps(each, ensure_ascii=False)}" for name, each in value.items()]
    opened, closed = "{}" if isinstance(value, dict) else "[]"
    return "\n".join([opened, *(f"    {item}," for item in items), closed]) if items else opened + closed
