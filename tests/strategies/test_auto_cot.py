"""Auto-CoT: examples the model makes itself, of questions that differ; no answer of the file is looked at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from script_by_prompt import NUMBER, Rule, Script, cut, run

from promptkit.announced import within
from promptkit.errors import BadInput, Unavailable
from promptkit.journal import Journal
from promptkit.strategies.prompting.auto_cot import AutoCoT
from promptkit.types import Message, Problem

TRAINS = [f"A train drives {n} km at {n * 2} km per hour. How long does the train take?" for n in range(1, 5)]
APPLES = [f"Anna has {n} apples and eats one of the apples. How many apples has she left?" for n in range(1, 5)]
QUESTION = "Ben has 43 pears and eats one. How many?"
CHAIN: Rule = ("step by step", "First this.\nThen that.\nAnswer: 7")


def held() -> tuple[str, ...]:
    return (*TRAINS, *APPLES)


def examples(script: Script) -> tuple[Message, ...]:
    """What stands before the question in the last call."""
    return script.asked[-1].messages[:-1]


def test_one_example_of_each_cluster_is_made_and_shown() -> None:
    script = Script(CHAIN)
    done = run(AutoCoT(questions=held(), k=2), script, QUESTION, **NUMBER)
    assert len(script.asked) == 3
    asked = {request.messages[0].text.split("\n")[0] for request in script.asked[:2]}
    assert len(asked & set(TRAINS)) == len(asked & set(APPLES)) == 1
    shown = examples(script)
    assert [turn.role for turn in shown] == ["user", "assistant"] * 2
    assert {turn.text.split("\n")[0] for turn in shown[::2]} == asked
    assert {turn.text for turn in shown[1::2]} == {"First this.\nThen that.\nAnswer: 7"}
    assert script.prompts[-1].startswith(QUESTION)
    assert (done.outcome.answer, done.best) == ("7", ["7"])


def test_the_same_examples_serve_the_next_question_for_nothing() -> None:
    with Journal.open(None) as journal:
        how = {"journal": journal, **NUMBER}
        run(AutoCoT(questions=held(), k=2), Script(CHAIN), QUESTION, **how)
        script = Script(CHAIN)
        done = run(AutoCoT(questions=held(), k=2), script, "Another one: how many?", **how)
    assert len(script.asked) == 1
    assert done.outcome.usage.cached_calls == 2


BARE, LONG = "Answer: 7", "\n".join([*"abcdef", "Answer: 7"])


@pytest.mark.parametrize(
    "first", [BARE, LONG, "This.\nIt depends.", cut("First this.\nAnswer: 7"), Unavailable("down")]
)
def test_a_chain_that_does_not_pass_gives_way_to_the_next_of_its_cluster(first: object) -> None:
    same = [f"How many apples are {n} apples?" for n in range(1, 5)]
    tried: list[str] = []

    def chain(request: object) -> str:
        text = request.messages[-1].text.split("\n")[0]  # type: ignore[attr-defined]
        if text in same:
            tried.append(text)
        if text in same and len(tried) == 1:
            if isinstance(first, Exception):
                raise first
            return first  # type: ignore[return-value]
        return "First this.\nAnswer: 7"

    script = Script(("step by step", chain))
    done = run(AutoCoT(questions=same, k=1), script, QUESTION, **NUMBER)
    assert len(tried) == 2
    assert [each["question"] for each in done.outcome.detail["demonstrations"]] == tried[1:]
    assert done.outcome.detail["failed"] == isinstance(first, Exception)


def test_without_a_single_example_it_is_asked_without_and_told() -> None:
    script = Script(
        ("step by step", lambda request: BARE if QUESTION not in request.messages[-1].text else "Answer: 7")
    )
    done = run(AutoCoT(questions=held(), k=2, tries=2), script, QUESTION, **NUMBER)
    assert len(script.asked) == 2 * 2 + 1
    assert examples(script) == ()
    assert "2 of 2 clusters have no question that makes an example" in done.told
    assert done.outcome.answer == "7"


def test_when_every_call_fails_so_does_the_run() -> None:
    with pytest.raises(Unavailable):
        run(AutoCoT(questions=held(), k=2), Script(("step by step", Unavailable("down"))), QUESTION)


def test_long_questions_and_the_question_itself_are_never_asked() -> None:
    long = " ".join(["why"] * 61) + "?"
    script = Script(CHAIN)
    run(AutoCoT(questions=[long, QUESTION.upper(), *TRAINS[:1]], k=8), script, QUESTION, **NUMBER)
    assert [prompt.split("\n")[0] for prompt in script.prompts] == [TRAINS[0], QUESTION]


def test_the_answers_in_a_file_are_not_looked_at(tmp_path: Path) -> None:
    lines = [json.dumps({"question": each, "answer": "GOLD", "rationale": "GOLD"}) for each in held()]
    (tmp_path / "solved.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "asked.txt").write_text("\n\n".join(held()), encoding="utf-8")
    seen = []
    for name in ("solved.jsonl", "asked.txt"):
        script = Script(CHAIN)
        run(AutoCoT(questions=tmp_path / name, k=2), script, QUESTION, **NUMBER)
        assert not any("GOLD" in turn.text for request in script.asked for turn in request.messages)
        seen.append(script.prompts)
    assert seen[0] == seen[1]


def test_a_program_keeps_wrong_examples_out() -> None:
    right, wrong = "2 3 4 4", "1 4 9 11"
    script = Script((f"Input: {wrong}", "x\nAnswer: 1 + 4 + 9 + 11"), ("", "x\nAnswer: (2 + 4) * (3 + 4) - 4"))
    done = run(AutoCoT(questions=[right, wrong], k=2), script, "4 5 6 10", pack="game24")
    assert done.outcome.detail["demonstrations"] == []


def test_the_questions_themselves_are_remembered(tmp_path: Path) -> None:
    file = tmp_path / "asked.txt"
    file.write_text("\n".join([*TRAINS, TRAINS[0].upper()]), encoding="utf-8")
    made = AutoCoT(questions=str(file)).resolved(Problem(text=QUESTION))
    assert made.questions == tuple(TRAINS)


def test_without_questions_those_of_the_packs_examples_are_taken() -> None:
    script = Script(CHAIN)
    run(AutoCoT(), script, QUESTION)
    assert len(script.asked) == 5


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [("no.txt", None, "No such file"), ("empty.txt", " \n", "no questions"), ("x.pdf", "?", "not an examples file")],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, name: str, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=said):
        run(AutoCoT(questions=tmp_path / name), Script(), QUESTION)


def test_what_it_may_take() -> None:
    problem = Problem(text=QUESTION)
    assert AutoCoT(questions=held(), k=2).forecast(problem).most == 7
    assert AutoCoT(questions=held()).forecast(problem).most == 9  # each is asked once at most
    assert within(AutoCoT(questions=held(), k=2), problem, 5) == AutoCoT(questions=held(), k=2, tries=2)
    assert within(AutoCoT(questions=held(), k=4), problem, 3) == AutoCoT(questions=held(), k=2, tries=1)
    for wrong in ({"k": 0}, {"tries": 0}):
        with pytest.raises(BadInput):
            AutoCoT(**wrong)  # type: ignore[arg-type]
