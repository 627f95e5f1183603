"""Rendering templates that somebody else wrote: Jinja2's immutable sandbox, narrowed to what a prompt needs.

The stock sandbox keeps a template from reaching Python; it does not keep it from building a gigabyte out of a line.
So what can grow text is left out: only the filters and methods listed here exist, texts are joined by writing them
one after the other, lists are measured, loops are counted, and the output has a limit (bounds.py). A template may
include and extend others; which texts those are is settled before anything is rendered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, cast

from jinja2 import (
    BaseLoader,
    Environment,
    StrictUndefined,
    Template,
    TemplateNotFound,
    TemplateSyntaxError,
    Undefined,
    nodes,
)
from jinja2.runtime import BlockReference
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from promptkit.prompts import bounds
from promptkit.prompts.bounds import OUTPUT_LIMIT as OUTPUT_LIMIT

FILTERS = """abs capitalize count d default first float int items last length list lower map max min reject
rejectattr reverse select selectattr sort string title trim truncate unique upper wordcount""".split()
METHODS: dict[type, frozenset[str]] = {
    str: frozenset(
        """capitalize casefold count endswith find isdigit lower lstrip partition removeprefix removesuffix rpartition
        rsplit rstrip split splitlines startswith strip title upper""".split()
    ),
    dict: frozenset({"get", "items", "keys", "values"}),
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index"}),
}
_CALLED = frozenset({"cycle", "changed"}).union(*METHODS.values())  # what may be called; two of them are of `loop`
_COUNTED, _HELD = "-counted", "-held"  # filters no template can name
_INCLUDED = 10  # steps
_DIGITS = "a number with too many digits"
MAIN = "<template>"  # the name of a body in tracebacks

Parts = tuple[tuple[str, str], ...]  # what a template includes and extends: name and text, sorted by name


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment in which a template can choose and arrange, and do nothing else."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})
    concat = staticmethod(bounds.concat)  # what super() collects

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic on numbers only, and no powers: {{ 'a' * 10**9 }} is a gigabyte."""
        if operator == "**" or not all(isinstance(side, (int, float)) for side in (left, right)):
            raise ValueError(f"{operator!r} is for numbers only" if operator != "**" else "'**' is not allowed")
        return bounds.small(super().call_binop(context, operator, left, right))

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """A method or super(), its text and arguments counted."""
        bounds.spend(_INCLUDED if isinstance(__obj, BlockReference) else 0)
        bounds.held([getattr(__obj, "__self__", None), *args, *kwargs.values()])
        return super().call(__context, __obj, *args, **kwargs)

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Template:
        """A part; to include it takes as long as many steps."""
        bounds.spend(_INCLUDED)
        return super().get_template(name, parent, globals)

    def wrap_str_format(self, value: Any) -> None:
        """str.format gets no exception: '{:300000000d}'.format(1) is a bomb, and the stock sandbox lets it by."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """The listed methods of texts and containers; loop.index and the like."""
        allowed = METHODS.get(type(obj))
        if allowed is not None:
            return attr in allowed
        return super().is_safe_attribute(obj, attr, value)


class _Parts(BaseLoader):
    """The loader of a template's parts, and of nothing else."""

    def __init__(self, parts: Parts) -> None:
        self._parts = dict(parts)

    def load(self, environment: Environment, name: str, globals: Any = None) -> Template:
        """The part of that name."""
        if name not in self._parts:
            raise TemplateNotFound(name)
        return _template(environment, parse(self._parts[name]), name)


@cache
def sandbox() -> Sandbox:
    """The environment of templates without parts."""
    made = Sandbox(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False, finalize=_written)
    filters: dict[str, Callable[..., Any]] = {name: made.filters[name] for name in FILTERS}
    filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    filters |= {"join": bounds.join, "sum": bounds.total, "round": bounds.rounded}
    made.filters = {name: bounds.charged(filter) for name, filter in filters.items()}
    tests = cast("dict[str, Callable[..., Any]]", made.tests)
    made.tests = {name: bounds.charged(test) for name, test in tests.items()}
    made.filters |= {_COUNTED: bounds.counted, _HELD: bounds.held}
    made.globals.clear()
    return made


def _written(value: Any) -> Any:
    """What is put between {{ and }}; a list is measured before it becomes text.

    What has no text of its own is refused: it would say where in memory it lies, and no two runs would ask the same.
    """
    if not isinstance(value, (str, int, float)):
        bounds.measured(value)
        if isinstance(value, Iterator) or (callable(value) and not isinstance(value, Undefined)):
            raise ValueError(f"a {type(value).__name__} is no text: end it with |join or |list, or call it")
    return value


def parse(body: str) -> nodes.Template:
    """The syntax tree; TemplateSyntaxError, with its line, when it is no template or needs more than there is here."""
    try:
        tree = sandbox().parse(body)
    except RecursionError:
        raise TemplateSyntaxError("nested too deeply", 1) from None
    except ValueError:  # Python's own limit, of thousands of digits
        raise TemplateSyntaxError(_DIGITS, 1) from None
    for number in tree.find_all(nodes.Const):
        try:
            bounds.small(number.value)
        except ValueError:
            raise TemplateSyntaxError(_DIGITS, number.lineno) from None
    for joined in tree.find_all(nodes.Concat):  # a ~ a, forty lines long, is a terabyte
        raise TemplateSyntaxError("`~` is not allowed: write one text after the other", joined.lineno)
    for collected in tree.find_all((nodes.AssignBlock, nodes.Macro, nodes.CallBlock, nodes.FilterBlock)):
        # What is collected before it is written escapes the limit on what is written.
        raise TemplateSyntaxError("no macro, call, filter block or block set in a prompt", collected.lineno)
    for node in tree.find_all(nodes.Filter):
        if node.name not in sandbox().filters:
            raise TemplateSyntaxError(f"no filter {node.name!r} in a prompt", node.lineno)
    for imported in tree.find_all((nodes.Import, nodes.FromImport)):
        raise TemplateSyntaxError("no import in a prompt: include or extend a template", imported.lineno)
    for loop in tree.find_all(nodes.For):
        if loop.recursive:
            raise TemplateSyntaxError("no recursive loop in a prompt", loop.lineno)
    for name in tree.find_all(nodes.Name):
        if name.name == "self":  # {{ self.block() }} is a block written twice: two to the power of the blocks
            raise TemplateSyntaxError("no `self` in a prompt", name.lineno)
    others: list[nodes.Include | nodes.Extends] = [*tree.find_all(nodes.Include), *tree.find_all(nodes.Extends)]
    for other in others:
        if not isinstance(other.template, nodes.Const) or not isinstance(other.template.value, str):
            raise TemplateSyntaxError('what is included or extended is named, e.g. "general/cot"', other.lineno)
        if isinstance(other, nodes.Include) and (other.ignore_missing or not other.with_context):
            raise TemplateSyntaxError("include takes a name and nothing else", other.lineno)
    return tree


def refused(tree: nodes.Template) -> Iterator[tuple[str, int]]:
    """The attributes and methods that no value gives to a template, whatever its inputs: name and line."""
    for got in tree.find_all(nodes.Getattr):
        if got.attr.startswith("__"):
            yield got.attr, got.lineno
    for item in tree.find_all(nodes.Getitem):
        if isinstance(item.arg, nodes.Const) and str(item.arg.value).startswith("__"):
            yield str(item.arg.value), item.lineno
    for call in tree.find_all(nodes.Call):
        called = call.node.attr if isinstance(call.node, nodes.Getattr) else ""
        if called and called not in _CALLED and not called.startswith("__"):
            yield called, call.lineno


def fill(body: str, inputs: Mapping[str, Any], parts: Parts = ()) -> str:
    """The rendered text; TemplateError or ValueError when the template misbehaves."""
    with bounds.metered():
        return bounds.concat(_compiled(body, parts).generate(inputs))


def line_of(error: BaseException) -> tuple[str, int]:
    """The part an error comes from, MAIN for the body itself, and the line there."""
    found = MAIN, getattr(error, "lineno", None) or 1
    if name := getattr(error, "name", None):
        found = name, found[1]
    step = error.__traceback__
    while step is not None:
        if "__jinja_exception__" in step.tb_frame.f_globals:  # as it marks the lines of a template in a traceback
            found = step.tb_frame.f_code.co_filename, step.tb_lineno
        step = step.tb_next
    return found


@lru_cache(maxsize=128)
def _compiled(body: str, parts: Parts) -> Template:
    environment = sandbox().overlay() if parts else sandbox()
    if parts:
        environment.loader = _Parts(parts)
    return _template(environment, parse(body), MAIN)


def _template(environment: Environment, tree: nodes.Template, name: str) -> Template:
    try:
        code = environment.compile(_Watched().visit(tree), name, name)
    except (SyntaxError, RecursionError, MemoryError) as error:  # Python's own limits: twenty loops in each other
        raise TemplateSyntaxError("nested too deeply", 1, name) from error
    return environment.template_class.from_code(environment, code, environment.make_globals(None))


class _Watched(NodeTransformer):
    """Has every loop counted, and every list and mapping measured where it is written."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        """A loop over counted values."""
        self.generic_visit(node)
        node.iter = _through(_COUNTED, node.iter)
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        """A comparison of measured sides."""
        self.generic_visit(node)
        node.expr = _through(_HELD, node.expr)
        for operand in node.ops:
            operand.expr = _through(_HELD, operand.expr)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:
        """A piece of what was measured."""
        self.generic_visit(node)
        if isinstance(node.arg, nodes.Slice):
            node.node = _through(_HELD, node.node)
        return node

    def _held(self, node: Any) -> nodes.Node:
        self.generic_visit(node)
        return node if getattr(node, "ctx", "load") != "load" else _through(_HELD, node)

    visit_List = visit_Tuple = visit_Dict = _held


def _through(name: str, node: nodes.Node) -> nodes.Filter:
    return nodes.Filter(cast("nodes.Expr", node), name, [], [], None, None, lineno=node.lineno)
