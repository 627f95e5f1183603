"""Whether values in front matter are what a request or a strategy takes."""

from __future__ import annotations

from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from promptkit.errors import BadPrompt, UnknownName
from promptkit.prompts.front import Front, brief


def fitting(front: Front, where: tuple[str, ...], what: str, given: Any, kind: type) -> None:
    """BadPrompt when one of the values under `where` is not what the field of that name in `kind` takes."""
    if not isinstance(given, dict):
        raise BadPrompt(f"{front.at(*where)}: {what} must be a mapping")
    hints = get_type_hints(kind)
    for name, value in given.items():
        if name not in hints:
            unknown = UnknownName("parameter", str(name), hints)
            raise BadPrompt(f"{front.at(*where, str(name))}: {what}: {unknown.message}", hint=unknown.hint)
        if _fits(value, hints[name]):
            continue  # plainly right: pydantic is for the rest, and for saying what is wrong

        from pydantic import TypeAdapter, ValidationError

        try:
            TypeAdapter(hints[name]).validate_python(value, strict=True)
        except ValidationError as error:
            wanted = error.errors()[0]["msg"].removeprefix("Input ")
            raise BadPrompt(f"{front.at(*where, name)}: {what}: {name} {wanted}, not {brief(value)}") from error


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is a text, number or choice of the very kind that is wanted."""
    if get_origin(hint) in (Union, UnionType):
        return any(_fits(value, kind) for kind in get_args(hint))
    if get_origin(hint) is Literal:
        return type(value) is str and value in get_args(hint)
    return hint in (str, int, float, bool) and (type(value) is hint or (hint is float and type(value) is int))
