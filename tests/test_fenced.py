"""Blocks of code or JSON in replies, as models write them."""

from __future__ import annotations

import pytest

from promptkit.fenced import blocks


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ("```python\nx = 1\n```", [("python", "x = 1\n")]),
        ("```\nx\n```", [("", "x\n")]),
        ("So:\n  ```JSON \n  {}\n  ```\nThat is it.", [("json", "  {}\n")]),  # indented, as in a list
        ("```c++ title=a.cc\nint x;\n```", [("c++", "int x;\n")]),
        ("```py\na\n```\nBetter:\n```py\nb\n```", [("py", "a\n"), ("py", "b\n")]),
        ("```py\n\n```", [("py", "\n")]),
        ("```py\nx\n```</s>", [("py", "x\n")]),  # what some models leave behind the marks
        ("```py\r\nx\r\n```\r\n", [("py", "x\r\n")]),
        ("```py\nx = 1", []),  # never closed
        ("```py\nx\n```python", []),  # that opens another
        ("Write ```x``` there.", []),
        ("", []),
    ],
)
def test_blocks_of_a_reply(reply: str, found: list[tuple[str, str]]) -> None:
    assert blocks(reply) == found
