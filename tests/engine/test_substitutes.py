"""What a model lacks and what the run did instead is in the run's record, said once."""

from __future__ import annotations

import asyncio

import pytest
from watching import Seen

from promptkit import api
from promptkit.decisions import decide
from promptkit.events import Substituted, watch
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.types import Capabilities, Request, message

LOCAL = Capabilities(local=True, price=(0.0, 0.0))


def told(journal: Journal) -> list[tuple[str, str]]:
    (row,) = journal.runs()
    return [(e["wanted"], e["by"]) for e in journal.events(row.id) if e["type"] == "Substituted"]


def model(reply: str, **able: object) -> Scripted:
    has = Capabilities(local=True, price=(0.0, 0.0), **able)  # type: ignore[arg-type]
    return Scripted(lambda _: reply, name="able", capabilities=has)


@pytest.mark.parametrize(("native_n", "said"), [(1, 1), (8, 0)])
def test_a_call_for_each_sample(native_n: int, said: int, journal: Journal) -> None:
    api.run("sc", "which?", model=model("Answer: 7", native_n=native_n), journal=journal, n=5)
    assert [wanted for wanted, _ in told(journal)] == ["several samples in one call"] * said


@pytest.mark.parametrize(("able", "said"), [(False, 1), (True, 0)])
def test_a_form_in_words(able: bool, said: int, journal: Journal) -> None:
    api.run("direct", "which?", model=model("7", json_schema=able), output=int, journal=journal)
    assert [wanted for wanted, _ in told(journal)] == ["a reply held to a JSON schema"] * said


@pytest.mark.parametrize(
    ("able", "by"),
    [
        ({}, "words, read"),
        ({"logprobs": True}, "the log-prob"),
        ({"json_schema": True}, "a JSON"),
        ({"grammar": True}, ""),
    ],
)
def test_a_verdict_held_to_its_options_some_other_way(able: dict[str, bool], by: str) -> None:
    seen = Seen()
    with watch(seen):
        for _ in range(3):
            asyncio.run(
                decide(model("yes", **able), Request(messages=(message("user", "?"),)), ["yes", "no"], where="x")
            )
    found = seen.of(Substituted)
    assert len(found) == bool(by)
    assert all(each.by.startswith(by) for each in found)
