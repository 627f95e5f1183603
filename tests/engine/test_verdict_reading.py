"""What a judge decided is read from the last line, anchored; anything else is no verdict."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.verdicts import ballot, verdict

WORDS = ("sure", "likely", "impossible")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("sure", "sure"),
        ("it may be likely, or impossible\nsure", "sure"),
        ("…\nVerdict: **sure**", "sure"),
        ("…\n**Likely.**", "likely"),
        ("…\nMy final verdict is: impossible!", "impossible"),
        ("…\nThe answer is likely", "likely"),
        ("…\nEvaluation - sure\n\n  ", "sure"),
        ("…\n`sure`", "sure"),
        ("IMPOSSIBLE", "impossible"),
    ],
)
def test_a_verdict(text: str, word: str) -> None:
    assert verdict(text, WORDS) == word


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "sure/likely/impossible",
        "not sure",
        "I am sure",
        "sure or likely",
        "unlikely",
        "it is not impossible",
        "sure\nBut on second thought I cannot tell.",
        "Is it likely?\nyes",
        "surely",
        "sure sure",
    ],
)
def test_no_verdict(text: str) -> None:
    assert verdict(text, WORDS) is None


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("The best choice is 12", 11),
        ("The best choice is 2", 1),
        ("Choice 3 is weak.\nThe best choice is 1.", 0),
        ("**The best choice is: 4**", 3),
        ("The most promising choice is Choice 5", 4),
        ("the best option is (2)", 1),
        ("So the best choice is 3, because choice 1 is wrong", 2),
    ],
)
def test_a_ballot(text: str, choice: int) -> None:
    assert ballot(text, 12) == choice


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2",
        "The best choice is",
        "The best choice is 13",
        "The best choice is 0",
        "The best choice is not 2",
        "The best choice is 2.5",
        "The best choice is two",
        "The best choice is 1\nor perhaps not",
        "The best choice is 1. No: the best choice is 2",
        "The best choice is 1 or 2",
        "The best choice is 1 and 3",
        "The best choice is 120",
    ],
)
def test_no_ballot(text: str) -> None:
    assert ballot(text, 12) is None


@given(st.integers(1, 200), st.integers(1, 200))
def test_a_number_is_read_whole(number: int, choices: int) -> None:
    read = ballot(f"1 2 3\nThe best choice is {number}", choices)
    assert read == (number - 1 if number <= choices else None)


@given(st.text(max_size=80), st.integers(0, 20))
def test_no_text_breaks_the_reading(text: str, choices: int) -> None:
    assert verdict(text, WORDS) in (None, *WORDS)
    read = ballot(text, choices)
    assert read is None or 0 <= read < choices
