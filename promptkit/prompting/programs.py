"""Programs in replies: found, and made to say what they worked out. Nothing is run or evaluated here."""

from __future__ import annotations

import ast

from promptkit.fenced import blocks
from promptkit.types import Completion

# What `solution()` returns, else what `ans` holds; a program that did neither has printed what it has to say.
_SAY = """

if callable(globals().get("solution")):
    _returned = solution()
    if _returned is not None:
        print(_returned)
elif globals().get("ans") is not None:
    print(ans)
"""


def program_in(got: Completion) -> str | None:
    """The last block of Python in a reply, or all of it where it is nothing else; None where it was cut off."""
    if got.finish == "length":
        return None
    found = [block.text for block in blocks(got.text) if block.language in PYTHON]
    if found:
        return found[-1].strip() or None
    return got.text.strip() if _is_program(got.text) else None


PYTHON = ("", "py", "python", "python3")


def with_answer(program: str) -> str:
    """The program, and after it lines that print what it returns."""
    return program + _SAY


def _is_program(text: str) -> bool:
    """Whether a reply without marks is a program: one word, or a number, is none."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return any(not isinstance(each, ast.Expr) or isinstance(each.value, ast.Call) for each in body)
