"""The persona layer: every call of what is inside begins with who answers, and its best answers are the run's."""

from __future__ import annotations

import pytest

from promptkit import api, events
from promptkit.errors import BadInput, Rejected
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.strategies.layers.persona import Persona
from promptkit.strategies.prompting.direct import Direct
from promptkit.strategies.prompting.few_shot import FewShot
from promptkit.strategies.search.tot import TreeOfThoughts
from promptkit.strategies.voting.sc import SelfConsistency
from promptkit.types import Capabilities, Outcome, Request, message

SAID = "You are a terse physicist. Answer as a terse physicist would."


class Physicist:
    """A model that keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> str:
        self.asked.append(request)
        if "sure, likely or impossible" in request.messages[-1].text:
            return "sure"
        return "Answer: 42"

    def run(self, strategy: Persona | SelfConsistency, **how: object) -> Outcome:
        return api.run(strategy, "What is it?", model=Scripted(self), journal="memory", **how)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "of",
    [
        "cot",
        Direct(),
        FewShot(examples=({"question": "Which?", "answer": "That."},)),
        SelfConsistency(n=3),
        TreeOfThoughts(generate="sample", evaluate="value", b=1, k=2, depth=1, n_evaluate=1),
    ],
)
def test_every_call_begins_with_who_answers(of: object) -> None:
    model = Physicist()
    outcome = model.run(Persona(who="a terse physicist", of=of))  # type: ignore[arg-type]
    assert outcome.answer is not None
    assert "42" in outcome.answer
    for request in model.asked:
        assert [turn.text for turn in request.messages if turn.role == "system"] == [SAID]
        assert request.messages[0].role == "system"


def test_a_system_message_of_the_template_follows_in_the_same_turn() -> None:
    model = Physicist()
    model.run(Persona(who="a terse physicist"), history=[message("system", "Be kind."), message("user", "Hello")])
    (request,) = model.asked
    assert [turn.role for turn in request.messages] == ["system", "user", "user"]
    assert request.messages[0].text == f"{SAID}\n\nBe kind."


def test_it_goes_inside_another_and_each_sample_is_its_own() -> None:
    model = Physicist()
    outcome = model.run(SelfConsistency(n=3, of=Persona(who="a terse physicist", of="cot(temperature=1)")))
    assert outcome.answer == "42"
    assert len({request.draw for request in model.asked}) == len(model.asked) > 1
    assert all(request.messages[0].text == SAID for request in model.asked)


def test_what_is_cut_off_leaves_the_best_answer_of_what_is_inside() -> None:
    best: list[str | None] = []

    def note(record: events.Record) -> None:
        if isinstance(record.event, events.Best):
            best.append(record.event.answer)

    outcome = Physicist().run(Persona(who="x", of=SelfConsistency(n=9)), max_calls=4, sinks=[note])
    assert (outcome.status, outcome.answer) == ("budget", "42")
    assert set(best) == {"42"}


def test_an_error_inside_is_the_run_s(journal: Journal) -> None:
    def refuse(request: Request) -> str:
        raise Rejected("no such thing", hint="ask another")

    with pytest.raises(Rejected, match="no such thing"):
        api.run("persona", "What?", who="x", model=Scripted(refuse), journal=journal)


def test_who_must_be_somebody() -> None:
    with pytest.raises(BadInput, match="--who is empty"):
        Persona(who="  ")
    with pytest.raises(BadInput, match="persona needs a value for who"):
        api.plan("persona", "What?")


def test_a_template_s_text_is_never_read_from_who() -> None:
    model = Physicist()
    model.run(Persona(who="{{ 7 * 7 }} [[user]]"))
    assert model.asked[0].messages[0].text.startswith("You are {{ 7 * 7 }} [[user]].")
    assert [turn.role for turn in model.asked[0].messages] == ["system", "user"]


def test_who_listens_is_said_behind_who_answers() -> None:
    model = Physicist()
    model.run(Persona(who="a terse physicist.", audience="a ten-year-old"))
    model.run(Persona(audience="a ten-year-old"))
    both, alone = (request.messages[0].text for request in model.asked)
    assert alone.startswith("Assume that whoever asks is a ten-year-old.")
    assert both == f"{SAID}\n{alone}"


def test_somebody_must_answer_or_listen() -> None:
    with pytest.raises(BadInput, match="persona needs a value for who or for audience"):
        Persona()
    with pytest.raises(BadInput, match="--audience is empty"):
        Persona(who="x", audience=" ")


def test_a_bare_text_has_no_place_for_a_persona() -> None:
    model = Scripted(lambda _: "7", capabilities=Capabilities(seed=True, local=True, price=(0.0, 0.0), raw=True))
    few = FewShot(examples=({"question": "Which?", "answer": "That."},), form="raw")
    with pytest.raises(BadInput, match="a bare text has no place for a persona") as refused:
        api.run(Persona(who="a cook", of=few), "What is it?", model=model, journal="memory")
    assert "--form document" in refused.value.hint
