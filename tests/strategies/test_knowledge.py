"""Generated knowledge: statements are sampled, each is in view of one answer, and the answers vote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from script_by_prompt import NUMBER, Script, cut, run

from promptkit.announced import within
from promptkit.errors import BadInput, CapabilityMissing, QuorumLost, Unavailable
from promptkit.strategies.prompting.knowledge import GeneratedKnowledge
from promptkit.types import Problem, Request

STATE, SOLVE = "Generate some knowledge", "Explain in at most three sentences"
STATEMENTS = ["A week has 7 days.", "a week has 7 days", "Six weeks are 42 days.", "Weeks differ."]


def by_view(**answers: str) -> Callable[[Request], str]:
    """Answers by the first word of what is in view; `none` without."""

    def solve(request: Request) -> str:
        first = request.messages[-1].text.split()[0].lower()
        return f"So.\nAnswer: {answers.get(first, answers['none'])}"

    return solve


def test_each_statement_is_in_view_of_one_answer_and_none_of_one() -> None:
    script = Script((STATE, STATEMENTS), (SOLVE, by_view(none="42")))
    done = run(GeneratedKnowledge(m=4), script, **NUMBER)
    stated = [request for request in script.asked if STATE in request.messages[-1].text]
    assert [request.draw for request in stated] == [(0,), (1,), (2,), (3,)]
    assert {request.temperature for request in stated} == {0.7}
    views = [prompt for prompt in script.prompts if SOLVE in prompt]
    assert views[0].startswith("How many?")
    assert views[1].startswith("A week has 7 days.\n\nHow many?")
    assert done.outcome.detail["statements"] == [STATEMENTS[0], STATEMENTS[2], STATEMENTS[3]]
    assert done.outcome.detail["repeated"] == 1
    assert done.outcome.answer == done.best[-1] == "42"


def test_the_answers_vote() -> None:
    script = Script((STATE, STATEMENTS), (SOLVE, by_view(none="41", a="42", six="42", weeks="42")))
    done = run(GeneratedKnowledge(m=4), script, **NUMBER)
    assert (done.outcome.answer, done.outcome.confidence) == ("42", 0.75)
    assert dict(done.outcome.detail["votes"]) == {"42": 3, "41": 1}


def test_a_tie_is_nobodys_answer() -> None:
    script = Script((STATE, "A week has 7 days."), (SOLVE, by_view(none="41", a="42")))
    done = run(GeneratedKnowledge(m=1), script, **NUMBER)
    assert (done.outcome.answer, done.outcome.status) == (None, "undecided")
    assert sorted(done.outcome.detail["tied"]) == ["41", "42"]


def test_statements_that_say_nothing_are_counted() -> None:
    script = Script((STATE, [" ", cut("A week has sev"), "A week has 7 days."]), (SOLVE, by_view(none="42")))
    done = run(GeneratedKnowledge(m=3), script)
    assert (done.outcome.detail["lost"], done.outcome.detail["statements"]) == (2, ["A week has 7 days."])
    assert not any("sev\n" in prompt for prompt in script.prompts)


def test_without_a_statement_the_question_is_answered_without() -> None:
    script = Script((STATE, " "))
    done = run(GeneratedKnowledge(m=2), script)
    assert (len(script.asked), done.outcome.answer) == (3, "42")
    assert "no statement could be read" in done.told


def test_too_few_statements_are_an_error() -> None:
    down = Unavailable("down")
    with pytest.raises(QuorumLost):
        run(GeneratedKnowledge(m=3), Script((STATE, ["A week has 7 days.", down, down])))
    with pytest.raises(Unavailable):
        run(GeneratedKnowledge(m=2), Script((STATE, down)))


def test_a_likelihood_is_refused_where_the_model_tells_none() -> None:
    with pytest.raises(CapabilityMissing):
        run(GeneratedKnowledge(vote="weighted"), Script((STATE, STATEMENTS)))


def test_an_output_that_fits_nowhere_is_asked_for_again() -> None:
    script = Script((STATE, "A week has 7 days."), ("cannot be used", '{"n": 42}'), (SOLVE, "Perhaps."))
    done = run(GeneratedKnowledge(m=1), script, output={"type": "object"})
    assert done.outcome.value == {"n": 42}


def test_what_it_may_take() -> None:
    problem = Problem(text="How many?")
    assert GeneratedKnowledge().forecast(problem).most == 11
    assert within(GeneratedKnowledge(), problem, 6) == GeneratedKnowledge(m=2)
    assert within(GeneratedKnowledge(), problem, 2) is None
    wrong: list[dict[str, Any]] = [{"m": 0}, {"temperature": 0.0}, {"vote": "borda"}, {"quorum": 2.0}]
    for each in wrong:
        with pytest.raises(BadInput):
            GeneratedKnowledge(**each)
    assert GeneratedKnowledge(m=1, temperature=0.0).temperature == 0.0
