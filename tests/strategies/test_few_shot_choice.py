"""few-shot chooses its examples: by policy, in an order, within a budget, guarded, with rationales of its own."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import permutations
from typing import Any

import pytest
import script_by_prompt as by_prompt

import promptkit as pk
from promptkit import api, events
from promptkit import examples as shelf
from promptkit.announced import forecast, within
from promptkit.cli.app import start
from promptkit.errors import BadInput, Unavailable
from promptkit.journal import Journal
from promptkit.prompting import choosing
from promptkit.strategies.prompting.few_shot import FewShot
from promptkit.types import Capabilities, Problem, Request, message

QUESTION = "Which city is the capital of Portugal?"
SHOTS = [
    {"question": "How many legs has a spider?", "answer": "8"},
    {"question": "Which city is the capital of France?", "answer": "Paris"},
    {"question": "How many legs has an ant?", "answer": "6"},
    {"question": "Which city is the capital of Spain?", "answer": "Madrid"},
]
ABLE = Capabilities(seed=True, local=True, price=(0.0, 0.0), raw=True)


class Script:
    """A model that answers Lisbon; where it is to reason, with the chain written down for the question."""

    def __init__(self, chains: dict[str, object] | None = None) -> None:
        self.asked: list[Request] = []
        self._chains = chains or {}

    def __call__(self, request: Request) -> str:
        self.asked.append(request)
        last = request.messages[-1].text
        for part, chain in self._chains.items():
            if part in last and len(request.messages) == 1:
                if isinstance(chain, Exception):
                    raise chain
                return str(chain)
        return "Lisbon"


def ask(question: str = QUESTION, script: Script | None = None, **how: Any) -> tuple[pk.Outcome, Script, list[str]]:
    """The outcome, the model, and the warnings."""
    script, seen = script or Script(), list[events.Record]()
    model = pk.Scripted(script, name="chooser", capabilities=ABLE)
    with Journal.open(None) as journal:  # of its own: nothing asked before answers
        given = {"examples": SHOTS, "journal": journal, "sinks": [seen.append], **how}
        outcome = pk.run("few-shot", question, model=model, **given)
    return outcome, script, [each.event.message for each in seen if isinstance(each.event, events.Warned)]


def shown(script: Script) -> list[str]:
    """The answers of the examples in the last call."""
    return [turn.text for turn in script.asked[-1].messages[1:-1:2]]


@pytest.mark.parametrize(
    ("how", "answers"),
    [
        ({}, ["8", "Paris"]),
        ({"select": "similar"}, ["Madrid", "Paris"]),
        ({"select": "similar", "order": "file"}, ["Paris", "Madrid"]),
        ({"select": "knn", "order": "file"}, ["Paris", "Madrid"]),
        ({"select": "fixed", "order": "similar-first"}, ["Paris", "8"]),
    ],
)
def test_the_examples_are_those_of_the_policy_in_their_order(how: dict[str, Any], answers: list[str]) -> None:
    _, script, _ = ask(n=2, **how)
    if "select" in how and "order" not in how:  # two that are equally like come in an order of chance
        assert sorted(shown(script)) == sorted(answers)
    else:
        assert shown(script) == answers


def test_chance_is_the_seeds_and_each_questions_own() -> None:
    many = [{"question": f"What is {n} times 3?", "answer": str(3 * n)} for n in range(30)]

    def drawn(question: str, seed: int) -> list[str]:
        return shown(ask(question, examples=many, select="random", n=5, seed=seed)[1])

    assert drawn(QUESTION, 0) == drawn(QUESTION, 0)
    assert len({tuple(drawn(QUESTION, seed)) for seed in range(4)}) == 4
    assert drawn(QUESTION, 0) != drawn("Another question?", 0)


def test_the_order_of_chance_is_another_chance_than_the_choice() -> None:
    held = shelf.listed(SHOTS)
    plain: dict[str, Any] = {"tokens": None, "embed": None, "variety": 0.5, "leakage": "leave-out"}
    choice = choosing.Choice(n=3, select="random", order="random", rationale=False, generate=False, **plain)

    def order(seed: int) -> tuple[int, ...]:
        problem = Problem(text=QUESTION, seed=seed)
        got = asyncio.run(choosing.shown(choice, held, problem, pk.Scripted(lambda _: "x"), decoding={}))
        at = [held.index(each) for each in got.examples]
        return tuple(sorted(at).index(place) for place in at)

    orders = Counter(map(order, range(240)))
    # χ² of five degrees of freedom: above 20.5 once in a thousand.
    assert sum((orders[each] - 40) ** 2 / 40 for each in permutations(range(3))) < 20.5


def test_a_replay_shows_the_same_examples_of_a_store_that_is_gone(tmp_path: Any) -> None:
    path = tmp_path / "shots.csv"
    path.write_text("question,answer\n" + "".join(f"What is {n} times 3?,{3 * n}\n" for n in range(600)))
    with Journal.open(None) as journal:
        first, script, _ = ask(examples=str(path), select="random", n=5, journal=journal)
        path.unlink()
        replayed = pk.replay(first.run, journal=journal)
        kept = journal.run(first.run).params["examples"]
    assert (replayed.answer, replayed.detail) == (first.answer, first.detail)
    assert len(script.asked) == 1
    assert len(kept) == 256  # of a large store


def test_as_many_as_fit_and_that_it_is_an_estimate() -> None:
    outcome, script, warned = ask(select="similar", example_tokens=22)
    assert sorted(shown(script)) == ["Madrid", "Paris"]
    assert outcome.detail["examples"] == 2
    assert warned == ["2 of 4 examples fit into 22 tokens, taken for 4 bytes each"]


@pytest.mark.parametrize("select", ["similar", "knn", "diverse", "fixed"])
def test_a_near_duplicate_is_left_out_or_refused(select: str) -> None:
    question = "Josie has 3 cats and 14 dogs in 2 houses. How many animals has Josie got altogether?"
    leak = {"question": question.replace("Josie", "Maria"), "answer": "LEAKED"}
    outcome, script, warned = ask(question, examples=[leak, *SHOTS], select=select, n=2)
    assert "LEAKED" not in shown(script)
    assert len(shown(script)) == 2
    assert warned == ["example 1 asks nearly the question and is left out"]
    assert outcome.detail["left_out"] == 1
    with pytest.raises(BadInput, match="example 1 asks nearly the question: what is measured with it"):
        ask(question, examples=[leak, *SHOTS], select=select, n=2, leakage="refuse")


def test_a_document_is_one_text_and_ends_at_the_next_question() -> None:
    outcome, script, _ = ask(n=2, form="document")
    (request,) = script.asked
    assert [turn.role for turn in request.messages] == ["user"]
    assert request.messages[0].text == (
        "Q: How many legs has a spider?\nA: 8\n\n"
        "Q: Which city is the capital of France?\nA: Paris\n\n"
        f"Q: {QUESTION}\nA:"
    )
    assert (request.stop[-1], request.raw, outcome.answer) == ("\nQ:", None, "Lisbon")
    _, script, _ = ask(n=2, form="raw")
    assert (script.asked[0].messages, script.asked[0].raw) == (request.messages, ())


@pytest.mark.parametrize("how", [{"output": {"type": "object"}}, {"structured": "json"}])
def test_a_document_has_no_place_for_the_words_of_a_form(how: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="no form can be asked for behind it"):
        ask(form="document", **how)


def test_what_stands_in_an_example_is_data() -> None:
    _, script, _ = ask(examples=[{"question": "{{ 1 + 1 }} {% for x %}", "answer": "{{ x }}"}], form="document")
    assert script.asked[0].messages[0].text.startswith("Q: {{ 1 + 1 }} {% for x %}\nA: {{ x }}\n")


BARE = [{"question": f"What is {n} times 3?", "answer": str(3 * n)} for n in (2, 5, 7, 8)]
HOW: dict[str, Any] = {"examples": BARE, "select": "knn", "n": 2, "generate": True, "order": "file"}


def chain(n: int, answer: int) -> str:
    return f"Three times {n}.\nAnswer: {answer}"


def test_a_rationale_is_kept_only_if_it_ends_in_the_right_answer() -> None:
    script = Script({f"What is {n} ": chain(n, 99 if n == 2 else 3 * n) for n in (2, 5, 7, 8)})
    outcome, _, warned = ask("What is 2 times 4 times 3?", script, **HOW)
    last = script.asked[-1].messages
    assert len(last) == 5
    assert all("Three times" in turn.text for turn in last[1:-1:2])
    assert not any("What is 2 times 3?" in turn.text for turn in last)
    assert outcome.detail["rationales_asked"] == outcome.detail["rationales_right"] + 1
    assert any("do not end in the example's answer" in each for each in warned)


def test_the_rationales_serve_the_next_question_for_nothing() -> None:
    with Journal.open(None) as journal:
        chains: dict[str, object] = {f"What is {n} ": chain(n, 3 * n) for n in (2, 5, 7, 8)}
        ask("Is it 5?", Script(chains), journal=journal, **{**HOW, "n": 4})
        _, again, _ = ask("Is it 7?", Script(chains), journal=journal, **{**HOW, "n": 4})
    assert len(again.asked) == 1


def test_when_no_rationale_comes_so_it_fails() -> None:
    with pytest.raises(Unavailable):
        by_prompt.run(FewShot(**HOW), by_prompt.Script(("step by step", Unavailable("down"))), "Is it 5?")


def test_what_it_may_take() -> None:
    problem = Problem(text="?")
    making = FewShot(**{**HOW, "n": 2})
    assert forecast(making, problem).most == 5
    smaller = within(making, problem, 3)
    assert isinstance(smaller, FewShot)
    assert (smaller.n, forecast(smaller, problem).most) == (1, 3)
    embedding = FewShot(examples=BARE, select="similar", embed="openai:e", n=2)
    assert forecast(embedding, problem).most == 3


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"n": 5}, "--n 5 wants more examples than the 4 at hand"),
        ({"select": "balanced"}, "example 1: no label"),
        ({"variety": 1.5}, "--variety must be between 0 and 1"),
        ({"example_tokens": 0}, "--example-tokens must be at least 1"),
        ({"embed": "openai:e"}, "--select fixed looks at no likeness"),
        ({"select": "similar", "embed": "groq:x"}, "'groq:x' embeds no texts"),
        ({"select": "similar", "rationale": True}, "no rationale"),
        ({"form": "raw", "history": [message("user", "Hi"), message("assistant", "Hi")]}, "no conversation before it"),
    ],
)
def test_what_cannot_be_is_refused(how: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as refused:
        ask(**how)
    assert said in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize("words", [["--select", "nearest"], ["--order", "up"], ["--form", "poem"]])
def test_an_unknown_way_is_refused_on_the_command_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["run", "few-shot", QUESTION, *words]) == 2
    assert "error" in capsys.readouterr().err.lower()
    assert api.runs() == []


def test_a_dry_run_shows_what_is_chosen(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "shots.jsonl"
    path.write_text("\n".join(f'{{"question": "{e["question"]}", "answer": "{e["answer"]}"}}' for e in SHOTS))
    words = ["--examples", str(path), "--select", "similar", "--n", "2", "--form", "document", "--dry-run"]
    assert start(["run", "few-shot", QUESTION, *words]) == 0
    said = capsys.readouterr().out
    assert "capital of France" in said
    assert "spider" not in said
