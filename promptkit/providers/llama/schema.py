"""JSON schemas llama.cpp can hold a reply to: checked before the call, and the reply checked after it.

llama.cpp writes without any constraint when it cannot use a schema, and says nothing. So what it does not hold is
refused here, by keyword; and a reply counts only when it satisfies the schema by another library's judgement.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from promptkit.errors import BadInput, CapabilityMissing

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

SAY_NOTHING = {"$schema", "$comment", "title", "description", "default", "examples", "deprecated", "discriminator"}
SAY_NOTHING |= {"readOnly", "writeOnly"}
INSIDE = ("anyOf", "allOf", "oneOf", "prefixItems")  # lists of schemas
UNDER_NAMES = ("properties", "$defs", "definitions")  # objects of schemas
HELD = {"type", "enum", "const", "$ref", "required", "additionalProperties", "items", "minItems", "maxItems"}
HELD |= {"minLength", "maxLength", "pattern", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
HELD |= {"multipleOf", *INSIDE, *UNDER_NAMES}
RANGES = (("minLength", "maxLength"), ("minItems", "maxItems"))

_DATE = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_TIME = r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)"
FORMATS = {  # the others llama.cpp ignores, or reads in its own way
    "date": re.compile(_DATE),
    "time": re.compile(_TIME, re.I),
    "date-time": re.compile(f"{_DATE}T{_TIME}", re.I),
    "uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I),
}

# Its parser takes a schema in a grammar of this form; the chat call's own `json_schema` holds fewer keywords and
# lets a model fill its reply with blanks. Separators as most JSON a model has seen has them.
_STYLE = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": ", "coerce_one_of": True}


def check_schema(text: str) -> None:
    """BadInput for what is no usable schema, CapabilityMissing for what llama.cpp does not hold a reply to."""
    try:
        _validator(text)
    except RecursionError:
        raise BadInput("the schema is nested too deeply") from None


def as_grammar(text: str) -> str:
    """The grammar that holds a reply to a checked schema."""
    return "%llguidance {}\nstart: %json " + json.dumps({"x-guidance": _STYLE, **json.loads(text)})


def violation(text: str, reply: str) -> str | None:
    """Why a reply does not satisfy a checked schema; None when it does."""
    from jsonschema.exceptions import best_match

    try:
        value = json.loads(reply, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return f"not JSON: {error}"
    wrong = best_match(_validator(text).iter_errors(value))
    return None if wrong is None else f"{wrong.json_path}: {_short(wrong.message)}"


@lru_cache(maxsize=64)
def _validator(text: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator, FormatChecker
    from jsonschema.exceptions import SchemaError

    try:
        schema = json.loads(text, parse_constant=_no_constant)
        json.dumps(schema, ensure_ascii=False).encode()
    except ValueError as error:  # a lone surrogate among them
        raise BadInput(f"the schema is not JSON: {error}", hint='e.g. {"type": "object", …}') from None
    if not isinstance(schema, dict):
        raise BadInput("a schema must be a JSON object", hint='e.g. {"type": "object", …}')
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise BadInput(f"not a JSON schema: {error.json_path}: {_short(error.message)}") from None
    formats = FormatChecker(formats=())
    for name, form in FORMATS.items():
        formats.checks(name)(lambda value, form=form: not isinstance(value, str) or bool(form.fullmatch(value)))
    validator = Draft202012Validator(schema, format_checker=formats)
    _Check(schema, validator).node(schema, "$")
    return validator


class _Check:
    """One schema, gone through from the top."""

    def __init__(self, root: dict[str, Any], validator: Draft202012Validator) -> None:
        self.root, self.validator = root, validator
        self.ends: set[int] = set()  # nodes whose references lead somewhere

    def node(self, node: Any, path: str) -> None:
        if isinstance(node, bool):
            if not node and path.rpartition(".")[2].partition("[")[0] in ("$", *INSIDE):
                raise BadInput(f"the schema's {path} is false: no value satisfies it")
            return
        for keyword in node:
            if keyword not in HELD | SAY_NOTHING:
                hint = f"it holds a reply to: {', '.join(sorted(HELD))}"
                raise CapabilityMissing(f"llama.cpp does not hold a reply to {keyword!r} ({path})", hint=hint)
        self.terms(node, path)
        if "$ref" in node:
            self.target(node["$ref"], path)
        self.leads_somewhere(node, path, ())
        for at, inner in self.inner(node, path):
            self.node(inner, at)
        self.satisfiable(node, path)

    def inner(self, node: dict[str, Any], path: str) -> Iterator[tuple[str, Any]]:
        for keyword in ("items", "additionalProperties"):
            if keyword in node:
                yield f"{path}.{keyword}", node[keyword]
        for keyword in INSIDE:
            yield from ((f"{path}.{keyword}[{i}]", inner) for i, inner in enumerate(node.get(keyword, ())))
        for keyword in UNDER_NAMES:
            yield from ((f"{path}.{keyword}.{name}", inner) for name, inner in node.get(keyword, {}).items())

    def terms(self, node: dict[str, Any], path: str) -> None:
        """What only some values of a keyword are held to."""
        if (form := node.get("format")) is not None and form not in FORMATS:
            hint = f"formats it knows: {', '.join(FORMATS)}"
            raise CapabilityMissing(f"llama.cpp does not hold a reply to 'format' {form!r} ({path})", hint=hint)
        if (pattern := node.get("pattern")) is not None:
            try:
                re.compile(pattern)
            except re.error as error:
                raise BadInput(f"the schema's {path}.pattern is no regular expression: {error}") from None
            for piece in re.findall(r"\\.|\(\?.?", pattern, re.DOTALL):
                known = (
                    piece == "(?:" if piece.startswith("(?") else piece[1] in "dDwWsSnrtfv" or not piece[1].isalnum()
                )
                if not known:
                    raise CapabilityMissing(
                        f"llama.cpp does not hold a reply to a 'pattern' with {piece} ({path})",
                        hint="leave out look-around, back references and boundaries",
                    )

    def satisfiable(self, node: dict[str, Any], path: str) -> None:
        """The contradictions that are easy to write; llama.cpp would write what it likes."""
        for low, high in RANGES:
            if node.get(low, 0) > node.get(high, math.inf):
                raise BadInput(f"the schema's {path} cannot be satisfied: {low} is above {high}")
        least = max(node.get("minimum", -math.inf), node.get("exclusiveMinimum", -math.inf))
        most = min(node.get("maximum", math.inf), node.get("exclusiveMaximum", math.inf))
        whole = node.get("type") == "integer" and math.isfinite(least) and math.isfinite(most)
        if least > most or (whole and math.ceil(least) > math.floor(most)):
            raise BadInput(f"the schema's {path} cannot be satisfied: no number lies between its bounds")
        if node.get("additionalProperties") is False:
            for name in node.get("required", ()):
                if name not in node.get("properties", {}):
                    raise BadInput(f"the schema's {path}.required names {name!r}, which it does not allow")
        values = node.get("enum", [node["const"]] if "const" in node else None)
        if values is not None and not any(self.validator.evolve(schema=node).is_valid(value) for value in values):
            keyword = "enum" if "enum" in node else "const"
            raise BadInput(f"the schema's {path} cannot be satisfied: nothing in its {keyword} fits the rest of it")

    def target(self, ref: str, path: str) -> Any:
        """What a reference points at."""
        if not ref.startswith("#"):
            raise CapabilityMissing(f"llama.cpp does not follow '$ref' to {ref!r} ({path})", hint="put it under $defs")
        found: Any = self.root
        try:
            for step in ref.removeprefix("#").split("/")[1:]:
                name = step.replace("~1", "/").replace("~0", "~")
                found = found[int(name)] if isinstance(found, list) else found[name]
        except (KeyError, IndexError, ValueError, TypeError):
            found = None
        if not isinstance(found, (dict, bool)) or (ref != "#" and not ref.startswith("#/")):
            raise BadInput(f"the schema's {path}.$ref points nowhere: {_short(ref)}")
        return found

    def leads_somewhere(self, node: Any, path: str, trail: tuple[int, ...]) -> None:
        """Refuse a reference that comes back to itself without a value in between."""
        if isinstance(node, bool) or id(node) in self.ends:
            return
        if id(node) in trail:
            raise BadInput(f"the schema's {path}.$ref leads back to itself")
        trail = (*trail, id(node))
        if "$ref" in node:
            self.leads_somewhere(self.target(node["$ref"], path), path, trail)
        for keyword in ("anyOf", "allOf", "oneOf"):
            for inner in node.get(keyword, ()):
                self.leads_somewhere(inner, path, trail)
        self.ends.add(id(node))


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 160 else line[:159] + "…"
