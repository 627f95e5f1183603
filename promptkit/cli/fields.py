"""The comments beside a dataclass's fields, as help texts: a parameter is described once, where it is declared."""

from __future__ import annotations

import ast
import inspect
import io
import textwrap
import tokenize
from dataclasses import is_dataclass
from typing import Any


def field_help(cls: type[Any]) -> dict[str, str]:
    """The comment of each field that has one, inherited fields too; empty where there is no source."""
    found: dict[str, str] = {}
    for kind in reversed(cls.__mro__):
        if is_dataclass(kind):
            found |= _own(kind)
    return found


def _own(cls: type[Any]) -> dict[str, str]:
    try:
        source = textwrap.dedent(inspect.getsource(cls))
        body = ast.parse(source).body[0]
        comments = _comments(source)
    except (OSError, TypeError, SyntaxError, IndexError, tokenize.TokenError):
        return {}  # a frozen program, a notebook cell, a class made at run time
    if not isinstance(body, ast.ClassDef):
        return {}
    found: dict[str, str] = {}
    for node in body.body:
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        # At its end; in a declaration of several lines also at its head.
        if text := comments.get(node.end_lineno or node.lineno) or comments.get(node.lineno):
            found[node.target.id] = text
    return found


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string.lstrip("#").strip() for token in tokens if token.type == tokenize.COMMENT}
