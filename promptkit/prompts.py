"""Prompt templates as files: front matter, then a Jinja2 body rendered in an immutable sandbox.

A pack is a folder of templates with a `pack.md`. A template that a pack does not have comes from `general`.
A body may be split into turns by lines `[[system]]`, `[[user]]`, `[[assistant]]`; the split is made before
rendering, so text put into a template can never open a turn.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from promptkit import places
from promptkit.errors import BadPrompt, UnknownName
from promptkit.holes import fill_holes, holes
from promptkit.types import Message, Request, Role, message

DEFAULT_PACK = "general"
_FRONT = re.compile(r"\A---\r?\n(.*?)^---[ \t]*\r?\n?", re.DOTALL | re.MULTILINE)
_TURN = re.compile(r"^\[\[(system|user|assistant)\]\][ \t]*\r?\n", re.MULTILINE)
_DECODING = {f.name for f in fields(Request)} - {"messages", "stop", "seed", "draw", "schema", "tools", "extra"}


@dataclass(frozen=True, slots=True)
class Prompt:
    """A template: what it needs, how it decodes, how its replies are read."""

    pack: str
    name: str
    path: Path
    origin: str  # project, user or promptkit
    digest: str  # sha256 of the file
    version: int
    inputs: tuple[str, ...]
    turns: tuple[tuple[Role, str], ...]
    reader: str | None = None
    stop: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)  # decoding parameters
    scores: Mapping[str, float] = field(default_factory=dict)  # verdict word -> score
    about: str = ""

    @property
    def id(self) -> str:
        """`pack/name`."""
        return f"{self.pack}/{self.name}"

    def render(self, **inputs: Any) -> tuple[Message, ...]:
        """The messages; BadPrompt when an input is missing or the template misbehaves."""
        unknown = set(inputs) - set(self.inputs)
        missing = set(self.inputs) - set(inputs)
        if missing or unknown:
            wrong = ", ".join(sorted(missing)) or ", ".join(sorted(unknown))
            raise BadPrompt(f"{self.path}:1: {'needs' if missing else 'does not take'} {wrong}", hint=_check_hint(self))
        return tuple(message(role, self._fill(body, inputs)) for role, body in self.turns)

    def request(self, inputs: Mapping[str, Any], /, **decoding: Any) -> Request:
        """A request rendered from those of `inputs` it declares; `decoding` overrides its defaults where not None."""
        wanted = {name: inputs[name] for name in self.inputs if name in inputs}
        chosen = {name: value for name, value in decoding.items() if value is not None}
        return Request(messages=self.render(**wanted), stop=self.stop, **{**self.defaults, **chosen})

    def _fill(self, body: str, inputs: Mapping[str, Any]) -> str:
        if (filled := fill_holes(body, inputs)) is not None:
            return filled.strip("\n")
        import jinja2

        from promptkit.sandboxed import fill

        try:
            text = fill(body, inputs)
        except jinja2.TemplateError as error:
            line = getattr(error, "lineno", None) or 1
            raise BadPrompt(f"{self.path}:{line}: {error}", hint=_check_hint(self)) from error
        except (TypeError, ValueError, ArithmeticError, LookupError, OverflowError, RecursionError) as error:
            raise BadPrompt(f"{self.path}:1: {type(error).__name__}: {error}", hint=_check_hint(self)) from error
        return text.strip("\n")


@dataclass(frozen=True, slots=True)
class Pack:
    """A family of templates for one kind of question."""

    name: str
    path: Path
    origin: str
    title: str
    about: str
    reader: str = "final"
    world: str | None = None  # name of the rules its thoughts are checked by
    defaults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # strategy -> parameters
    example: str = ""  # a question to show in hints

    def parameters(self, strategy: str, kind: type) -> Mapping[str, Any]:
        """The pack's own parameters of a strategy; BadPrompt when the strategy cannot take them."""
        given = self.defaults.get(strategy) or {}
        _fitting(self.path, f"defaults of {strategy}", given, kind)
        return given

    def template(self, name: str) -> Prompt:
        """The pack's template of that name, or general's."""
        return find(self.name, name)


def pack(name: str) -> Pack:
    """The pack of that name; UnknownName with the nearest name when there is none."""
    for origin, folder in places.search_path("prompts"):
        path = folder / name / "pack.md"
        if _safe(name) and path.is_file():
            return _read_pack(path, origin, path.stat().st_mtime_ns)
    raise UnknownName("pack", name, packs(), listing="promptkit prompts list")


def find(pack_name: str, name: str) -> Prompt:
    """A template by pack and name, looked for in project, user folder and package, then in `general`."""
    for where in dict.fromkeys((pack_name, DEFAULT_PACK)):
        for origin, folder in places.search_path("prompts"):
            path = folder / where / f"{name}.md"
            if _safe(where) and _safe(name) and name != "pack" and path.is_file():
                return _read_prompt(path, origin, path.stat().st_mtime_ns)
    known = {f"{p.pack}/{p.name}" for p in everything()}
    raise UnknownName("prompt", f"{pack_name}/{name}", known, listing="promptkit prompts list")


def packs() -> list[str]:
    """The names of all packs."""
    return sorted({path.parent.name for _, path in _files() if path.name == "pack.md"})


def everything() -> list[Prompt]:
    """Every template in force that can be read; a project's hides a user's hides the packaged one."""
    found = []
    for origin, path in _in_force():
        if path.name != "pack.md":
            with suppress(BadPrompt):  # check() says what is wrong with it; the others can still be used
                found.append(_read_prompt(path, origin, path.stat().st_mtime_ns))
    return found


def usable_pack(name: str) -> Pack | None:
    """The pack of that name; None when its pack.md cannot be read."""
    with suppress(BadPrompt):
        return pack(name)
    return None


def unusable() -> list[Path]:
    """The files in force that cannot be read; check() says what is wrong with them."""
    wrong = []
    for origin, path in _in_force():
        try:
            (_read_pack if path.name == "pack.md" else _read_prompt)(path, origin, path.stat().st_mtime_ns)
        except BadPrompt:
            wrong.append(path)
    return wrong


def check(path: Path) -> list[BadPrompt]:
    """What is wrong with a template file; an empty list when it can be used."""
    try:
        if path.name == "pack.md":
            _read_pack(path, "file", path.stat().st_mtime_ns)
            return []
        prompt = _read_prompt(path, "file", path.stat().st_mtime_ns)
    except BadPrompt as error:
        return [error]
    except (OSError, UnicodeDecodeError) as error:
        return [BadPrompt(f"{path}:1: {error}")]
    return _undeclared(prompt)


def _undeclared(prompt: Prompt) -> list[BadPrompt]:
    """Inputs used but not declared, or declared but not used."""
    from jinja2 import meta

    from promptkit.sandboxed import parse

    used: set[str] = set()
    for _, body in prompt.turns:
        used |= meta.find_undeclared_variables(parse(body))
    wrong = [f"uses {name!r}, which `inputs` does not declare" for name in sorted(used - set(prompt.inputs))]
    wrong += [f"declares the input {name!r} and never uses it" for name in sorted(set(prompt.inputs) - used)]
    return [BadPrompt(f"{prompt.path}:1: {text}") for text in wrong]


def _files() -> list[tuple[str, Path]]:
    return [
        (origin, path)
        for origin, folder in places.search_path("prompts")
        if folder.is_dir()
        for path in sorted(folder.glob("*/*.md"))
    ]


def _in_force() -> list[tuple[str, Path]]:
    """The files no other hides, by pack and name."""
    seen: dict[tuple[str, str], tuple[str, Path]] = {}
    for origin, path in _files():
        seen.setdefault((path.parent.name, path.stem), (origin, path))
    return [seen[name] for name in sorted(seen)]


def _safe(name: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z0-9][\w.-]*", name))


def _check_hint(prompt: Prompt) -> str:
    return f"promptkit prompts check {prompt.path}"


@lru_cache(maxsize=512)  # by modification time: an edited file is read again
def _read_prompt(path: Path, origin: str, mtime: int) -> Prompt:
    raw = path.read_bytes()
    meta, body, line = _split(path, raw)
    known = {"version", "inputs", "reader", "stop", "defaults", "scores", "about"}
    _only(path, meta, known)
    prompt = Prompt(
        pack=path.parent.name,
        name=path.stem,
        path=path,
        origin=origin,
        digest=hashlib.sha256(raw).hexdigest(),
        version=_typed(path, meta, "version", int, 1),
        inputs=tuple(_typed(path, meta, "inputs", list, [])),
        turns=_turns(path, body, line),
        reader=_typed(path, meta, "reader", str, "") or None,
        stop=tuple(_typed(path, meta, "stop", list, [])),
        defaults=_typed(path, meta, "defaults", dict, {}),
        scores=_typed(path, meta, "scores", dict, {}),
        about=str(meta.get("about", "")),
    )
    if wrong := set(prompt.defaults) - _DECODING:
        known_names = ", ".join(sorted(_DECODING))
        raise BadPrompt(
            f"{path}:1: not a decoding parameter: {', '.join(sorted(wrong))}", hint=f"one of: {known_names}"
        )
    _fitting(path, "defaults", prompt.defaults, Request)
    for word, score in prompt.scores.items():  # YAML reads an unquoted `yes` as true
        if not isinstance(word, str) or isinstance(score, bool) or not isinstance(score, (int, float)):
            raise BadPrompt(f"{path}:2: `scores` must give each word a number, not {word!r}: {score!r}")
    for turn in (turn for _, turn in prompt.turns if holes(turn) is None):
        import jinja2

        from promptkit.sandboxed import parse

        try:
            parse(turn)
        except jinja2.TemplateSyntaxError as error:
            raise BadPrompt(f"{path}:{line + error.lineno - 1}: {error.message}") from error
    return prompt


@lru_cache(maxsize=64)
def _read_pack(path: Path, origin: str, mtime: int) -> Pack:
    meta, body, _ = _split(path, path.read_bytes())
    _only(path, meta, {"title", "reader", "world", "defaults", "example"})
    return Pack(
        name=path.parent.name,
        path=path,
        origin=origin,
        title=str(meta.get("title", path.parent.name)),
        about=body.strip(),
        reader=_typed(path, meta, "reader", str, "final"),
        world=_typed(path, meta, "world", str, "") or None,
        defaults=_typed(path, meta, "defaults", dict, {}),
        example=str(meta.get("example", "")),
    )


def _split(path: Path, raw: bytes) -> tuple[dict[str, Any], str, int]:
    """Front matter, body, and the line the body begins on."""
    import yaml

    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadPrompt(f"{path}:1: not UTF-8: {error.reason}") from error
    front = _FRONT.match(text)
    if front is None:
        begin = "title: …" if path.name == "pack.md" else "version: 1"
        raise BadPrompt(f"{path}:1: no front matter", hint=f"begin the file with lines ---, {begin}, ---")
    try:
        meta = _yaml(front[1]) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 1
        raise BadPrompt(f"{path}:{line}: {getattr(error, 'problem', None) or error}") from error
    if not isinstance(meta, dict):
        raise BadPrompt(f"{path}:2: front matter is not a mapping")
    return meta, text[front.end() :], text[: front.end()].count("\n") + 1


def _yaml(text: str) -> Any:
    import yaml

    with suppress(AttributeError, yaml.YAMLError):  # without libyaml, or wrong: then the slow parser has the last word
        return yaml.load(text, Loader=yaml.CSafeLoader)
    return yaml.safe_load(text)


def _turns(path: Path, body: str, line: int) -> tuple[tuple[Role, str], ...]:
    pieces = _TURN.split(body)
    if len(pieces) == 1:
        return (("user", body),)
    if pieces[0].strip():
        raise BadPrompt(f"{path}:{line}: text before the first [[role]] line")
    return tuple((cast("Role", role), text) for role, text in zip(pieces[1::2], pieces[2::2], strict=True))


def _only(path: Path, meta: Mapping[str, Any], known: set[str]) -> None:
    for name in meta:
        if name not in known:
            error = UnknownName("field", str(name), known)
            raise BadPrompt(f"{path}:2: {error.message} in front matter", hint=error.hint)


def _fitting(path: Path, what: str, given: Any, kind: type) -> None:
    """BadPrompt when one of the values is not what the field of that name in `kind` takes."""
    if not isinstance(given, dict):
        raise BadPrompt(f"{path}:1: {what} must be a mapping")
    hints = get_type_hints(kind)
    for name, value in given.items():
        if name not in hints:
            unknown = UnknownName("parameter", str(name), hints)
            raise BadPrompt(f"{path}:1: {what}: {unknown.message}", hint=unknown.hint)
        if _fits(value, hints[name]):
            continue  # plainly right: pydantic is for the rest, and for saying what is wrong

        from pydantic import TypeAdapter, ValidationError

        try:
            TypeAdapter(hints[name]).validate_python(value, strict=True)
        except ValidationError as error:
            wanted = error.errors()[0]["msg"].removeprefix("Input ")
            raise BadPrompt(f"{path}:1: {what}: {name} {wanted}, not {value!r}") from error


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is a text, number or choice of the very kind that is wanted."""
    if get_origin(hint) in (Union, UnionType):
        return any(_fits(value, kind) for kind in get_args(hint))
    if get_origin(hint) is Literal:
        return type(value) is str and value in get_args(hint)
    return hint in (str, int, float, bool) and (type(value) is hint or (hint is float and type(value) is int))


def _typed(path: Path, meta: Mapping[str, Any], name: str, kind: type, default: Any) -> Any:
    value = meta.get(name, default)
    if not isinstance(value, kind) or (isinstance(value, list) and not all(isinstance(item, str) for item in value)):
        raise BadPrompt(f"{path}:2: `{name}` must be a {'list of strings' if kind is list else kind.__name__}")
    return value
