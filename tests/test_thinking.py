"""Reasoning in a reply, in the shapes models write it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.thinking import set_aside

SHAPES: list[tuple[str, tuple[str, str | None]]] = [
    ("The answer is 18.", ("The answer is 18.", None)),
    ("<think>9*2</think>18", ("18", "9*2")),
    ("<think>\n9*2\n</think>\n\n18\n", ("18", "9*2")),
    ("<thinking>9*2</thinking>18", ("18", "9*2")),
    ("<thought>9*2</thought>18", ("18", "9*2")),
    ("<reasoning>9*2</reasoning>18", ("18", "9*2")),
    ("<THINK>9*2</Think>18", ("18", "9*2")),
    ('<think effort="high" budget=3>9*2</think>18', ("18", "9*2")),
    ("< think >9*2</ think >18", ("18", "9*2")),
    ("<think></think>18", ("18", None)),
    ("<think>a</think>so <think>b</think>18", ("so 18", "a\nb")),
    ("<think>a<think>b</think>c</think>18", ("18", "abc")),
    ("<think>a<reasoning>b</reasoning>c</think>18", ("18", "abc")),
    ("<think>I may write <think> twice</think>18", ("18", "I may write  twice")),
    ("<think>9*2 is", ("", "9*2 is")),
    ("First. <think>9*2 is", ("First.", "9*2 is")),
    ("9*2 is 18</think>18", ("18", "9*2 is 18")),
    ("<think>a</think>b</think>18", ("18", "a\nb")),
    ("Write a literal `<think>` tag.", ("Write a literal `<think>` tag.", None)),
    ("```xml\n<think>x</think>\n```\nis the format.", ("```xml\n<think>x</think>\n```\nis the format.", None)),
    ("<think>It ends at `</think>`, then.</think>18", ("18", "It ends at ``, then.")),
    ("<think>```python\n9*2\n</think>18", ("18", "```python\n9*2")),
    ("<think>```\na\n</think>\nSo:\n```\n18\n```", ("So:\n```\n18\n```", "```\na")),
    ("```\n<think>9*2</think>\n18\n```", ("```\n\n18\n```", "9*2")),
    ("I like <thinkers> and a < think b.", ("I like <thinkers> and a < think b.", None)),
    ("18 <think/>", ("18", None)),
]


@pytest.mark.parametrize(("text", "parts"), SHAPES)
def test_shapes(text: str, parts: tuple[str, str | None]) -> None:
    assert set_aside(text) == parts


def test_there_are_twenty_shapes() -> None:
    assert len(SHAPES) >= 20


pieces = st.lists(
    st.sampled_from(["<think>", "</think>", "`", "```\n", "\n", "18", " ", "<thought a=1>", "</reasoning>"]) | st.text()
).map("".join)


@given(pieces)
def test_nothing_escapes_and_nothing_is_left_to_set_aside_in_plain_text(text: str) -> None:
    reply, _ = set_aside(text)
    if "`" not in text:
        assert set_aside(reply)[0] == reply


@pytest.mark.parametrize("unit", ["<think>", "</think>", "<think ", "`", "```\n", "<", "<think>`</think>`"])
def test_time_grows_with_length_only(unit: str) -> None:
    started = time.perf_counter()
    set_aside(unit * (100_000 // len(unit)))
    assert time.perf_counter() - started < 5
