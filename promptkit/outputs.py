"""Validated outputs: what the final reply must be, and how it is read. The journal sees JSON and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from promptkit.errors import BadInput, OutputInvalid
from promptkit.fenced import blocks
from promptkit.thinking import set_aside

# Where an answer may begin: at the start of a line, after a label such as "Answer:" at most.
_OPENING = re.compile(r"^[ \t]*(?:[^\n{}\[\]\":：]{1,60}[:：])?[ \t*_`]*(?=[^\s*_`])", re.MULTILINE)
_AFTERWARDS = re.compile(r"[\s*_`.]*\Z")
_FAULTS_SHOWN = 3


class Form(str):
    """JSON Schema text that a reply must satisfy. Equal to its text and stored as it; it may know a Python type."""

    adapter: Any = None  # pydantic's, when the form was given as a type

    @classmethod
    def of(cls, text: str, adapter: Any = None) -> Self:
        """The form of a schema's text."""
        form = cls(text)
        form.adapter = adapter
        return form

    def fit(self, reply: str, *, whole: bool = True) -> str:
        """The answer in a reply, as canonical JSON; ValueError says why there is none. `whole`: it was not cut off."""
        fault = ""
        for found in _found(set_aside(reply)[0].strip()):
            try:
                return self._canonical(found)
            except ValueError as error:
                fault = fault or str(error)
        raise ValueError(fault or ("no JSON at the end of the reply" if whole else "cut off at max_tokens"))

    def value(self, answer: str) -> Any:
        """The Python value of a canonical answer: of the type that was given, else plain JSON."""
        return self.adapter.validate_json(answer) if self.adapter else json.loads(answer)

    def _canonical(self, found: Any) -> str:
        if self.adapter is None:
            if wrong := sorted(_validator(self).iter_errors(found), key=lambda error: list(map(str, error.path))):
                raise ValueError(_told([f"{error.json_path}: {error.message}" for error in wrong]))
            return canonical(found)
        from pydantic import ValidationError

        try:
            value = self.adapter.validate_json(canonical(found))
        except ValidationError as error:
            places = ((".".join(str(step) for step in e["loc"]), e["msg"]) for e in error.errors(include_url=False))
            raise ValueError(_told([f"{place}: {said}" if place else said for place, said in places])) from None
        return canonical(self.adapter.dump_python(value, mode="json", by_alias=True))


def canonical(value: Any) -> str:
    """One line of JSON, equal for equal values; ValueError for what JSON cannot say (NaN, infinity)."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def form(output: Any) -> Form:
    """The form of a type, a JSON Schema or a file that holds one; BadInput when it is none of them."""
    if isinstance(output, Form):
        return output
    if isinstance(output, (str, Path)):
        output = _from_file(Path(output))
    if isinstance(output, Mapping):
        return _checked(output)
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticUserError

    try:
        adapter = TypeAdapter(output)
        return Form.of(canonical(adapter.json_schema()), adapter)
    except (PydanticUserError, TypeError, ValueError) as error:
        what = getattr(output, "__name__", repr(output))
        raise BadInput(
            f"{what} cannot be an output: {str(error).splitlines()[0]}",
            hint="give a pydantic model, a dataclass, a TypedDict, list[int] … or a JSON Schema as a dict",
        ) from error


def stored(text: str | None) -> Form | None:
    """The form a recorded run had; validators written in Python are not in its schema."""
    return Form.of(text) if text is not None else None


def settle(answer: str, wanted: str) -> tuple[str, Any]:
    """An outcome's answer as canonical JSON and as a plain value; OutputInvalid shows an answer that does not fit."""
    own = wanted if isinstance(wanted, Form) else Form.of(wanted)
    try:
        fitting = own.fit(answer)
    except ValueError as error:
        raise OutputInvalid(str(error), answer) from None
    return fitting, json.loads(fitting)


def _checked(schema: Mapping[str, Any]) -> Form:
    from jsonschema.exceptions import SchemaError

    hint = 'e.g. {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}'
    try:
        own = Form.of(canonical(schema))
        validator = _validator(own)
        validator.check_schema(validator.schema)
    except SchemaError as error:
        raise BadInput(f"not a JSON Schema: {error.json_path}: {error.message}", hint=hint) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise BadInput(f"not a JSON Schema: {error}", hint=hint) from error
    for ref in _refs(validator.schema):
        if not _leads_somewhere(ref, validator.schema):
            raise BadInput(f"the schema's $ref {ref!r} leads nowhere", hint="it must begin with #/, nothing is fetched")
    return own


@lru_cache(maxsize=64)
def _validator(text: str) -> Any:
    from jsonschema import Draft202012Validator
    from referencing import Registry

    return Draft202012Validator(json.loads(text), registry=Registry())  # a registry that fetches nothing


def _refs(part: Any) -> Iterator[Any]:
    """What the schema refers to. A property may be named $ref: its value is a schema, not text."""
    if isinstance(part, Mapping):
        yield from (held for word, held in part.items() if word in ("$ref", "$dynamicRef") and isinstance(held, str))
    for inner in part.values() if isinstance(part, Mapping) else part if isinstance(part, list) else ():
        yield from _refs(inner)


def _leads_somewhere(ref: str, root: Any) -> bool:
    if not ref.startswith("#"):
        return False
    for step in ref[1:].split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(root, Mapping) or step not in root:
            return False
        root = root[step]
    return ref == "#" or ref.startswith("#/")


def _from_file(path: Path) -> Mapping[str, Any]:
    hint = "a file with a JSON Schema, e.g. --output schema.json"
    try:
        schema = json.loads(path.read_text("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise BadInput(f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}", hint=hint) from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: {getattr(error, 'strerror', None) or error}", hint=hint) from error
    if not isinstance(schema, Mapping):
        raise BadInput(f"{path}: not a JSON Schema", hint=hint)
    return schema


def _found(reply: str) -> Iterator[Any]:
    """JSON values the reply may mean: all of it, its last fenced block, or what it ends in."""
    for text in (reply, *(block.text for block in blocks(reply)[-1:])):
        try:
            yield _decode(text.strip())
        except ValueError:
            continue
        return
    for opening in _OPENING.finditer(reply):
        before = reply[: opening.end()]
        if before.count("{") != before.count("}") or before.count("[") != before.count("]"):
            continue  # inside something that was never closed
        try:
            value, end = _DECODER.raw_decode(reply, opening.end())
        except (ValueError, RecursionError):
            continue
        if _AFTERWARDS.match(reply, end):
            yield value
            return


def _decode(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_number)


def _told(faults: list[str]) -> str:
    more = f"; and {len(faults) - _FAULTS_SHOWN} more" if len(faults) > _FAULTS_SHOWN else ""
    return "; ".join(faults[:_FAULTS_SHOWN]) + more
