"""What a vote loses and what it reads: calls lost on the way, replies that do not fit, answers of another strategy."""

from __future__ import annotations

import pytest
from call_graph import prompt_of

from promptkit import api
from promptkit.balloting.votes import voting
from promptkit.errors import Unavailable
from promptkit.providers.scripted import Scripted
from promptkit.types import Capabilities, Completion, Request, Token

ABLE = Capabilities(seed=True, local=True, price=(0.0, 0.0), logprobs=True, grammar=True)
UNABLE = Capabilities(seed=True, local=True, price=(0.0, 0.0))


@pytest.fixture(autouse=True)
def one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTKIT_RETRY_ATTEMPTS", "1")


@pytest.mark.parametrize("able", [True, False])
def test_a_confidence_that_is_lost_sets_its_sample_aside(able: bool) -> None:
    """The fourth sample comes in a round of its own: the call that is lost is all of it."""

    def script(request: Request) -> str | Completion:
        asked = prompt_of(request)
        if "whole number from 0" in asked or "write 1, otherwise 0" in asked:
            if "Answer: 18" in "".join(turn.text for turn in request.messages):
                raise Unavailable("away")
            return Completion(text="1", model="m", logprobs=(Token("1", -0.5, (("1", -0.5),)),)) if able else "50"
        return f"Answer: {[17, 19, 17, 18, 17][request.index]}"

    model = Scripted(script, capabilities=ABLE if able else UNABLE)
    outcome = api.run("sc", "How much?", model=model, n=5, vote="cisc", journal="memory", reader="number")
    assert (outcome.answer, outcome.detail["aside"]) == ("17", 1)


def test_a_comparison_that_is_lost_joins_nothing() -> None:
    """Of three pairs the last is asked about in a later round, and lost: the others keep their answers."""

    def script(request: Request) -> str:
        asked = prompt_of(request)
        if "entail" in asked:
            if "Lima" in asked:
                raise Unavailable("away")
            return "no"
        return f"Answer: {['Rome', 'Oslo', 'Rome', 'Rome', 'Lima', 'Rome', 'Oslo'][request.index]}"

    model = Scripted(script, capabilities=ABLE)
    outcome = api.run("sc", "Where?", model=model, n=7, vote="cluster", journal="memory")
    assert outcome.answer == "Rome"


@pytest.mark.parametrize("how", ["universal", "cisc"])
def test_an_output_is_never_a_reply_that_does_not_fit(how: str) -> None:
    """Two replies are no JSON; the one that is needs no mending, whatever the vote thinks of it."""

    def script(request: Request) -> str:
        asked = prompt_of(request)
        if "whole number from 0" in asked:
            return "who knows"
        if "most consistent" in asked:
            return "The most consistent response is Response 1"
        return ["I cannot.", '{"n": 42}', "I cannot."][request.index]

    form = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    outcome = api.run(
        "sc", "Which?", model=Scripted(script, capabilities=UNABLE), n=3, vote=how, output=form, journal="memory"
    )
    assert outcome.answer == ('{"n":42}' if how == "universal" else None)
    assert outcome.usage.samples == {"universal": 3, "cisc": 5}[how], "nothing was asked to mend itself"


@pytest.mark.parametrize("of", [None, "cot"])
@pytest.mark.parametrize(
    ("reader", "said", "answer"),
    [
        ("boxed", [r"\boxed{\frac{1}{2}}", r"\boxed{0.5}", r"\boxed{2}"], 2),
        ("one of: yes, no", ["Hm.\nyes", "no", "Yes."], 2),
    ],
)
def test_answers_of_a_strategy_are_the_same_ones_as_of_chains(
    of: str | None, reader: str, said: list[str], answer: int
) -> None:
    model = Scripted(lambda request: said[request.draw[0]], capabilities=UNABLE)
    outcome = api.run("sc", "Well?", model=model, n=3, of=of, batch=3, reader=reader, journal="memory")
    assert dict(outcome.detail["votes"])[outcome.answer] == answer


def test_the_parameters_of_a_vote_may_be_quoted() -> None:
    assert voting('cisc(ask="p-true")') == voting("cisc(ask=p-true)")
