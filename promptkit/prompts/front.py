"""The front matter of a template or pack: YAML between two lines `---`, each field of the type it must have."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptkit.errors import BadPrompt, UnknownName
from promptkit.prompts.bounds import measured

_FRONT = re.compile(r"\A---\r?\n(.*?)^---[ \t]*\r?\n?", re.DOTALL | re.MULTILINE)
_OPENS = re.compile(r"[\[{?:-]")  # what may begin a list or mapping in YAML, each inside the one before it
_DEEPEST = 500  # of these for the fast parser, which goes down as far as it is led, past the end of its stack


@dataclass(frozen=True, slots=True)
class Front:
    """The fields before a body, and where each of them stands."""

    path: Path
    yaml: str
    fields: dict[str, Any]
    body: str
    line: int  # that the body begins on

    def at(self, *names: str) -> str:
        """file:line:col of a field or of what is in it, as near as it can be found."""
        import yaml

        mark = None
        with suppress(yaml.YAMLError, RecursionError):
            node = yaml.compose(self.yaml, Loader=yaml.SafeLoader)
            for name in names:
                found = _inside(node, name)
                if found is None:
                    break
                node, mark = found
        return f"{self.path}:{mark.line + 2}:{mark.column + 1}" if mark else f"{self.path}:2:1"

    def only(self, known: set[str]) -> None:
        """BadPrompt for a field that is not among those known."""
        for name in self.fields:
            if name not in known:
                error = UnknownName("field", str(name), known)
                raise BadPrompt(f"{self.at(str(name))}: {error.message} in front matter", hint=error.hint)

    def typed(self, name: str, kind: type, default: Any) -> Any:
        """The field of that name, of that type; lists are of texts."""
        value = self.fields.get(name, default)
        wrong = not isinstance(value, kind) or (isinstance(value, bool) and kind is int)
        if wrong or (isinstance(value, list) and not all(isinstance(item, str) for item in value)):
            wanted = "list of strings" if kind is list else kind.__name__
            raise BadPrompt(f"{self.at(name)}: `{name}` must be a {wanted}")
        return value


def split(path: Path, text: str) -> Front:
    """The front matter of a file's text; BadPrompt, with its line, when there is none that can be read."""
    import yaml

    front = _FRONT.match(text)
    if front is None:
        begin = "title: …" if path.name == "pack.md" else "version: 1"
        raise BadPrompt(f"{path}:1: no front matter", hint=f"begin the file with lines ---, {begin}, ---")
    try:
        fields = loaded(front[1]) or {}
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 1
        raise BadPrompt(f"{path}:{line}: {getattr(error, 'problem', None) or error}") from error
    if not isinstance(fields, dict):
        raise BadPrompt(f"{path}:2: front matter is not a mapping")
    return Front(path, front[1], fields, text[front.end() :], text[: front.end()].count("\n") + 1)


def loaded(text: str) -> Any:
    """What YAML says; YAMLError or RecursionError where it is none, or is more than memory by naming itself again."""
    import yaml

    try:
        return _measured(_parsed(text))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise yaml.YAMLError(f"not what it is written as: {error}") from error  # a date that is none: 2026-13-45


def _parsed(text: str) -> Any:
    import yaml

    fast = getattr(yaml, "CSafeLoader", None)  # not without libyaml
    if fast is not None and len(_OPENS.findall(text)) <= _DEEPEST:
        with suppress(yaml.YAMLError):  # where it is wrong, the slow parser has the last word
            return yaml.load(text, Loader=fast)
    return yaml.safe_load(text)


def _measured(value: Any) -> Any:
    """The value, each name in it counted as what it stands for; ValueError when that is too large."""
    measured(value)
    return value


def brief(value: Any) -> str:
    """A value as a message shows it: its beginning."""
    shown = repr(value)
    return f"{shown[:60]}…" if len(shown) > 60 else shown


def _inside(node: Any, name: str) -> tuple[Any, Any] | None:
    """What is under a key, or the item that says the name; and where that stands."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        return next(((value, key.start_mark) for key, value in node.value if key.value == name), None)
    if isinstance(node, yaml.SequenceNode):
        return next(((item, item.start_mark) for item in node.value if item.value == name), None)
    return None
