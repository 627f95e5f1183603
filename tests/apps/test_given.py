"""What is given from Python: one attachment or several, the names there are, and values of another type."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

import promptkit as pk
from promptkit import api, checked, events, registry
from promptkit.cli.app import start
from promptkit.errors import BadInput
from promptkit.events import Record
from promptkit.journal import Journal
from promptkit.strategies.voting.sc import SelfConsistency
from promptkit.types import Model, Outcome, Problem, Request


def model() -> pk.Scripted:
    return pk.Scripted(lambda _: "Answer: 4")


@pytest.mark.parametrize("form", [str, Path, lambda path: Path(path).read_bytes(), lambda path: [path]])
def test_a_single_attachment_needs_no_list(form: Callable[[str], Any], tmp_path: Path, journal: Journal) -> None:
    (tmp_path / "contract.txt").write_text("thirty days")
    asked: list[Request] = []

    def say(request: Request) -> str:
        asked.append(request)
        return "Answer: 30"

    attach = form(str(tmp_path / "contract.txt"))
    pk.run("cot", "How long?", model=pk.Scripted(say), attach=attach, journal=journal)
    assert asked[0].messages[-1].text.count("thirty days") == 1


def test_a_keyword_nobody_has_is_answered_with_all_there_are(journal: Journal) -> None:
    with pytest.raises(BadInput, match="cot has no parameter 'attachments'") as caught:
        pk.run("cot", "q?", attachments=["c.txt"], journal=journal)
    near, fields, options = caught.value.hint.splitlines()
    assert near == "did you mean attach?"
    assert fields == "it has: extract, temperature, reply_tokens"
    assert {"model", "attach", "max_calls", "sinks"} <= set(options.removeprefix("a run has: ").split(", "))


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("sc", {"n": "five"}, "n must be a whole number, not 'five'"),
    ("sc", {"n": True}, "n must be a whole number, not True"),
    ("cot", {"temperature": "hot"}, "temperature must be a number or None, not 'hot'"),
    ("cot", {"extract": "sometimes"}, "extract must be 'never', 'unread', 'always' or None, not 'sometimes'"),
    ("few-shot", {"examples": 5}, "examples must be text, a Path, a list .* or None, not 5"),
    ("cot", {"max_calls": "3"}, "max_calls must be a whole number or None, not '3'"),
    ("cot", {"pack": 3}, "pack must be text, not 3"),
    ("cot", {"reader": 5}, "reader must be text or None, not 5"),
    ("cot", {"model": 3}, "model must be text, a Model, a list .* or None, not 3"),
    ("cot", {"model": object()}, "model must be text, a Model"),
    ("cot", {"seed": "x"}, "seed must be a whole number, not 'x'"),
    ("cot", {"fresh": "no"}, "fresh must be True or False, not 'no'"),
    ("cot", {"attach": 5}, "attach must be text, a Path, bytes, a Blob or a list"),
    ("cot", {"history": ["Hello"]}, "history must be a list"),
    ("cot", {"sinks": print}, "sinks must be a list"),
]


@pytest.mark.parametrize(("strategy", "given", "message"), WRONG, ids=range(len(WRONG)))
def test_a_value_of_another_type_is_named_with_what_is_wanted(
    strategy: str, given: dict[str, Any], message: str, journal: Journal
) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        pk.run(strategy, "q?", **{"model": model(), "journal": journal, **given})
    assert next(iter(given)) in caught.value.hint
    assert journal.runs() == []


def test_a_strategy_object_and_a_resume_are_held_to_their_types(journal: Journal) -> None:
    wrong: Any = _Text("0.5")
    with pytest.raises(BadInput, match="quorum must be a number, not"):
        pk.run(SelfConsistency(quorum=wrong), "q?", journal=journal)
    with pytest.raises(BadInput, match="max_tokens must be a whole number or None"):
        pk.resume("last", max_tokens=wrong, journal=journal)


class _Text(str):
    """Text that can be compared with numbers, as __post_init__ does."""

    def __le__(self, other: object) -> bool:
        return True

    def __ge__(self, other: object) -> bool:
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd:
    """Has fields of every kind."""

    path: Path | None = None
    kinds: Sequence[str] = ()
    word: Literal["a", "b"] | int = "a"
    inner: Model | None = None
    table: dict[str, list[int]] = field(default_factory=dict)
    pair: tuple[int, str] = (1, "x")
    unheard: "NoSuchType | None" = None  # type: ignore[name-defined]  # noqa: F821, UP037

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        return Outcome(answer="x")


@pytest.mark.parametrize(
    ("hint", "fits", "not_fits"),
    [
        (float, [1, 1.5], ["1", True, None]),
        (int, [1], [1.0, "1", False]),
        (tuple[int, str], [(1, "x")], [("x", 1), [1, "x"], (1,)]),
        (dict[str, list[int]], [{"a": [1]}, {}], [{"a": 1}, [1]]),
        (Sequence[str], [["a"], ("a",), ()], ["a", [1], {"a"}]),
        (Path | None, [Path("x"), None], ["x"]),
        (Model, [pk.Scripted(str)], ["x"]),
        (Callable[[int], int], [abs], [1]),
        (Any, [1, None], []),
    ],
)
def test_what_fits_a_type(hint: Any, fits: list[Any], not_fits: list[Any]) -> None:
    @checked.arguments
    def take(*, value: Any = None) -> Any:
        return value

    take.__wrapped__.__annotations__["value"] = hint  # type: ignore[attr-defined]
    for value in fits:
        assert take(value=value) is value
    for value in not_fits:
        with pytest.raises(BadInput, match="value must be "):
            take(value=value)


def test_a_type_that_nobody_knows_is_not_checked(journal: Journal) -> None:
    assert pk.run(Odd(pair=("x", 1)), "q?", model=model(), journal=journal).answer == "x"  # type: ignore[arg-type]


@pytest.mark.parametrize("door", [pk.plan, pk.run, pk.arun, pk.stream])
def test_every_door_declares_what_can_be_given(door: Callable[..., Any]) -> None:
    declared = inspect.signature(door).parameters
    assert list(declared) == list(inspect.signature(api.plan).parameters)
    assert {"model", "pack", "attach", "max_calls", "journal", "sinks"} <= set(declared)
    assert {"max_calls", "output", "journal"} <= set(inspect.signature(pk.resume).parameters)
    assert set(inspect.signature(pk.areplay).parameters) == {"run", "output", "journal", "sinks"}


def test_the_doors_are_what_they_seem() -> None:
    assert inspect.iscoroutinefunction(pk.arun)
    with pytest.raises(pk.PromptkitError, match="no strategy 'nope'"):
        pk.stream("nope", "q?")  # before anything is awaited


def test_a_plan_keeps_who_watches(journal: Journal) -> None:
    seen: list[Record] = []
    pk.run("cot", "q?", model=model(), journal=journal, sinks=[seen.append])
    assert isinstance(seen[-2].event, events.RunEnded)
    before = len(seen)
    assert pk.replay("last", journal=journal, sinks=[seen.append]).answer == "4"
    assert len(seen) > before


def test_an_outcome_always_says_whether_it_was_verified(journal: Journal) -> None:
    right = pk.Scripted(lambda request: f"Answer: {['4 + 5 * 6 - 10', '4 + 5'][request.index]}")
    assert [pk.run("cot", "4 5 6 10", pack="game24", model=right, journal=journal).verified] == [True]
    wrong = pk.Scripted(lambda _: "Answer: 4 + 5")
    assert pk.run("cot", "4 5 6 10", pack="game24", model=wrong, journal=journal).verified is False
    assert pk.run("cot", "q?", model=model(), journal=journal).verified is None
    assert pk.run("cot", "Which?", journal=journal).verified is None  # undecided: the tiny model has no answer
    cut = pk.run("tot", "1 4 9 11", pack="game24", max_calls=1, fresh=True, journal=journal)
    assert (cut.status, cut.verified) == ("budget", None)
    assert Outcome(answer=None, detail={"verified": False}).verified is None


def test_what_no_model_can_be_asked_is_refused_before_the_run(journal: Journal) -> None:
    seen: list[Record] = []
    for how in ({"temperature": -1.0}, {"temperature": float("nan")}, {"reply_tokens": 0}):
        with pytest.raises(BadInput, match=r"--(temperature|reply-tokens) must be"):
            pk.run("direct", "q?", model=model(), journal=journal, sinks=[seen.append], **how)
    assert seen == []


@pytest.mark.parametrize("strategy", ["direct", "few-shot"])
@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("Answer: 42", "42"),
        ("**Answer:** 42", "42"),
        ("**Answer: 42**", "42"),
        ("答案：42", "42"),
        ("42", "42"),
        ("Answer:", "Answer:"),
        ("Note: the answer is 42.", "Note: the answer is 42."),
        ("Answer: 42\nBecause of this.", "Answer: 42\nBecause of this."),  # more than a line is left as it is
    ],
)
def test_a_label_is_no_part_of_a_direct_answer(strategy: str, reply: str, answer: str, journal: Journal) -> None:
    assert pk.run(strategy, "q?", model=pk.Scripted(lambda _: reply), journal=journal).answer == answer


def test_checking_loads_no_library_where_the_values_are_right() -> None:
    code = """
import sys, promptkit as pk
from promptkit.types import message
pk.plan("sc", "q?", n=5, temperature=1, model="builtin", attach=[b"text"], history=[message("user", "x")],
        vars={"a": "b"}, max_cost=None, timeout=3, journal="memory", sinks=[print], model_options={"batch": 4})
print("pydantic" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """Has a field with a default that is made anew each time, and one without any."""

    tags: list[str] = field(default_factory=list)
    need: int

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        return Outcome(answer=f"{self.need} {self.tags}")


def test_a_flag_that_is_not_typed_is_left_to_the_strategy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(registry.BUILT_IN["strategy"], "tagged", f"{__name__}:Tagged")
    (tmp_path / "any.yaml").write_text("replies: [{say: x}]")
    words = ["run", "tagged", "q?", "-m", f"scripted:{tmp_path / 'any.yaml'}", "-q"]
    assert [start([*words, "--need", "3"]), start([*words, "--need", "3", "--tags", "a"])] == [0, 0]
    assert capsys.readouterr().out == "3 []\n3 ['a']\n"
    assert start(words) == 2
    assert "tagged needs a value for need" in capsys.readouterr().err
    with pytest.raises(BadInput, match="tagged needs a value for need"):
        pk.run("tagged", "q?")
