"""What stays of a dialogue on the screen: no question that was answered."""

from __future__ import annotations

from promptkit.events import Delta, Event, HumanAnswered, Record, RunStarted
from promptkit.render import stream
from promptkit.render.state import RunState
from promptkit.types import Usage

QUESTION = "What may it cost?"


def test_an_answered_question_is_no_panel_even_where_the_end_of_its_call_was_not_told() -> None:
    state = RunState()
    begun = RunStarted("r1", "flipped", "m", "Plan a trip.", "general", {})
    told: list[tuple[str, Event]] = [
        ("flipped", begun),
        ("flipped/ask-0", Delta((0,), f"{QUESTION}\n")),
        ("flipped", HumanAnswered(0, QUESTION, "500", "terminal")),
    ]
    for seq, (span, event) in enumerate(told):
        state.feed(Record(seq, float(seq), span, Usage(), event))
    assert state.snapshot().drafts == ()
    assert stream.final(state.snapshot(), 80, 24) == []
