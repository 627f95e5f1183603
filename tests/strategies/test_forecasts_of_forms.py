"""What a prompting strategy announces is what it takes, also where an output has a form and must be mended."""

from __future__ import annotations

import json
from typing import Any

import pytest
from script_by_prompt import Script, run

from promptkit import registry
from promptkit.announced import forecast, reply, within
from promptkit.composition import inner
from promptkit.strategies.prompting.cove import ChainOfVerification
from promptkit.types import Problem, Request, Strategy

FORM: dict[str, Any] = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
PROBLEM = Problem(text="6 times 7?", output_schema=json.dumps(FORM))
STRATEGIES = (
    "direct",
    "cot",
    "few-shot(n=0)",
    "plan-and-solve",
    "least-to-most(most=2)",
    "least-to-most(most=2, of=cot)",
    "step-back",
    "self-ask(most=2)",
    "cove(most=2)",
    "skeleton(most=3)",
    "auto-cot(k=2, tries=1)",
    "knowledge(m=2)",
    "analogical",
    "re-read",
    "rephrase",
    "rephrase(two_calls=true)",
    'persona(who="a clerk")',
)
LIST = "1. What is six?\n2. What is seven?\n3. What is times?"


def formless(request: Request) -> str:
    """Lists what it is asked to list, asks on and on, and fits the form only when it is shown what was wrong."""
    prompt = request.messages[-1].text
    if "JSON" in prompt:
        return "forty-two" if len(request.messages) == 1 else '{"n": 42}'
    if "Follow up" in prompt:
        return f"Follow up: What is {prompt.count('Intermediate')}?"
    if any(words in prompt for words in ("the skeleton", "simpler questions", "verification questions")):
        return LIST
    return "So it is.\nAnswer: 42"


def made(spelled: str) -> Strategy:
    strategy = inner(spelled)
    assert strategy
    return strategy


def test_every_strategy_that_reads_a_reply_is_here() -> None:
    here = {registry.name_of("strategy", made(each)) for each in STRATEGIES}
    room = {
        n for n, target in registry.BUILT_IN["strategy"].items() if target.startswith("promptkit.strategies.prompting.")
    }
    assert room - here == {"program"}, "which reads what its program says, and mends that"


@pytest.mark.parametrize("spelled", STRATEGIES)
def test_a_reply_that_must_be_mended_is_in_what_it_announces(spelled: str) -> None:
    script = Script(("", formless))
    done = run(made(spelled), script, PROBLEM.text, output=FORM)
    said = forecast(made(spelled), PROBLEM)
    assert done.outcome.value == {"n": 42}
    assert said.most is not None
    assert said.least <= len(script.asked) <= said.most


@pytest.mark.parametrize("spelled", STRATEGIES)
def test_the_largest_that_fits_takes_no_more(spelled: str) -> None:
    for samples in (2, 5, 8):
        if smaller := within(made(spelled), PROBLEM, samples):
            script = Script(("", formless))
            run(smaller, script, PROBLEM.text, output=FORM)
            assert len(script.asked) <= samples
    most = forecast(made(spelled), PROBLEM).most
    assert most is not None
    assert within(made(spelled), PROBLEM, most) == made(spelled)


def test_a_draft_that_a_program_finds_right_is_all_that_it_takes() -> None:
    script = Script(("", "Answer: 4 + 5 * 6 - 10"))
    done = run(ChainOfVerification(), script, "4 5 6 10", pack="game24")
    assert done.outcome.verified
    said = forecast(ChainOfVerification(), Problem(text="4 5 6 10", pack="game24"))
    assert (len(script.asked), said.least) == (1, 1)


def test_one_reply() -> None:
    assert (reply(Problem(text="?")).most, reply(PROBLEM).most) == (1, 2)
