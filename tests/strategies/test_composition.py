"""A strategy inside another: written, remembered, made again; what cannot be one is told in one clear line."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit import api, registry
from promptkit.composition import Of, inner, listed, made, nested, remembered, resolved, spelled, value
from promptkit.errors import BadInput, PromptkitError, UnknownName
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.sampling import fork, solve_each
from promptkit.strategies.layers.persona import Persona
from promptkit.strategies.prompting.cot import ChainOfThought
from promptkit.strategies.prompting.few_shot import FewShot
from promptkit.types import Model, Outcome, Problem, Request, Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Twice:
    """Two answers of another strategy, joined."""

    of: Of = field(default="cot", metadata={"flag": str | None})  # strategy that is asked twice
    note: str = ""  # any text
    share: float = 0.5  # any number
    sizes: tuple[int, ...] = ()  # several numbers

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", inner(self.of))

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """Both answers."""
        assert not isinstance(self.of, str)
        models = [fork(model, 0), fork(model, 1)]
        found = await solve_each(self.of, problem, models, where="twice")  # type: ignore[arg-type]
        return Outcome(answer=" ".join(each.answer or "-" for each in found))


@pytest.fixture(autouse=True)
def twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.BUILT_IN["strategy"], "twice", f"{__name__}:Twice")


def strategies(depth: int = 3) -> st.SearchStrategy[Strategy]:
    plain: list[st.SearchStrategy[Any]] = [
        st.builds(ChainOfThought, temperature=st.none() | st.floats(0, 2), extract=st.sampled_from([None, "unread"])),
        st.builds(FewShot, n=st.none() | st.integers(0, 9), rationale=st.booleans(), examples=st.none() | st.text()),
    ]
    if depth == 0:
        return st.one_of(plain)
    inside = strategies(depth - 1)
    texts = st.text() | st.sampled_from(["none", "True", "42", "a(b=1)", "x, y", "it's", '"', "\\", "\x1b[2J", "1e5"])
    numbers = st.floats(allow_nan=False)
    names = texts.filter(lambda text: bool(text.strip()))
    sizes = st.lists(st.integers()).map(tuple)
    return st.one_of(
        *plain,
        st.builds(Persona, who=names, of=inside),
        st.builds(Twice, of=inside, note=texts, share=numbers, sizes=sizes),
    )


@settings(deadline=None, max_examples=50)
@given(strategies())
def test_what_is_written_is_read_again(strategy: Strategy) -> None:
    again = inner(spelled(strategy))
    assert remembered(again) == remembered(strategy)  # type: ignore[arg-type]
    assert type(again) is type(strategy)


@settings(deadline=None, max_examples=50)
@given(strategies())
def test_what_is_remembered_is_made_again(strategy: Strategy) -> None:
    stored = json.loads(
        json.dumps({"strategy": registry.name_of("strategy", strategy), "params": remembered(strategy)})
    )
    again = inner(stored)
    assert again is not None
    assert json.loads(json.dumps(remembered(again))) == stored["params"]
    assert [type(each) for each in nested(again)] == [type(each) for each in nested(strategy)]


@settings(deadline=None)
@given(st.text(alphabet="sc(nof=,)'\"[]\\ 1.-ta\n", max_size=40))
def test_anything_else_that_is_typed_is_refused_in_one_line(text: str) -> None:
    refused: PromptkitError | None = None
    try:
        assert inner(text) is not None
    except PromptkitError as error:
        refused = error
    if refused:
        assert refused.exit_code == 2
        assert "\n" not in refused.message
        assert refused.hint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sc(n=1", "the bracket of 'sc' is not closed in 'sc(n=1'"),
        ("sc(n=1))", "a bracket is closed that was not opened in 'sc(n=1))'"),
        ("persona(who='a)", "a bracket or a quote is not closed"),
        ("sc(5)", "'5' is no parameter in 'sc(5)'"),
        ("sc(n=1, n=2)", "n is given twice"),
        ("few-shot(reply-tokens=1, reply_tokens=2)", "reply_tokens is given twice"),
        ("sc(n=true)", "n must be a whole number, not True"),
        ("sc(m=1)", "sc has no parameter 'm'"),
        ("persona", "persona needs a value for who"),
        ("persona(who=x, of=cott)", "no strategy 'cott'"),
        ("(n=1)", "not a strategy: '(n=1)'"),
        ("", "not a strategy: ''"),
        ("persona(who=a, of=" * 40 + "cot" + ")" * 40, "more than 16 inside one another"),
    ],
)
def test_bad_words(text: str, said: str) -> None:
    with pytest.raises((BadInput, UnknownName)) as caught:
        inner(text)
    assert said in caught.value.message
    assert len(caught.value.message) < 300
    assert caught.value.hint


@pytest.mark.parametrize("given", [5, object(), ChainOfThought, ["cot"], {"params": {}}, {"strategy": "cot", "n": 1}])
def test_what_is_no_strategy(given: Any) -> None:
    with pytest.raises(BadInput, match="not a strategy"):
        inner(given)


def test_words_are_read_as_a_person_means_them() -> None:
    assert inner("few-shot(n=4, rationale=True, reply-tokens=9)") == FewShot(n=4, rationale=True, reply_tokens=9)
    assert inner(" cot ( temperature = 0.5 ) ") == ChainOfThought(temperature=0.5)
    assert inner("persona(who='a, b (c)')") == Persona(who="a, b (c)")
    assert spelled(Persona(who="a terse physicist", of="few-shot(n=2)")) == (
        "persona(who='a terse physicist', of=few-shot(n=2))"
    )
    assert spelled(ChainOfThought()) == "cot"
    assert [value(word) for word in ("1", "0.5", "none", "a b", "'1'", "[1, 2]")] == [1, 0.5, None, "a b", "1", [1, 2]]
    assert value(r"'\d'") == r"\d"
    assert inner("persona(who=42)") == Persona(who="42")
    assert inner("twice(note=none)") == Twice(note="none")


def test_commas_inside_brackets_do_not_part() -> None:
    assert listed("cot, sc(n=5, of=cot) ,tot") == ["cot", "sc(n=5, of=cot)", "tot"]
    assert listed("persona(who='x, y')") == ["persona(who='x, y')"]


def test_a_recorded_parameter_is_not_checked_again() -> None:
    assert made("cot", {"temperature": "1"}, recorded=True) == ChainOfThought(temperature="1")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="temperature must be a number"):
        made("cot", {"temperature": "1"})


def test_what_is_inside_is_resolved_too() -> None:
    outer = Persona(who="x", of=Twice(of=FewShot(n=1)))
    found = list(nested(resolved(outer, Problem(text="3 3 8 8", pack="game24"))))
    assert isinstance(found[2], FewShot)
    assert found[2].examples  # of the pack, in place of its file


def test_a_parameter_of_one_inside_is_checked_before_anything_is_asked() -> None:
    with pytest.raises(BadInput, match="--temperature must be 0 or more"):
        api.plan(Persona(who="x", of=ChainOfThought(temperature=-1)), "Why?")
    with pytest.raises(BadInput, match="n is given twice"):
        api.plan("few-shot(n=1)", "Why?", n=2)


def test_a_run_remembers_what_was_inside_and_resumes_and_replays_it(journal_file: Journal) -> None:
    asked: list[Request] = []

    def reply(request: Request) -> str:
        asked.append(request)
        return f"Answer: {'.'.join(map(str, request.draw))}"

    model, strategy = Scripted(reply, name="inside"), "twice(of=persona(who='a cook', of=cot(temperature=1)), note=hm)"
    first = api.run(strategy, "Which?", model=model, journal=journal_file, max_calls=1)
    assert first.status == "budget"
    row = journal_file.run(first.run)
    assert row.params["of"] == {
        "strategy": "persona",
        "params": {
            "who": "a cook",
            "audience": None,
            "of": {"strategy": "cot", "params": remembered(ChainOfThought(temperature=1))},
        },
    }
    done = api.resume(first.run, model=model, journal=journal_file, max_calls=2)
    assert done.answer == "0.0 1.0"
    assert len(asked) == 2
    assert {turn.text for request in asked for turn in request.messages if turn.role == "system"} == {
        "You are a cook. Answer as a cook would."
    }
    again = api.replay(first.run, journal=journal_file)
    assert (again.answer, again.usage.samples) == (done.answer, done.usage.samples)
    assert len(asked) == 2


def test_written_and_given_are_the_same_run(tmp_path: Path) -> None:
    given = api.plan(Persona(who="x", of=FewShot(n=0)), "Why?", journal="memory")
    written = api.plan("persona", "Why?", who="x", of="few-shot(n=0)", journal="memory")
    spelt = api.plan("persona(who=x, of=few-shot(n=0))", "Why?", journal="memory")
    assert given.strategy == written.strategy == spelt.strategy
    assert given.name == written.name == spelt.name == "persona"
