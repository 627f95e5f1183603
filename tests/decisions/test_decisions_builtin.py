"""The built-in model decides: a thousand verdicts, and every one of them read."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random

import pytest

from promptkit import prompts
from promptkit.decisions import Decision, decide_all
from promptkit.providers.builtin import open_builtin


@pytest.mark.parametrize("direct", [pytest.param(False, marks=pytest.mark.slow), True])
def test_a_thousand_verdicts_and_none_unreadable(direct: bool) -> None:
    made = asyncio.run(value(250, 4, direct))
    how = Counter(decision.how for decision in made)
    print(f"{len(made)} verdicts{' directly' if direct else ''}, unreadable {how['unreadable']}: {dict(how)}")
    assert len(made) == 1000
    assert how["unreadable"] == 0
    assert {"sure", "impossible"} <= {decision.verdict for decision in made} <= {"sure", "likely", "impossible"}


def test_a_judgement_cut_short_is_asked_for_again_under_a_grammar() -> None:
    made = asyncio.run(value(10, 4, False, max_tokens=6))
    assert "grammar" in {decision.how for decision in made}
    assert all(decision.verdict for decision in made)


async def value(states: int, n: int, direct: bool, **decoding: int) -> list[Decision]:
    """n verdicts on each of so many states of two or three numbers."""
    dice, template = Random(24), prompts.pack("game24").template("value")
    shown = [" ".join(str(dice.randint(1, 13)) for _ in range(dice.choice((2, 3)))) for _ in range(states)]
    provider = open_builtin("", {})
    try:
        asked = [template.request({"state": state}, **decoding).at(i) for state in shown for i in range(n)]
        return await decide_all(provider, asked, tuple(template.scores), where="value", direct=direct)
    finally:
        await provider.aclose()
