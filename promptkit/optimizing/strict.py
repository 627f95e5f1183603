"""YAML that says exactly what it means: no key twice, none unknown, each value of its type; errors say where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptkit.errors import BadInput, UnknownName
from promptkit.prompts.bounds import measured
from promptkit.textfile import text_of

if TYPE_CHECKING:
    from yaml import nodes

_LONGEST = 60  # characters shown of a value
_NULL = "tag:yaml.org,2002:null"


@dataclass(frozen=True, slots=True)
class Said:
    """A part of a YAML file: what it says, and where."""

    path: Path
    node: nodes.Node
    name: str  # as in optimize.budget.calls; "" for all of it

    @property
    def at(self) -> str:
        """file:line:col."""
        mark = self.node.start_mark
        return f"{self.path}:{mark.line + 1}:{mark.column + 1}"

    def wrong(self, what: str, hint: str = "") -> BadInput:
        """The error that begins with the place."""
        return BadInput(f"{self.at}: {what}", hint=hint)

    def fields(self, known: Sequence[str], needed: Sequence[str] = ()) -> dict[str, Said]:
        """The values of a mapping by name, without those left empty; BadInput for a key that is none, or is twice."""
        from yaml.nodes import MappingNode, ScalarNode

        if not isinstance(self.node, MappingNode):
            raise self.wrong(f"{self.name or 'this'} is not a mapping", hint=f"its keys: {', '.join(known)}")
        found: dict[str, Said] = {}
        for key, value in self.node.value:
            here = Said(self.path, key, self.name)
            if not isinstance(key, ScalarNode) or key.value not in known:
                error = UnknownName("key", str(key.value), known)
                raise here.wrong(error.message + (f" in {self.name}" if self.name else ""), hint=error.hint)
            if key.value in found:
                raise here.wrong(f"{key.value} is given twice")
            found[key.value] = Said(self.path, value, f"{self.name}.{key.value}".lstrip("."))
        given = {name: each for name, each in found.items() if each.node.tag != _NULL}
        if missing := next((name for name in needed if name not in given), None):
            raise self.wrong(f"{self.name or 'the recipe'} needs {missing}", hint=f"{missing}: …")
        return given

    def items(self) -> list[Said]:
        """The items of a list."""
        from yaml.nodes import SequenceNode

        if not isinstance(self.node, SequenceNode):
            raise self.wrong(f"{self.name} is not a list")
        return [Said(self.path, item, f"{self.name}[{at}]") for at, item in enumerate(self.node.value)]

    def value(self, kind: Any) -> Any:
        """The value as Python has it; BadInput when it is not of that type."""
        from pydantic import ValidationError

        try:
            return _adapter(kind).validate_python(self.plain(), strict=True)
        except ValidationError as error:
            wanted = error.errors()[0]["msg"].removeprefix("Input ")
            shown = repr(self.plain())
            shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
            raise self.wrong(f"{self.name} {wanted}, not {shown}") from error

    def plain(self) -> Any:
        """Whatever stands there; BadInput where it is not what it is written as, or names itself into a flood."""
        import yaml

        loader = yaml.SafeLoader("")
        try:
            value = loader.construct_document(self.node)
            measured(value)
            return value
        except (yaml.YAMLError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise self.wrong(f"{self.name}: {getattr(error, 'problem', None) or error}") from error
        finally:
            loader.dispose()


def read(path: Path, *, hint: str = "") -> Said:
    """What a YAML file says; BadInput with its line where it is no YAML, and where it is empty."""
    import yaml

    text = text_of(path, hint=hint)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or " ".join(str(error).split())
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else f"{path}:1:1"
        raise BadInput(f"{place}: {what}", hint=hint) from error
    if root is None:
        raise BadInput(f"{path}:1:1: the file is empty", hint=hint)
    return Said(path, root, "")


def one_of(said: Mapping[str, Said], name: str, known: Sequence[str], default: str) -> str:
    """A word among those known; UnknownName's hint where it is none of them."""
    if name not in said:
        return default
    word = said[name].value(str)
    if word not in known:
        error = UnknownName(name, word, known)
        raise said[name].wrong(error.message, hint=error.hint)
    return str(word)


@lru_cache(maxsize=32)
def _adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
