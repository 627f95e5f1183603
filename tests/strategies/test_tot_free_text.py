"""Breadth-first search over free text: where a thought states the answer, its line has ended."""

from __future__ import annotations

import promptkit as pk
from promptkit import api
from promptkit.events import LevelDone, Record
from promptkit.journal import Journal
from promptkit.types import Request


def steps(request: Request) -> str:
    """One step, then the answer; what goes on from there would be a step after the last."""
    asked = request.messages[-1].text
    if "sure/likely/impossible" in asked:
        return "sure"
    assert "Answer: 35" not in asked, "nothing follows an answer"
    return "Answer: 35" if "6 * 8 = 48" in asked else "First there are 6 * 8 = 48 cookies."


def test_a_stated_answer_ends_its_line_and_the_search(journal: Journal) -> None:
    seen: list[Record] = []
    outcome = api.run(
        "tot",
        "How many cookies are left?",
        pack="words",
        model=pk.Scripted(steps),
        journal=journal,
        sinks=[seen.append],
    )
    assert (outcome.answer, outcome.status) == ("35", "done")
    assert outcome.text.splitlines() == ["First there are 6 * 8 = 48 cookies.", "Answer: 35"]
    levels = [record.event for record in seen if isinstance(record.event, LevelDone)]
    assert len(levels) == 2, "of eight that are allowed"
