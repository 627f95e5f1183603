"""Rendering templates that somebody else wrote: Jinja2's immutable sandbox, narrowed to what a prompt needs.

The stock sandbox keeps a template from reaching Python; it does not keep it from building a gigabyte out of a line.
So what can grow text is left out: only the filters and methods listed here exist, texts are joined by writing them
one after the other, and the output has a limit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

OUTPUT_LIMIT = 1_000_000  # characters

FILTERS = """abs capitalize count d default first float int items join last length list lower map max min reject
rejectattr reverse round select selectattr sort string sum title trim truncate unique upper wordcount""".split()
METHODS: dict[type, frozenset[str]] = {
    str: frozenset(
        """capitalize casefold count endswith find isdigit lower lstrip partition removeprefix removesuffix rpartition
        rsplit rstrip split splitlines startswith strip title upper""".split()
    ),
    dict: frozenset({"get", "items", "keys", "values"}),
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index"}),
}


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment in which a template can choose and arrange, and do nothing else."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic on numbers only, and no powers: {{ 'a' * 10**9 }} is a gigabyte."""
        if operator == "**" or not all(isinstance(side, (int, float)) for side in (left, right)):
            raise ValueError(f"{operator!r} is for numbers only" if operator != "**" else "'**' is not allowed")
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> None:
        """str.format gets no exception: '{:300000000d}'.format(1) is a bomb, and the stock sandbox lets it by."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """The listed methods of texts and containers; loop.index and the like."""
        allowed = METHODS.get(type(obj))
        if allowed is not None:
            return attr in allowed
        return super().is_safe_attribute(obj, attr, value)


@cache
def sandbox() -> Sandbox:
    """The one environment."""
    made = Sandbox(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    made.filters = {name: made.filters[name] for name in FILTERS}
    made.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    made.filters["join"] = _join
    made.globals.clear()
    return made


def _join(values: Iterable[Any], between: str = "") -> str:
    pieces = [str(value) for value in values]
    if sum(map(len, pieces)) + len(between) * len(pieces) > OUTPUT_LIMIT:
        raise ValueError(f"join gives more than {OUTPUT_LIMIT:,} characters")
    return between.join(pieces)


def parse(body: str) -> nodes.Template:
    """The syntax tree; TemplateSyntaxError, with its line, when it is no template or needs more than there is here."""
    tree = sandbox().parse(body)
    for joined in tree.find_all(nodes.Concat):  # a ~ a, forty lines long, is a terabyte
        raise TemplateSyntaxError("`~` is not allowed: write one text after the other", joined.lineno)
    for held in tree.find_all((nodes.AssignBlock, nodes.Macro, nodes.CallBlock, nodes.FilterBlock)):
        # What is collected before it is written escapes the limit on what is written.
        raise TemplateSyntaxError("no macro, call, filter block or block set in a prompt", held.lineno)
    for node in tree.find_all(nodes.Filter):
        if node.name not in sandbox().filters:
            raise TemplateSyntaxError(f"no filter {node.name!r} in a prompt", node.lineno)
    for outside in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        raise TemplateSyntaxError("a prompt is one file: no include, import or extends", outside.lineno)
    return tree


def fill(body: str, inputs: Mapping[str, Any]) -> str:
    """The rendered text; TemplateError or ValueError when the template misbehaves."""
    return "".join(_bounded(_compiled(body).generate(inputs)))


@lru_cache(maxsize=128)
def _compiled(body: str) -> Template:
    return sandbox().from_string(parse(body))


def _bounded(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces as they come, so that a template that grows without end is stopped, not stored."""
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > OUTPUT_LIMIT:
            raise ValueError(f"renders to more than {OUTPUT_LIMIT:,} characters")
        yield piece
