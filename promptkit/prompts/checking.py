"""What is wrong with a template file: what makes it unusable, or sends what nobody meant to send."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from promptkit.errors import BadPrompt, UnknownName
from promptkit.prompts.family import read_pack
from promptkit.prompts.inputs import MARKER
from promptkit.prompts.shelf import in_force, load
from promptkit.prompts.template import MAIN, Prompt


def unusable() -> list[Path]:
    """The files in force that cannot be read; check() says what is wrong with them."""
    wrong = []
    for origin, path in in_force():
        try:
            (read_pack if path.name == "pack.md" else load)(path, origin)
        except BadPrompt:
            wrong.append(path)
    return wrong


def check(path: Path) -> list[BadPrompt]:
    """What is wrong with a template file; an empty list when it can be used."""
    try:
        if path.name == "pack.md":
            read_pack(path, "file")
            return []
        prompt = load(path, "file")
    except BadPrompt as error:
        return [error]
    except OSError as error:
        return [BadPrompt(f"{path}:1: {error}")]
    return [*_names(prompt), *_blocks(prompt), *_refused(prompt)]


def bodies(prompt: Prompt) -> Iterator[tuple[Path, int, str]]:
    """Every text a template is made of: its file, the line it begins on, and itself."""
    for at, (_, body) in enumerate(prompt.turns):
        yield (*prompt.places[f"{MAIN}#{at}"], body)
    for name, body in prompt.parts:
        yield (*prompt.places[name], body)


def spot(path: Path, begins: int, body: str, pattern: str, line: int = 1) -> str:
    """file:line:col of the first match in a body from that line of it on; of its beginning, without one."""
    start = sum(map(len, body.splitlines(keepends=True)[: line - 1]))
    found = re.compile(pattern).search(body, start)
    if found is None:
        return f"{path}:{begins + line - 1}"
    before = body[: found.start()]
    return f"{path}:{begins + before.count(chr(10))}:{found.start() - before.rfind(chr(10))}"


def _names(prompt: Prompt) -> list[BadPrompt]:
    """Inputs used but not declared, or declared but not used."""
    from jinja2 import meta

    from promptkit.prompts.sandboxed import parse

    used: dict[str, str] = {}
    for path, begins, body in bodies(prompt):
        for name in sorted(meta.find_undeclared_variables(parse(body)) - {"super"}):
            used.setdefault(name, spot(path, begins, body, rf"(?<=[{{%\W]){re.escape(name)}\b(?=[^{{}}]*[%}}]}})"))
    wrong = [
        f"{where}: uses {name!r}, which `inputs` does not declare"
        for name, where in sorted(used.items())
        if name not in (*prompt.inputs, MARKER)
    ]
    unused = [name for name in prompt.inputs if name not in used]
    wrong += [f"{prompt.at('inputs', name)}: declares the input {name!r} and never uses it" for name in unused]
    return [BadPrompt(text) for text in wrong]


def _blocks(prompt: Prompt) -> list[BadPrompt]:
    """Blocks of a template that nothing it extends has: they are never sent."""
    if not any(each.extends for each in prompt.references):
        return []
    from jinja2 import nodes

    from promptkit.prompts.sandboxed import parse

    def blocks(body: str) -> dict[str, Any]:
        return {block.name: block for block in parse(body).find_all(nodes.Block)}

    known = {name for part, body in prompt.parts if "#" in part for name in blocks(body)}
    path, begins = prompt.places[f"{MAIN}#0"]
    wrong = []
    for name, block in blocks(prompt.turns[0][1]).items() if prompt.turns else ():
        if name not in known:
            error = UnknownName("block", name, known)
            where = spot(path, begins, prompt.turns[0][1], rf"\b{re.escape(name)}\b", block.lineno)
            wrong.append(BadPrompt(f"{where}: {error.message} in what it extends", hint=error.hint))
    return wrong


def _refused(prompt: Prompt) -> Iterator[BadPrompt]:
    """Attributes and methods that the sandbox gives to no template: rendering would end there."""
    from promptkit.prompts.sandboxed import parse, refused

    for path, begins, body in bodies(prompt):
        for name, line in refused(parse(body)):
            where = spot(path, begins, body, rf"\b{re.escape(name)}\b", line)
            yield BadPrompt(f"{where}: {name!r} is no attribute or method that a prompt may use")
