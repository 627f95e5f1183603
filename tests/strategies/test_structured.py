"""The structured layer: the form is said, looked for, repaired once, and reported; the answer stays what it is."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from script_by_prompt import Script

from promptkit import api
from promptkit.announced import forecast, within
from promptkit.errors import BadInput, Rejected, Unavailable
from promptkit.events import Best, Record, Warned
from promptkit.journal import Journal
from promptkit.layering.keeping import holds
from promptkit.providers.scripted import Scripted
from promptkit.runtime.run import execute
from promptkit.strategies.layers.structured import Structured
from promptkit.types import Capabilities, Completion, Outcome, Problem

TABLE = "| city | people |\n| --- | --- |\n| Lyon | 0.5 |"
REASONED = "Lyon, I think.\n\nAnswer: Lyon"
AGAIN = "does not have the form"
WORDS = Capabilities(seed=True, local=True, price=(0.0, 0.0))
GRAMMAR = Capabilities(seed=True, local=True, price=(0.0, 0.0), grammar=True)
SCHEMA = Capabilities(seed=True, local=True, price=(0.0, 0.0), json_schema=True)


def run(
    script: Script, of: str = "cot", form: str = "table:city,people", can: Capabilities = WORDS, **how: Any
) -> tuple[Outcome, list[Record]]:
    seen: list[Record] = []
    with Journal.open(None) as journal:
        model = Scripted(script, capabilities=can)
        plan = api.plan(Structured(form=form, of=of), "Which city?", model=model, journal=journal, **how)
        plan = replace(plan, options=replace(plan.options, attempts=1))
        return asyncio.run(execute(plan, [seen.append])), seen


def told(outcome: Outcome) -> dict[str, Any]:
    return dict(outcome.detail["structured"])


def test_the_form_is_asked_for_and_form_and_answer_are_both_kept() -> None:
    script = Script(otherwise=f"Let me think.\n\n{TABLE}\n\nAnswer: Lyon")
    outcome, _ = run(script)
    assert (outcome.answer, outcome.status) == ("Lyon", "done")
    assert told(outcome) == {
        "form": "table:city,people",
        "valid": True,
        "text": TABLE,
        "repaired": False,
        "fault": "",
    }
    (prompt,) = script.prompts
    assert prompt.startswith("Which city?\n\nWrite it as a Markdown table")
    assert "| city | people |" in prompt


def test_a_reply_without_the_form_is_asked_for_once_more_with_what_is_wrong() -> None:
    script = Script((AGAIN, TABLE), otherwise=REASONED)
    outcome, seen = run(script)
    assert (outcome.answer, outcome.text, told(outcome)["repaired"]) == ("Lyon", TABLE, True)
    assert len(script.asked) == 2
    assert "there is no Markdown table" in script.prompts[1]
    assert REASONED in script.prompts[1]
    assert "The answer it comes to: Lyon" in script.prompts[1]
    bests = [each.event for each in seen if isinstance(each.event, Best)]
    assert [(each.answer, each.text) for each in bests] == [("Lyon", REASONED), ("Lyon", TABLE)]


def test_what_cannot_be_repaired_is_reported_and_nothing_is_lost() -> None:
    script = Script(otherwise=REASONED)
    outcome, seen = run(script)
    assert (outcome.answer, outcome.text, outcome.status) == ("Lyon", REASONED, "done")
    assert (told(outcome)["valid"], told(outcome)["text"], len(script.asked)) == (False, None, 2)
    assert told(outcome)["repaired"] is False
    (warning,) = (each.event for each in seen if isinstance(each.event, Warned))
    assert "does not have the form table: there is no Markdown table" in warning.message


def test_a_repair_that_fails_loses_the_form_and_not_the_answer() -> None:
    outcome, _ = run(Script((AGAIN, Unavailable("down")), otherwise=REASONED))
    assert outcome.answer == "Lyon"
    assert "the call that was to mend it failed: down" in told(outcome)["fault"]


def test_an_error_of_the_strategy_inside_is_the_run_s() -> None:
    with pytest.raises(Rejected):
        run(Script(("", Rejected("no"))))


def test_where_there_is_a_grammar_the_repair_is_held_to_it() -> None:
    script = Script((AGAIN, TABLE), otherwise=REASONED)
    run(script, can=GRAMMAR)
    free, held = script.asked
    assert free.grammar is None, "a chain of thought must be free to think"
    assert held.grammar is not None
    assert held.grammar.startswith('root ::= "| city | people |')


def test_a_single_reply_that_is_all_answer_is_held_from_the_first_call() -> None:
    script = Script(otherwise=TABLE)
    outcome, _ = run(script, of="direct", can=GRAMMAR)
    (request,) = script.asked
    assert request.grammar
    assert outcome.answer == TABLE
    script = Script(otherwise="7")
    run(script, of="direct", can=GRAMMAR, reader="number")
    assert script.asked[0].grammar is None, "a number must be read from it"


def test_a_form_that_was_cut_off_is_asked_for_in_a_shorter_one() -> None:
    cut = Completion(text="| city | people |\n| --- | --- |\n| Lyon and", model="m", finish="length")
    script = Script((AGAIN, lambda request: cut if "{0," not in str(request.grammar) else TABLE), otherwise=REASONED)
    outcome, _ = run(script, can=GRAMMAR)
    assert told(outcome)["valid"]
    assert [bool(each.grammar and "{0," in each.grammar) for each in script.asked] == [False, False, True]


def test_where_there_are_schemas_a_program_writes_the_form() -> None:
    value = json.dumps({"rows": [{"city": "Lyon | B", "people": "1\n2"}]})
    script = Script((AGAIN, value), otherwise=REASONED)
    outcome, _ = run(script, can=SCHEMA)
    assert outcome.text == "| city | people |\n| --- | --- |\n| Lyon \\| B | 1 2 |"
    assert json.loads(str(script.asked[1].schema))["properties"]["rows"]["type"] == "array"
    cut = Completion(text=value[:20], model="m", finish="length")
    outcome, _ = run(Script((AGAIN, cut), otherwise=REASONED), can=SCHEMA)
    assert told(outcome)["fault"] == "cut off at max_tokens"


def test_the_answer_of_a_vote_is_put_into_the_form() -> None:
    script = Script((AGAIN, TABLE), otherwise=REASONED)
    outcome, _ = run(script, of="sc(n=3)")
    assert (outcome.answer, outcome.detail["structured"]["text"]) == ("Lyon", TABLE)
    assert outcome.detail["votes"]


def test_a_puzzle_goes_as_it_is_and_its_answer_is_put_into_the_form() -> None:
    steps = "1. 5 * 6 is 30.\n2. So it is 4 + 5*6 - 10."
    script = Script((AGAIN, steps), otherwise="Answer: 4 + 5 * 6 - 10")
    strategy = Structured(form="steps", of="cot")
    outcome = api.run(strategy, "4 5 6 10", pack="game24", model=Scripted(script), journal="memory")
    assert outcome.verified
    assert "numbered steps" not in script.prompts[0]
    assert (outcome.text, told(outcome)["repaired"]) == (steps, True)


@pytest.mark.parametrize("form", ["steps", "title", "table:expression"])
def test_a_form_without_the_answer_is_noise_and_the_answer_stays(form: str) -> None:
    noise = {
        "steps": "1. 99 - 4",
        "title": "# Nine\n\n99 - 4",
        "table:expression": "| expression |\n| --- |\n| 99 - 4 |",
    }
    script = Script((AGAIN, noise[form]), otherwise="Answer: 4 + 5 * 6 - 10")
    seen: list[Record] = []
    how: dict[str, Any] = {"pack": "game24", "journal": "memory", "sinks": [seen.append]}
    outcome = api.run(Structured(form=form, of="cot"), "4 5 6 10", model=Scripted(script, capabilities=GRAMMAR), **how)
    assert (outcome.answer, outcome.status, outcome.verified) == ("4 + 5 * 6 - 10", "done", True)
    report = told(outcome)
    assert (report["valid"], report["repaired"], report["text"]) == (False, False, outcome.answer)
    assert [each.event.message for each in seen if isinstance(each.event, Warned)] == [report["fault"]]
    assert report["fault"] == "the form does not hold the answer"


@pytest.mark.parametrize(
    ("text", "answer", "said"),
    [
        ("1. It is 35.", "35", True),
        ("| 2,100,000 |", "2100000", True),
        ("| 35.0 |", "35", True),
        ("| 135 |", "35", False),
        ("| 35.5 |", "35", False),
        ("(4+5) × 6 − 10", "(4 + 5) * 6 - 10", True),
        ("4 + 6 - 10 and 5", "4 + 5 * 6 - 10", False),
        ("| Lyon | 0.5 |", "lyon", True),
        ("## Why\n\nThe largest is Paris.", "Paris, the capital", True),
        ("## Why\n\nThe largest is Lyon.", "Paris", False),
    ],
)
def test_a_text_holds_an_answer_however_it_is_set(text: str, answer: str, said: bool) -> None:
    assert holds(text, answer) is said


@pytest.mark.parametrize(
    ("form", "first", "again", "answer", "valid"),
    [
        ("json", "Answer: Lyon", "6", "Lyon", False),
        ("json", "Answer: Lyon", '{"city": "Lyon"}', '{"city":"Lyon"}', True),
        ('json:{"type":"object"}', "Answer: 35", '{"n": 6}', "35", False),
        ('json:{"type":"object"}', "Answer: 35", '{"n": 35}', '{"n":35}', True),
        ('json:{"type":"integer"}', "Answer: seven", "7", "7", True),
    ],
)
def test_an_answer_is_not_replaced_by_another_in_json(
    form: str, first: str, again: str, answer: str, valid: bool
) -> None:
    outcome, _ = run(Script(("cannot be used", again), otherwise=first), form=form, can=SCHEMA)
    assert (outcome.answer, outcome.status) == (answer, "done")
    report = told(outcome)
    assert (report["valid"], report["repaired"], report["text"]) == (valid, valid, answer)
    assert report["fault"] == ("" if valid else "the form does not hold the answer")


def test_a_number_is_any_json_already() -> None:
    script = Script(otherwise="8 * 6 - 13 = 35\nAnswer: 35")
    outcome, _ = run(script, form="json", can=SCHEMA, pack="words")
    assert (outcome.answer, outcome.value, told(outcome)["text"]) == ("35", 35, "35")
    assert len(script.asked) == 1
    assert "JSON" not in script.prompts[0]


PERSON = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}


def test_json_is_the_output_of_the_strategy_inside(tmp_path: Path) -> None:
    (tmp_path / "person.json").write_text(json.dumps(PERSON))
    script = Script(("cannot be used", '{"age": 7}'), otherwise='{"age": "seven"}')
    outcome, _ = run(script, form=f"json:{tmp_path / 'person.json'}")
    assert (outcome.answer, outcome.value, told(outcome)["valid"]) == ('{"age":7}', {"age": 7}, True)
    assert len(script.asked) == 2


def test_json_that_does_not_fit_is_reported_not_raised() -> None:
    outcome, _ = run(Script(otherwise="seven"), form=f"json:{json.dumps(PERSON)}")
    assert (outcome.answer, outcome.text, outcome.status) == (None, "seven", "undecided")
    assert "no JSON" in told(outcome)["fault"]


@pytest.mark.parametrize(
    ("of", "first", "again", "answer"),
    [
        ("cot", "I think so.\n\nAnswer: Lyon", "I cannot write JSON.", "Lyon"),
        ("direct", "Lyon", "Lyon!", "Lyon"),
        ("sc(n=3)", "I think so.\n\nAnswer: Lyon", "I cannot write JSON.", "Lyon"),
        ("cot", "I think so.", "I cannot write JSON.", None),
        ("cot", 'Answer: {"age": "seven"}', 'Answer: {"age": "seven"}', None),
        ("direct", '{"age": "seven"', '{"age": "seven"', None),
    ],
)
def test_an_answer_in_words_stays_where_json_does_not_come(of: str, first: str, again: str, answer: str | None) -> None:
    script = Script(("cannot be used", again), otherwise=first)
    outcome, seen = run(script, of=of, form=f"json:{json.dumps(PERSON)}")
    assert (outcome.answer, outcome.text) == (answer, first)
    assert outcome.status == ("done" if answer else "undecided")
    assert (told(outcome)["valid"], told(outcome)["text"], outcome.value) == (False, None, None)
    assert told(outcome)["repaired"] is False
    assert any(isinstance(each.event, Warned) and "form json" in each.event.message for each in seen)


def test_where_the_reply_is_the_answer_what_stands_around_the_form_is_none_of_it() -> None:
    reply = f"Sure, here it is:\n\n{TABLE}\n\nHope this helps!"
    outcome, seen = run(Script(otherwise=reply), of="direct")
    assert (outcome.answer, outcome.text) == (TABLE, reply)
    assert [each.event.answer for each in seen if isinstance(each.event, Best)][-1] == TABLE


def test_a_reply_has_one_form() -> None:
    with pytest.raises(BadInput, match="one form"):
        api.plan(Structured(form="title"), "Why?", output=PERSON)
    with pytest.raises(BadInput, match="does not go with the pack game24"):
        api.plan(Structured(form="json"), "4 5 6 10", pack="game24")
    with pytest.raises(BadInput, match="--form is empty"):
        Structured(form=" ")


def test_a_run_is_made_again_when_the_schema_s_file_is_gone(tmp_path: Path, journal: Journal) -> None:
    file = tmp_path / "person.json"
    file.write_text(json.dumps(PERSON))
    model = Scripted(Script(otherwise='{"age": 7}'), name="aged")
    first = api.run("cot", "How old?", structured=f"json:{file}", model=model, journal=journal)
    file.unlink()
    again = api.replay(first.run, journal=journal)
    assert again.answer == first.answer == '{"age":7}'
    assert journal.run(first.run).params["form"].startswith('json:{"properties"')


def test_what_it_announces_is_what_it_takes() -> None:
    problem = Problem(text="Which city?")
    said = forecast(Structured(form="title", of="cot"), problem)
    assert (said.least, said.most) == (1, 4)
    assert within(Structured(form="title", of="sc(n=9)"), problem, 8) == Structured(form="title", of="sc(n=5)")
    assert within(Structured(form="title"), problem, 2) is None
    assert forecast(Structured(form="json"), problem).most == 2


def test_where_there_is_neither_text_nor_answer_nothing_is_asked() -> None:
    script = Script(otherwise=" ")
    outcome, _ = run(script)
    assert (outcome.answer, outcome.status, len(script.asked)) == (None, "undecided", 1)
    assert told(outcome)["fault"] == "there is nothing to put into it"
