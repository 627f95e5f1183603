"""A template that is text with holes reads as Jinja2 has it, to the letter; anything more is left to Jinja2."""

from __future__ import annotations

from contextlib import suppress

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.prompts.holes import LONGEST, fill_holes, holes
from promptkit.prompts.sandboxed import OUTPUT_LIMIT, fill

PIECES = [
    "{{ a }}",
    "{{a}}",
    "{{  b\t}}",
    "{{ c }}",
    "{",
    "}",
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "{{- a -}}",
    "-",
    "\n",
]
PIECES += [
    "{{ a|upper }}",
    "{{ true }}",
    "{{ a.b }}",
    "{% if a %}x{% endif %}",
    "text ",
    "\r\n",
    "\\",
    "'",
    "{{\na }}",
    "é",
]
VALUES = st.text(alphabet="ab{}%# \n\r<&é", max_size=8)


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=8).map("".join), VALUES, VALUES)
def test_it_is_what_jinja_gives(body: str, a: str, b: str) -> None:
    inputs = {"a": a, "b": b}
    filled = fill_holes(body, inputs)
    if filled is not None:
        assert filled == fill(body, inputs)


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=8).map("".join))
def test_what_it_takes_on_is_a_template(body: str) -> None:
    if holes(body) is not None:
        with suppress(jinja2.UndefinedError):  # a name nobody gave
            fill(body, {"a": "", "b": "", "c": ""})


@pytest.mark.parametrize("value", [1, None, True, ["x"], b"x"])
def test_values_that_are_no_text_are_left_alone(value: object) -> None:
    assert fill_holes("{{ a }}", {"a": value}) is None
    assert fill_holes("{{ a }}", {}) is None


def test_an_end_is_an_end() -> None:
    assert LONGEST == OUTPUT_LIMIT
    assert fill_holes("{{ a }}", {"a": "x" * LONGEST}) is not None
    assert fill_holes("{{ a }}!", {"a": "x" * LONGEST}) is None
