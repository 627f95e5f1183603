from __future__ import annotations

import asyncio
import hashlib
import json
import operator
import re
from importlib import resources

import pytest

from promptkit.errors import BadInput
from promptkit.providers.builtin import open_builtin
from promptkit.types import Provider, Request, message

DATA = resources.files("promptkit") / "_data"
SIGNS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


def test_what_it_says_of_itself() -> None:
    provider = open_builtin("", {})
    assert isinstance(provider, Provider)
    assert provider.id == "builtin"
    can = provider.capabilities
    assert (can.native_n, can.batch, can.context, can.packs) == (4, 4, 1024, ("game24", "words", "patterns"))
    assert can.local
    assert can.seed
    assert not can.tools


def test_identity_holds_the_weights() -> None:
    digest = hashlib.sha256((DATA / "builtin.gguf").read_bytes()).hexdigest()
    assert json.loads(open_builtin("builtin", {}).identity)["gguf"] == digest


def test_there_is_only_one() -> None:
    with pytest.raises(BadInput, match="one built-in model"):
        open_builtin("large", {})


def test_it_does_arithmetic() -> None:
    prompt = "Input: 4 5 6 10\nPossible next steps:"
    request = Request(messages=(message("user", prompt),), temperature=0.0, max_tokens=120)

    async def main() -> str:
        provider = open_builtin("", {})
        try:
            return (await provider.complete(request)).text
        finally:
            await provider.aclose()

    steps = re.findall(r"(\d+) ([-+*/]) (\d+) = (\d+) \(left: [\d ]+\)", asyncio.run(main()))
    assert len(steps) >= 3
    assert all(SIGNS[op](int(a), int(b)) == int(c) for a, op, b, c in steps)


def test_the_card_is_in_the_package_and_says_the_limits() -> None:
    card = (DATA / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "one line of training" in card
    assert "Arithmetic" in card
