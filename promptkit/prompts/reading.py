"""A template file read: its front matter, and its body split into turns before anything is rendered."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from promptkit.errors import BadInput, BadPrompt
from promptkit.prompts.fitting import fitting
from promptkit.prompts.front import Front, brief, split
from promptkit.prompts.holes import holes
from promptkit.prompts.inputs import declared
from promptkit.prompts.template import MAIN, Prompt, Reference
from promptkit.textfile import bytes_of, decoded, text_of
from promptkit.types import Request, Role

FIELDS = "id version inputs reader schema stop defaults scores tags tested-on about provenance".split()
_TURN = re.compile(r"^\[\[(system|user|assistant)\]\][ \t]*\r?\n", re.MULTILINE)
_EXTENDS = re.compile(r"\A\s*\{%-?\s*extends\s+([\"'])([^\"']*)\1\s*-?%\}")
_NOT_DECODING = {"messages", "stop", "seed", "draw", "schema", "tools", "extra", "weak", "raw"}
_DECODING = {f.name for f in fields(Request)} - _NOT_DECODING

Turns = tuple[tuple[Role, str], ...]
Beside = tuple[tuple[str, str], ...]  # name and text of the files that a template names in its front matter


def read_prompt(path: Path, origin: str) -> Prompt:
    """The template in a file, what it refers to still open; BadPrompt, with its line, says what is wrong with it."""
    found = _read_prompt(path, origin, path.stat().st_mtime_ns)
    beside = ((path.with_name(Path(name).name), text) for name, text in found.files[1:])
    edited = any(text_of(file, error=BadPrompt, hint=f"named in {path}") != text for file, text in beside)
    return parsed(path, bytes_of(path, error=BadPrompt), origin) if edited else found


@lru_cache(maxsize=512)  # by modification time: an edited file is read again
def _read_prompt(path: Path, origin: str, mtime: int) -> Prompt:
    return parsed(path, bytes_of(path, error=BadPrompt), origin)


def parsed(path: Path, raw: bytes, origin: str) -> Prompt:
    """The template in the bytes of a file, as read_prompt() has it; the file itself is not looked at."""
    text = decoded(path, raw, error=BadPrompt)
    front = split(path, text)
    front.only(set(FIELDS))
    front.typed("provenance", dict, {})  # what `promptkit optimize` says of where a version is from
    inputs = declared(front)
    turns, lines = _turns(path, front.body, front.line)
    schema, beside = _schema(front)
    prompt = Prompt(
        pack=path.parent.name,
        name=path.stem,
        path=path,
        origin=origin,
        digest=_digest(raw, beside),
        version=front.typed("version", int, 1),
        inputs=tuple(each.name for each in inputs),
        turns=turns,
        reader=front.typed("reader", str, "") or None,
        stop=tuple(front.typed("stop", list, [])),
        defaults=front.typed("defaults", dict, {}),
        scores=front.typed("scores", dict, {}),
        about=str(front.fields.get("about", "")),
        schema=schema,
        tags=tuple(front.typed("tags", list, [])),
        tested_on=tuple(front.typed("tested-on", list, [])),
        declared=inputs,
        references=_references(path, turns, lines),
        places={f"{MAIN}#{at}": (path, line) for at, line in enumerate(lines)},
        files=((f"{path.parent.name}/{path.stem}", text), *beside),
    )
    _check(front, prompt)
    return prompt


def _check(front: Front, prompt: Prompt) -> None:
    """BadPrompt for fields that say what cannot be."""
    stated = front.typed("id", str, prompt.id)
    if stated != prompt.id:
        raise BadPrompt(f"{front.at('id')}: the id is {stated!r}, and the file is {prompt.id}", hint="leave id out")
    if wrong := sorted(set(map(str, prompt.defaults)) - _DECODING):
        known = ", ".join(sorted(_DECODING))
        raise BadPrompt(
            f"{front.at('defaults', wrong[0])}: not a decoding parameter: {', '.join(wrong)}", hint=f"one of: {known}"
        )
    fitting(front, ("defaults",), "defaults", prompt.defaults, Request)
    for word, score in prompt.scores.items():  # YAML reads an unquoted `yes` as true
        if not isinstance(word, str) or isinstance(score, bool) or not isinstance(score, (int, float)):
            where = front.at("scores", str(word))
            raise BadPrompt(f"{where}: `scores` must give each word a number, not {word!r}: {brief(score)}")
    if prompt.reader and prompt.schema:
        said = "a reply is read by a reader or by a schema"
        raise BadPrompt(f"{front.at('reader')}: {said}", hint="leave one of them out")


def _digest(raw: bytes, beside: Beside) -> str:
    """The sha256 of a file; of the files beside it that it names, too."""
    own = hashlib.sha256(raw)
    for name, text in beside:
        own.update(f"\0{name}\0{text}".encode())
    return own.hexdigest()


def _schema(front: Front) -> tuple[str | None, Beside]:
    """The JSON Schema a reply must satisfy, written out or in a file beside the template; and that file."""
    given = front.fields.get("schema")
    if given is None:
        return None, ()
    from promptkit.outputs import form

    beside: Beside = ()
    if isinstance(given, str):
        path = front.path.parent / given
        if Path(given).name != given or not given.endswith(".json"):
            raise BadPrompt(f"{front.at('schema')}: `schema` must be a .json file beside the template, not {given!r}")
        text = text_of(path, error=BadPrompt, hint=f"named in {front.path}")
        beside = ((f"{path.parent.name}/{path.name}", text),)
        try:
            given = json.loads(text)
        except json.JSONDecodeError as error:
            raise BadPrompt(f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from error
    if not isinstance(given, Mapping):
        raise BadPrompt(f"{front.at('schema')}: `schema` must be a JSON Schema or the name of a file that holds one")
    try:
        return str(form(given)), beside
    except BadInput as error:
        raise BadPrompt(f"{front.at('schema')}: {error.message}", hint=error.hint) from error


def _turns(path: Path, body: str, line: int) -> tuple[Turns, tuple[int, ...]]:
    """The turns of a body, and the line each begins on."""
    pieces = _TURN.split(body)
    if len(pieces) == 1:
        return (("user", body),), (line,)
    if pieces[0].strip():
        raise BadPrompt(f"{path}:{line}: text before the first [[role]] line")
    lines = [line + body[: mark.end()].count("\n") for mark in _TURN.finditer(body)]
    turns = zip(pieces[1::2], pieces[2::2], strict=True)
    return tuple((cast("Role", role), text) for role, text in turns), tuple(lines)


def _references(path: Path, turns: Turns, lines: tuple[int, ...]) -> tuple[Reference, ...]:
    """What the turns include and extend; BadPrompt where one is no template."""
    found: list[Reference] = []
    for (_, body), begins in zip(turns, lines, strict=True):
        if holes(body) is not None:
            continue
        tree = _parsed(path, body, begins)
        from jinja2 import nodes

        head = _EXTENDS.match(body)
        for base in tree.find_all(nodes.Extends):
            if head is None or len(turns) > 1:
                hint = "the file begins with it, and has the turns of what it extends"
                raise BadPrompt(f"{path}:{begins + base.lineno - 1}: extends comes first", hint=hint)
        asked: list[Any] = [*tree.find_all(nodes.Extends), *tree.find_all(nodes.Include)]
        for each in asked:
            name, at = str(each.template.value), begins + each.lineno - 1
            if not re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", name):
                raise BadPrompt(f"{path}:{at}: {name!r} is no template", hint='PACK/NAME, e.g. "general/cot"')
            found.append(Reference(name, at, isinstance(each, nodes.Extends)))
    return tuple({each.name: each for each in reversed(found)}.values())[::-1]  # each once, where it stands first


def _parsed(path: Path, body: str, begins: int) -> Any:
    import jinja2

    from promptkit.prompts.sandboxed import parse

    try:
        return parse(body)
    except jinja2.TemplateSyntaxError as error:
        raise BadPrompt(f"{path}:{begins + error.lineno - 1}: {error.message}") from error


def based_on(body: str, part: str) -> str:
    """The body with that part as what it extends."""
    return _EXTENDS.sub(lambda head: head[0].replace(head[2], part), body, count=1)
