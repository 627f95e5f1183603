"""A person is asked once: answers are kept the moment they are given, by the run alone, and the clock stands still."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

import promptkit as pk
from promptkit import api, registry
from promptkit.asking import asked
from promptkit.errors import BadInput, PromptkitError, ReplayMiss, Unanswered
from promptkit.events import HumanAnswered, Record
from promptkit.journal import Journal, Keep
from promptkit.runtime.answering import Question, Written, source
from promptkit.runtime.dialogue import data
from promptkit.runtime.run import execute
from promptkit.sampling import ask
from promptkit.types import Model, Outcome, Problem, Request, message

MODEL = pk.Scripted(lambda _: "said", name="said")


@dataclass(frozen=True, slots=True, kw_only=True)
class Curious:
    """Asks these questions, with a call behind each."""

    asks: ClassVar[bool] = True
    what: Sequence[str] = ("How much?", "How much?", "When?")  # the questions

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """What was answered."""
        said = []
        for number, question in enumerate(self.what):
            said.append(await asked(question))
            await ask(model, Request(messages=(message("user", f"{number}: {said}"),)), where=f"call-{number}")
        return Outcome(answer=", ".join(str(each) for each in said))


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.BUILT_IN["strategy"], "curious", f"{__name__}:Curious")


def run(journal: Journal, answers: Any, **how: Any) -> Outcome:
    return pk.run(Curious(), "?", model=MODEL, journal=journal, answers=answers, **how)


def begun(journal: Journal, answers: Any) -> str:
    """The id of a run that lacks an answer."""
    with pytest.raises(Unanswered) as caught:
        run(journal, answers)
    return caught.value.run


@pytest.mark.parametrize(
    "answers",
    [
        ["1", "2", "3"],
        {1: "1", 2: "2", 3: "3"},
        {"when": "3", 1: "1", "MUCH": "2"},
    ],
)
def test_answers_in_python(answers: Any, journal: Journal) -> None:
    assert run(journal, answers).answer == "1, 2, 3"


def test_the_same_question_twice_is_two_questions(journal: Journal) -> None:
    first = run(journal, ["1", "2", "3"])
    assert [(each.question, each.answer) for each in journal.answers(first.run)] == [
        ("How much?", "1"),
        ("How much?", "2"),
        ("When?", "3"),
    ]
    assert pk.replay(first.run, journal=journal).answer == "1, 2, 3"


def test_an_answer_is_its_run_s_alone(journal: Journal) -> None:
    run(journal, ["1", "2", "3"])
    assert run(journal, ["4", "5", "6"]).answer == "4, 5, 6"


def test_a_function_is_called_where_run_waits_for_it(journal: Journal) -> None:
    threads: list[int] = []

    def answer(question: str) -> str:
        threads.append(threading.get_ident())
        return question

    run(journal, answer)
    assert set(threads) == {threading.get_ident()}  # so that input() and Ctrl-C work


def test_dialogues_at_once_ask_one_question_at_a_time(journal: Journal) -> None:
    open_now: list[int] = []
    most: list[int] = []

    async def answer(question: str) -> str:
        open_now.append(1)
        most.append(len(open_now))
        await asyncio.sleep(0.001)
        open_now.pop()
        return "a"

    outcome = pk.run("sc", "?", n=3, of="curious", model=MODEL, journal=journal, answers=answer)
    assert (outcome.answer, max(most)) == ("a, a, a", 1)
    assert len(most) >= 6  # the vote ends when two agree
    assert pk.replay(outcome.run, journal=journal).answer == "a, a, a"
    with pytest.raises(BadInput, match="sc asks you questions"):  # also from inside
        pk.run("sc", "?", n=3, of="curious", model=MODEL, journal=journal)


def test_a_coroutine_is_awaited(journal: Journal) -> None:
    async def answer(question: str) -> str:
        await asyncio.sleep(0)
        return question

    assert run(journal, answer).answer == "How much?, How much?, When?"
    assert asyncio.run(pk.arun(Curious(), "?", model=MODEL, journal=journal, answers=answer)).answer


def test_the_end_of_the_input_is_no_answer(journal: Journal) -> None:
    def answer(question: str) -> str:
        raise EOFError

    assert run(journal, answer).answer == "None, None, None"
    assert run(journal, lambda question: None).answer == "None, None, None"
    said = iter(["a"])
    assert run(journal, lambda question: next(said)).answer == "a, None, None"


def test_an_interrupt_at_a_question_keeps_what_was_answered(journal: Journal) -> None:
    def answer(question: str) -> str:
        if question == "When?":
            raise KeyboardInterrupt
        return "a"

    with pytest.raises(KeyboardInterrupt):
        run(journal, answer)
    (row,) = journal.runs()
    assert (row.status, [each.answer for each in journal.answers(row.id)]) == ("cancelled", ["a", "a"])
    assert pk.replay(row.id, journal=journal).status == "cancelled"
    seen: list[Record] = []
    outcome = pk.resume(row.id, model=MODEL, journal=journal, answers={3: "b"}, sinks=[seen.append])
    assert outcome.answer == "a, a, b"
    by = [each.event.by for each in seen if isinstance(each.event, HumanAnswered)]
    assert by == ["journal", "journal", "caller"]


def test_nobody_is_asked_for_what_was_answered(journal: Journal) -> None:
    id = begun(journal, ["1", "2"])
    assert pk.resume(id, model=MODEL, journal=journal, answers={"when": "3"}).answer == "1, 2, 3"
    assert pk.resume(id, model=MODEL, journal=journal).answer == "1, 2, 3"  # it needs no answer any more


def test_a_run_that_lacks_an_answer_says_so_again_in_its_replay(journal: Journal) -> None:
    id = begun(journal, ["1", "2"])
    with pytest.raises(Unanswered, match=r"no answer to question 3: When\?"):
        pk.replay(id, journal=journal)
    with pytest.raises(Unanswered, match="nobody is there to answer question 3"):
        pk.resume(id, model=MODEL, journal=journal)


def test_a_replay_asks_nobody(journal: Journal) -> None:
    done = run(journal, ["1", "2", "3"])
    plan = api.plan_replay(done.run, journal=journal)
    with pytest.raises(ReplayMiss, match="an answer of yours"):
        asyncio.run(execute(replace(plan, strategy=Curious(what=["Why?"]), answers=source(["x"]))))


def test_a_new_run_without_anybody_is_refused_and_not_recorded(journal: Journal) -> None:
    with pytest.raises(BadInput, match="asks you questions, and nobody is there"):
        run(journal, None)
    assert journal.runs() == []


@pytest.mark.parametrize("answers", [3, b"a", [1], {"a": None}, {"(": "a"}, object()])
def test_what_answers_nothing(answers: Any) -> None:
    with pytest.raises(BadInput):
        source(answers)


def test_a_function_that_gives_no_text(journal: Journal) -> None:
    with pytest.raises(BadInput, match="answers gave a int to question 1"):
        run(journal, lambda question: 1)


def test_a_number_goes_before_an_expression() -> None:
    written = Written({"2": "b", "how": "a"})
    asked = [written.answer(Question(number, "How much?")) for number in (1, 2)]
    assert [asyncio.run(each) for each in asked] == ["a", "b"]


def test_the_clock_stands_still_while_somebody_thinks(journal: Journal) -> None:
    def slow(question: str) -> str:
        time.sleep(0.3)
        return "a"

    assert run(journal, slow, timeout=0.5).status == "done"


def test_the_clock_goes_on_afterwards(journal: Journal) -> None:
    async def away(_: Request) -> str:
        await asyncio.sleep(30)
        return ""

    model = pk.Scripted(away, name="away")
    outcome = pk.run(Curious(), "?", model=model, journal=journal, answers=["1"], timeout=0.1)
    assert outcome.status == "budget"


def test_answers_are_data() -> None:
    assert data(" a\x1b[31mb\x07\x00\x9b c\r\nd\te\ud800 \x1b]0;title\x07") == "ab c\nd\te?"


def test_answers_are_counted_as_nobody_s_completions(journal: Journal) -> None:
    done = run(journal, ["1", "2", "3"])
    assert journal.stats()["completions"] == journal.holdings()["completions"] == 3
    assert journal.holdings()["programs"] == 0
    assert [each["model"] for each in journal.holdings()["models"]] == ["scripted:said"]
    assert (journal.run(done.run).calls, len(journal.calls(done.run)), len(journal.programs(done.run))) == (3, 3, 0)


def test_a_run_that_stays_keeps_its_answers_and_one_that_goes_does_not(journal: Journal) -> None:
    unfinished = begun(journal, ["1", "2"])
    journal.prune(Keep(runs=1))
    assert [each.answer for each in journal.answers(unfinished)] == ["1", "2"]
    run(journal, ["1", "2", "3"])
    assert journal.prune(Keep(runs=1)).runs == (unfinished,)
    with pytest.raises(PromptkitError):
        journal.answers(unfinished)


def test_outside_a_run_there_is_nobody_to_ask() -> None:
    with pytest.raises(Unanswered):
        asyncio.run(Curious().solve(Problem(text="?"), MODEL))


def test_a_file_that_is_gone_is_not_missed_by_a_run_that_goes_on(journal: Journal, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("- 1\n- 2\n")
    id = begun(journal, tmp_path / "a.yaml")
    (tmp_path / "a.yaml").unlink()
    assert pk.resume(id, model=MODEL, journal=journal, answers=lambda question: "3").answer == "1, 2, 3"
    assert pk.resume(id, model=MODEL, journal=journal).answer == "1, 2, 3"
