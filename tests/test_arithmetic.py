"""Exact arithmetic on text: values, refusals, and one spelling for one expression."""

from __future__ import annotations

import contextlib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.arithmetic import BadExpression, canonical, evaluate, numbers_in, show


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4*(10-6)+8", "24"),
        ("6 ÷ (1 − 3 ÷ 4)", "24"),
        ("3 x 8", "24"),
        ("3·8", "24"),
        ("(1+2)x(3+5)", "24"),
        ("0.1+0.2", "3/10"),
        ("-(2-5)", "3"),
        ("1/3+1/3", "2/3"),
        (" 7 ", "7"),
    ],
)
def test_values_are_exact(text: str, value: str) -> None:
    assert evaluate(text) == Fraction(value)


HOSTILE = [
    "",
    " ",
    "1/0",
    "1/(2-2)",
    "2**9",
    "9**9**9",
    "7//2",
    "7%2",
    "x+1",
    "abs(1)",
    "__import__('os')",
    "1 if 1 else 2",
    "(1",
    "1)",
    "1 2",
    "2(3)",
    "1,2",
    "[1]",
    "1e9",
    "1_000",
    "1j",
    "1;2",
    "1\n+2",
    "+",
    "1.2.3",
    "(" * 300 + "1" + ")" * 300,
    "-" * 400 + "1",
    "1" * 501,
    "9" * 100,
    "+".join("1" * 200),
    "\x00",
    "1+\ud800",
    "1=1",
    "1<2",
    "١+١",
    "0.1234567890123456789",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_anything_else_is_refused(text: str) -> None:
    for function in (evaluate, numbers_in, canonical):
        if text in ("1/0", "1/(2-2)") and function is numbers_in:
            continue
        with pytest.raises(BadExpression):
            function(text)


def test_numbers_are_the_leaves_in_order() -> None:
    assert numbers_in("4*(10-6)+8") == tuple(map(Fraction, (4, 10, 6, 8)))
    assert numbers_in("-0.5/4") == (Fraction(1, 2), Fraction(4))


@pytest.mark.parametrize(
    "group",
    [
        ("4*(10-6)+8", "8+(10-6)*4", "((10 - 6)) × 4 + 8", "8 + 4·(10−6)", "4*(-6+10)+8"),
        ("1+2+3", "3+(2+1)", "(3+1)+2"),
        ("8/4/2", "8/(4*2)", "8/2/4"),
        ("9-4-1", "9-(4+1)", "9-1-4", "-1-4+9"),
        ("2*3*4", "4*(3*2)"),
        ("-3*4", "4*-3", "-(3*4)"),
        ("0.50+1", "1.0+.5"),
    ],
)
def test_one_expression_is_one_vote(group: tuple[str, ...]) -> None:
    assert len({canonical(text) for text in group}) == 1


def test_different_solutions_are_different_votes() -> None:
    assert canonical("(10-4)*4") != canonical("4*6")
    assert canonical("2*(3+4)") != canonical("2*3+2*4")
    assert canonical("8-2") != canonical("2-8")


def test_shown_as_people_write() -> None:
    shown = {
        "18": "18",
        "3/4": "0.75",
        "-1/8": "-0.125",
        "7/3": "7/3",
        "-0": "0",
        "1/1000000000000000000": "1/1000000000000000000",
    }
    assert {text: show(Fraction(text)) for text in shown} == shown


@given(st.fractions(), st.fractions())
def test_shown_numbers_are_equal_when_numbers_are(one: Fraction, two: Fraction) -> None:
    assert Fraction(show(one)) == one
    assert (show(one) == show(two)) == (one == two)


expressions = st.recursive(
    st.integers(0, 99).map(str),
    lambda inner: (
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda parts: f"({parts[0]}{parts[1]}{parts[2]})")
        | inner.map(lambda part: f"(-{part})")
    ),
    max_leaves=8,
)


@given(expressions)
def test_the_canonical_spelling_keeps_value_and_numbers(text: str) -> None:
    try:
        value = evaluate(text)
    except BadExpression:
        return
    spelling = canonical(text)
    assert evaluate(spelling) == value
    assert sorted(numbers_in(spelling)) == sorted(numbers_in(text))
    assert canonical(spelling) == spelling


@given(st.text() | st.text("0123456789+-*/(). x×÷", max_size=40))
def test_only_its_own_error_escapes(text: str) -> None:
    for function in (evaluate, numbers_in, canonical):
        with contextlib.suppress(BadExpression):
            function(text)
