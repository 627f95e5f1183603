"""How sure a model was of a token: what a form forbids beside it says nothing about that."""

from __future__ import annotations

from math import inf, nan

import pytest

from promptkit.types import Completion, Token, Weak
from promptkit.weak import confidence, ended


@pytest.mark.parametrize("never", [-9999.0, -inf, nan])
def test_what_cannot_be_is_left_out_of_the_mean(never: float) -> None:
    assert confidence(Token("a", -1.0, (("a", -1.0), ("b", -3.0), ("c", never)))) == pytest.approx(2.0)


@pytest.mark.parametrize("never", [-9999.0, -inf])
def test_a_token_that_was_the_only_one_allowed_is_neither_sure_nor_weak(never: float) -> None:
    forced = Token("{", 0.0, (("{", 0.0), ("b", never)))
    assert confidence(forced) is None
    whole = Completion(text="{{{", model="m", logprobs=(forced,) * 3)
    assert ended(whole, Weak(below=1.0, window=2)) == whole


def test_a_token_told_alone_counts() -> None:
    assert confidence(Token("a", -2.0, (("a", -2.0),))) == pytest.approx(2.0)
