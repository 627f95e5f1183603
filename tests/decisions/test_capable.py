"""What a model cannot do is refused before anything is sent or recorded, with a model named that can."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from promptkit import api
from promptkit.errors import BadInput, CapabilityMissing, UsageError
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.sampling import ask
from promptkit.types import (
    Blob,
    Capabilities,
    Message,
    Model,
    Outcome,
    Problem,
    Request,
    ToolCall,
    ToolSpec,
    Weak,
    message,
)

PICTURE = (Message("user", (Blob("image", "0" * 64, "image/png"),)),)
CALLED = (message("user", "x"), Message("assistant", (), (ToolCall("1", "f", "{}"),)))
WANTS: list[tuple[dict[str, Any], str, str]] = [
    ({"schema": "{}"}, "json_schema", "llamacpp:"),
    ({"grammar": 'root ::= "a"'}, "grammar", "llamacpp:"),
    ({"logprobs": 2}, "logprobs", "llamacpp:"),
    ({"tools": (ToolSpec("f", "", "{}"),)}, "tools", "Capabilities(tools=True)"),
    ({"messages": CALLED}, "tools", "Capabilities(tools=True)"),
    ({"messages": PICTURE}, "images", "openai:"),
]


@dataclass(frozen=True, slots=True)
class Wanting:
    """A strategy of one call that asks for more than text."""

    request: Request

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        completion = await ask(model, self.request, where="wanting")
        return Outcome(answer=completion.text)


@pytest.mark.parametrize(("fields", "can", "hint"), WANTS)
def test_refused_with_nothing_sent_and_nothing_recorded(
    fields: dict[str, Any], can: str, hint: str, journal: Journal
) -> None:
    sent: list[Request] = []

    def say(request: Request) -> str:
        sent.append(request)
        return "a"

    wanting = Wanting(Request(**{"messages": (message("user", "x"),), **fields}))
    with pytest.raises(CapabilityMissing) as caught:
        api.run(wanting, "x", model=Scripted(say), journal=journal)
    assert "scripted:python" in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.exit_code == 2
    assert not sent
    assert not journal.runs()
    able = Scripted(say, capabilities=replace(Capabilities(price=(0.0, 0.0)), **{can: True}))  # type: ignore[arg-type]
    assert api.run(wanting, "x", model=able, journal=journal).answer == "a"


@pytest.mark.parametrize("schema", ['{"type": "wat"}', '{"not": {}}', '{"format": "uri"}'])
def test_a_schema_that_cannot_be_used_leaves_no_run_behind(schema: str, journal: Journal) -> None:
    wanting = Wanting(Request(messages=(message("user", "x"),), schema=schema, max_tokens=8))
    with pytest.raises(UsageError):
        api.run(wanting, "x", pack="game24", model="builtin", journal=journal)
    assert not journal.runs()
    assert journal.stats()["completions"] == 0


def test_a_window_of_no_tokens_is_refused_before_anything_is_sent(journal: Journal) -> None:
    weak = Wanting(Request(messages=(message("user", "x"),), logprobs=20, weak=Weak(1.0, 0)))
    able = Scripted(lambda _: "a", capabilities=Capabilities(price=(0.0, 0.0), logprobs=True))
    with pytest.raises(BadInput, match="a window"):
        api.run(weak, "x", model=able, journal=journal)
    assert not journal.runs()
