"""`output=`: a reply is asked for in a form, read, validated, repaired once; an error shows what did not fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field, field_validator
from typing_extensions import TypedDict

from promptkit import api
from promptkit.errors import BadInput, CapabilityMissing, OutputInvalid
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.types import Capabilities, Request, plain


class Person(BaseModel):
    name: str
    age: int = Field(ge=0)

    @field_validator("name")
    @classmethod
    def _capital(cls, name: str) -> str:
        if not name[:1].isupper():
            raise ValueError("a name begins with a capital")
        return name


@dataclass
class Point:
    x: float
    y: float


class Movie(TypedDict):
    title: str


ADA = '{"name": "Ada", "age": 36}'
SCHEMA = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}


@dataclass
class Talker:
    """A model that says its lines one after the other, and remembers what it was asked."""

    replies: list[str]
    asked: list[Request] = field(default_factory=list)
    capabilities: Capabilities | None = None

    @property
    def model(self) -> Scripted:
        return Scripted(self._say, name="talker", capabilities=self.capabilities)

    def _say(self, request: Request) -> str:
        self.asked.append(request)
        return self.replies[min(len(self.asked), len(self.replies)) - 1]


@pytest.mark.parametrize("strategy", ["direct", "cot", "sc", "few-shot", "tot"])
def test_every_strategy_gives_a_validated_value(journal: Journal, strategy: str) -> None:
    talker = Talker([f"She was born in 1815, so:\n{ADA}"])
    outcome = api.run(strategy, "who?", model=talker.model, output=Person, journal=journal)
    assert outcome.value == Person(name="Ada", age=36)
    assert (outcome.answer, outcome.status) == ('{"age":36,"name":"Ada"}', "done")
    assert any("JSON Schema" in request.messages[-1].text for request in talker.asked)


@pytest.mark.parametrize(
    ("output", "reply", "value"),
    [
        (Point, '```json\n{"x": 1, "y": 2.5}\n```', Point(1.0, 2.5)),
        (Movie, 'Answer: {"title": "M"}', {"title": "M"}),
        (list[int], "Answer: [1, 2, 3]", [1, 2, 3]),
        (int, "**Answer:** 42", 42),
        (dict[str, tuple[int, int]], '{"a": [1, 2]}', {"a": (1, 2)}),
        (SCHEMA, '{"age": 3}', {"age": 3}),
    ],
)
def test_what_an_output_may_be(journal: Journal, output: Any, reply: str, value: Any) -> None:
    outcome = api.run("direct", "what?", model=Talker([reply]).model, output=output, journal=journal)
    assert outcome.value == value
    assert outcome.usage.calls == 1
    assert json.loads(str(outcome.answer)) == plain(value)


def test_an_invalid_reply_is_repaired_once_by_a_fork_that_sees_the_error(journal: Journal) -> None:
    talker = Talker(['{"name": "Ada", "age": -1}', ADA])
    outcome = api.run("direct", "who?", model=talker.model, output=Person, journal=journal)
    assert outcome.value == Person(name="Ada", age=36)
    first, second = talker.asked
    assert [turn.role for turn in second.messages] == ["user", "assistant", "user"]
    assert "age: Input should be greater than or equal to 0" in second.messages[-1].text
    assert len(second.draw) > len(first.draw), "a fork has its own draws"


def test_validators_written_in_python_count(journal: Journal) -> None:
    talker = Talker(['{"name": "ada", "age": 36}', ADA])
    assert api.run("cot", "who?", model=talker.model, output=Person, journal=journal).value.name == "Ada"
    assert "a name begins with a capital" in talker.asked[1].messages[-1].text


BAD = {
    "prose": "I cannot say.",
    "a wrong type": '{"age": "old"}',
    "not closed": '{"age": {"of": 3}',
    "an inner part of something broken": '{"people": [\n{"age": 3},\n{"age": 4}',
    "NaN": '{"age": NaN}',
    "infinity": '{"age": 1e999}',
    "true is no number": '{"age": true}',
    "JSON that is only mentioned": 'It is not {"age": 3} as some say.',
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("reply", BAD.values(), ids=BAD.keys())
def test_a_second_bad_reply_is_an_error_that_shows_it(journal: Journal, reply: str) -> None:
    talker = Talker([reply])
    with pytest.raises(OutputInvalid) as caught:
        api.run("direct", "how old?", model=talker.model, output=SCHEMA, journal=journal)
    assert len(talker.asked) == 2
    assert caught.value.exit_code == 1
    assert caught.value.reply == reply
    assert reply[:200].split()[0][:200] in caught.value.message
    assert "\n" not in caught.value.message
    (row,) = journal.runs()
    assert (row.id, row.status) == (caught.value.run, "error")


def test_a_reply_cut_off_says_so(journal: Journal) -> None:
    with pytest.raises(OutputInvalid, match="cut off at max_tokens"):
        api.run("direct", "?", model=Talker(["a b c d e f"]).model, output=SCHEMA, reply_tokens=3, journal=journal)


def test_self_consistency_votes_on_canonical_json(journal: Journal) -> None:
    says = [ADA, '{"age":36,"name":"Ada"}', "```json\n" + ADA + "\n```", '{"name": "Bob", "age": 1}', "none"]
    talker = Talker(says)
    model = Scripted(lambda request: says[request.index], name="voters")
    outcome = api.run("sc", "who?", model=model, n=5, output=Person, journal=journal)
    assert outcome.value == Person(name="Ada", age=36)
    assert dict(outcome.detail["votes"])['{"age":36,"name":"Ada"}'] == 3
    assert talker.asked == []


def test_self_consistency_without_a_readable_sample_is_repaired(journal: Journal) -> None:
    def say(request: Request) -> str:
        return ADA if len(request.messages) > 1 else "no idea"

    outcome = api.run("sc", "who?", model=Scripted(say, name="shy"), n=3, output=Person, journal=journal)
    assert outcome.value.name == "Ada"
    with pytest.raises(OutputInvalid):
        api.run("sc", "who?", model=Talker(["no idea"]).model, n=3, output=Person, journal=journal)


def test_a_model_that_can_is_held_to_the_schema(journal: Journal) -> None:
    can = Capabilities(json_schema=True)
    direct, cot = Talker([ADA], capabilities=can), Talker(["no", ADA], capabilities=can)
    api.run("direct", "who?", model=direct.model, output=Person, journal=journal)
    (request,) = direct.asked
    assert json.loads(request.schema or "")["properties"]["age"]["minimum"] == 0
    api.run("cot", "who?", model=cot.model, output=Person, journal=journal)
    assert cot.asked[0].schema is None, "held to JSON, it could not reason"
    assert cot.asked[1].schema is not None


def test_a_schema_the_model_refuses_is_asked_for_in_words(journal: Journal) -> None:
    def say(request: Request) -> str:
        if request.schema is not None:
            raise CapabilityMissing("this model does not hold a reply to 'minimum'")
        return ADA

    model = Scripted(say, name="choosy", capabilities=Capabilities(json_schema=True))
    outcome = api.run("direct", "who?", model=model, output=Person, journal=journal)
    assert outcome.value.age == 36
    assert api.replay(outcome.run, journal=journal, output=Person).value.age == 36


def test_the_journal_holds_plain_json_and_a_replay_gives_the_value_again(journal: Journal) -> None:
    outcome = api.run("direct", "who?", model=Talker(["?", ADA]).model, output=Person, journal=journal)
    (row,) = journal.runs()
    assert row.outcome is not None
    assert row.outcome["value"] == {"name": "Ada", "age": 36}
    again = api.replay(outcome.run, journal=journal)
    assert (again.answer, again.value) == (outcome.answer, {"name": "Ada", "age": 36})
    assert api.replay(outcome.run, journal=journal, output=Person).value == outcome.value
    with pytest.raises(BadInput, match="not the output this run was asked for"):
        api.replay(outcome.run, journal=journal, output=int)


def test_a_resumed_run_keeps_its_output(journal: Journal) -> None:
    talker = Talker(["?", ADA])
    cut = api.run("direct", "who?", model=talker.model, output=Person, max_calls=1, journal=journal)
    assert (cut.status, cut.answer, cut.value) == ("budget", None, None)
    outcome = api.resume(cut.run, model=talker.model, output=Person, max_calls=5, journal=journal)
    assert outcome.value == Person(name="Ada", age=36)
    assert len(talker.asked) == 2


def test_a_cut_off_vote_has_a_value_too(journal: Journal) -> None:
    cut = api.run("sc", "who?", model=Talker([ADA]).model, output=Person, max_calls=2, concurrency=1, journal=journal)
    assert (cut.status, cut.value) == ("budget", Person(name="Ada", age=36))


REFUSED: dict[str, Callable[[], dict[str, Any]]] = {
    "no type": lambda: {"output": {"type": "wish"}},
    "a reference elsewhere": lambda: {"output": {"$ref": "https://example.invalid/s.json"}},
    "a reference nowhere": lambda: {"output": {"$ref": "#/$defs/none"}},
    "no schema at all": lambda: {"output": object()},
    "a missing file": lambda: {"output": "nowhere.json"},
    "a reader as well": lambda: {"output": int, "reader": "number"},
    "a pack with rules": lambda: {"output": int, "pack": "game24"},
}


@pytest.mark.parametrize("how", REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_an_output_is_refused_before_the_call(
    journal: Journal, how: Callable[[], dict[str, Any]]
) -> None:
    talker = Talker([ADA])
    with pytest.raises(BadInput) as caught:
        api.run("direct", "1 4 9 11", model=talker.model, journal=journal, **how())
    assert caught.value.hint
    assert "\n" not in caught.value.message
    assert talker.asked == []


def test_a_schema_file_that_is_not_json_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    file.write_text('{\n  "type": object\n}')
    with pytest.raises(BadInput, match=r"schema\.json:2:11: not JSON"):
        api.plan("direct", "?", output=file)
