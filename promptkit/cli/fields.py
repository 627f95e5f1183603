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
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            last = node.end_lineno or node.lineno
            if text := _beside(comments, node.lineno, last, node.col_offset):
                found[node.target.id] = text
    return found


def _comments(source: str) -> dict[int, tuple[int, str, bool]]:
    """By line: the comment's column, its words, and whether it has the line to itself."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        token.start[0]: (token.start[1], token.string.lstrip("#").strip(), not token.line[: token.start[1]].strip())
        for token in tokens
        if token.type == tokenize.COMMENT
    }


def _beside(comments: dict[int, tuple[int, str, bool]], first: int, last: int, indent: int) -> str:
    """The comment at the end of a field, or at its first line, with the lines that continue it."""
    line = next((number for number in (last, first) if number in comments), None)
    if line is None:
        return ""
    words = [comments[line][1]]
    # A comment on its own line continues this one where it is set further in than the fields are.
    while (following := comments.get(line := line + 1)) and following[2] and following[0] > indent:
        words.append(following[1])
    return " ".join(words)
