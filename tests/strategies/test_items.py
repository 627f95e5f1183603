"""Lists in replies: what is an item, and what is not."""

from __future__ import annotations

import pytest

from promptkit.prompting.items import listed, numbered
from promptkit.types import Completion, Finish


def said(text: str, finish: Finish = "stop") -> Completion:
    return Completion(text=text, model="m", finish=finish)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("1. Why?\n2. How?", ("Why?", "How?")),
        ("Here they are:\n\n1) Why?\n\n2) How?\nThat is all.", ("Why?", "How?")),
        ("**1. Why?**\n**2. How?**", ("Why?", "How?")),
        ("(1) Why?\n(2) How?", ("Why?", "How?")),
        ("1. **Why?**", ("Why?",)),
        ("1、为什么？\n2、怎么办？", ("为什么？", "怎么办？")),
        ("10. Ten", ("Ten",)),
        ("1.5 apples are left", ()),
        ("In 1999. Nothing", ()),
        ("1.", ()),
        ("None", ()),
        ("", ()),
    ],
)
def test_numbered_items(text: str, items: tuple[str, ...]) -> None:
    assert numbered(said(text)) == items


def test_dashes_are_read_where_nothing_is_numbered() -> None:
    assert listed(said("- Why?\n* How?\nThat is all.")) == ("Why?", "How?")
    assert listed(said("1. Why?\n- because")) == ("Why?",)
    assert listed(said("Why? How?")) == ()


def test_the_last_item_of_a_reply_that_was_cut_off_may_be_half_of_one() -> None:
    assert listed(said("1. Why?\n2. How ma", "length")) == ("Why?",)
    assert listed(said("1. Wh", "length")) == ()
