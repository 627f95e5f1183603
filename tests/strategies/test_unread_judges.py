"""A judge that nobody can read is told of once, and counted: what it leads is blind."""

from __future__ import annotations

import pytest
from retold import Told, told

from promptkit.composition import inner
from promptkit.events import Warned
from promptkit.types import Request

# What is found in a prompt that asks for a verdict, and one that can be read there.
VERDICTS = {
    "Judge whether these steps": "sure",
    "Decide which choice": "The best choice is 1",
    "Is the proposed answer right": "yes",
    "Give feedback on the draft": "Verdict: 4",
}
AGAIN = "Now give only your verdict"

JUDGED = [
    "tot(depth=1, k=2, evaluate=value, n_evaluate=1)",
    "tot(depth=1, k=2, evaluate=vote, n_evaluate=3)",
    "tot(depth=1, k=2, evaluator=cot)",
    "beam(depth=1)",
    "mcts(depth=1, iterations=2)",
    "ab-mcts(nodes=2)",
    "lats(depth=1, n=2, iterations=2)",
    "reflexion(evaluator=judge, trials=2)",
    'graph-of-thoughts(plan="generate(1) validate(1)")',
]


def judged(spec: str, *, clear: bool, **how: object) -> Told:
    """What becomes of a search whose judge is clear, or says nothing that could be read."""

    def say(prompt: str, request: Request) -> str:
        wanted = next((word for part, word in VERDICTS.items() if part in prompt), None)
        if wanted or AGAIN in prompt:
            return f"So it is.\n{wanted}" if clear else "Hm, who can tell"
        return f"I go on, {request.draw}.\nAnswer: 42"

    strategy = inner(spec)
    assert strategy
    return told(strategy, say, **how)


def warnings(ran: Told) -> list[str]:
    return [event.message for event in ran.of(Warned) if "judged" in event.message]


@pytest.mark.parametrize("spec", JUDGED)
def test_a_judge_that_cannot_be_read_is_told_once_and_counted(spec: str) -> None:
    ran = judged(spec, clear=False)
    (warning,) = warnings(ran)
    assert "could" in warning
    detail = ran.outcome.detail
    assert detail["unread"] == detail["judged"] > 0


@pytest.mark.parametrize("spec", JUDGED)
def test_a_judge_that_can_be_read_is_not_mentioned(spec: str) -> None:
    ran = judged(spec, clear=True)
    assert not warnings(ran)
    assert "unread" not in ran.outcome.detail


def test_a_run_that_a_cap_ends_tells_it_too() -> None:
    ran = judged("tot(depth=1, k=2, evaluate=value, n_evaluate=1)", clear=False, max_calls=5)
    assert ran.outcome.status == "budget"
    assert len(warnings(ran)) == 1
