"""Few-shot: examples are turns in the form of the question, never the question itself, and part of the record."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import pytest

import promptkit as pk
from promptkit import api, events, prompts
from promptkit import examples as shelf
from promptkit.announced import ONE, forecast
from promptkit.cli.app import start
from promptkit.errors import BadInput
from promptkit.examples import Example
from promptkit.journal import Journal
from promptkit.types import Message, Request, message

QUESTION = "What is 7 + 8?"
SHOTS = [{"question": f"What is {n} + 1?", "answer": str(n + 1), "rationale": f"{n} and 1."} for n in range(10)]
CSV = "question,answer\nWhat is 1 + 1?,2\nWhat is 2 + 1?,3\nWhat is 3 + 1?,4\n"


class Script:
    """A model that answers 15, late in an order of its own, and remembers what it was asked."""

    def __init__(self, shuffle: int = 0) -> None:
        self.asked: list[Request] = []
        self._dice = random.Random(shuffle)

    async def __call__(self, request: Request) -> str:
        self.asked.append(request)
        await asyncio.sleep(self._dice.random() * 0.003)
        return "Answer: 15"

    @property
    def turns(self) -> tuple[Message, ...]:
        (request,) = self.asked
        return request.messages


def ask(question: str = QUESTION, /, strategy: str = "few-shot", **how: Any) -> tuple[pk.Outcome, Script, list[str]]:
    """The outcome, the model, and the warnings."""
    script, seen = Script(), list[events.Record]()
    with Journal.open(None) as journal:
        outcome = pk.run(
            strategy,
            question,
            model=pk.Scripted(script, name="taught"),
            **{"journal": journal, "sinks": [seen.append], **how},
        )
    return outcome, script, [each.event.message for each in seen if isinstance(each.event, events.Warned)]


@pytest.mark.parametrize("rationale", [False, True])
def test_examples_are_turns_in_the_form_of_the_question(rationale: bool) -> None:
    _, script, _ = ask(examples=SHOTS, n=3, rationale=rationale)
    assert [turn.role for turn in script.turns] == ["user", "assistant"] * 3 + ["user"]
    plain = "cot" if rationale else "direct"
    asked = [ask(shot["question"], strategy=plain)[1].turns[0] for shot in SHOTS[:3]]
    assert list(script.turns[0:6:2]) == asked
    assert script.turns[6:] == ask(strategy=plain)[1].turns
    replies = [turn.text for turn in script.turns[1:6:2]]
    assert replies == (["0 and 1.\nAnswer: 1", "1 and 1.\nAnswer: 2", "2 and 1.\nAnswer: 3"] if rationale else [*"123"])


@pytest.mark.parametrize(("rationale", "same"), [(False, "direct"), (True, "cot")])
def test_no_examples_is_zero_shot_and_shares_its_calls(rationale: bool, same: str) -> None:
    with Journal.open(None) as journal:
        first, _, _ = ask(strategy=same, journal=journal)
        again, script, _ = ask(n=0, rationale=rationale, journal=journal)
    assert script.asked == []
    assert again.usage.cached_calls == 1
    assert again.answer == first.answer


def test_the_texts_of_the_examples_are_part_of_the_call() -> None:
    other = [{**SHOTS[0], "answer": "one"}]
    with Journal.open(None) as journal:
        calls = [len(ask(examples=held, journal=journal)[1].asked) for held in (SHOTS[:1], SHOTS[:1], other)]
    assert calls == [1, 0, 1]


@pytest.mark.parametrize(("n", "shown"), [(None, 8), (1, 1), (10, 10)])
def test_the_first_n_of_the_file_are_shown(n: int | None, shown: int) -> None:
    outcome, script, _ = ask(examples=SHOTS, n=n)
    assert len(script.turns) == 2 * shown + 1
    assert [turn.text for turn in script.turns[1::2]] == [shot["answer"] for shot in SHOTS[:shown]]
    assert outcome.detail["examples"] == shown


def test_an_example_that_asks_the_question_is_left_out_and_said() -> None:
    leak = {"question": "what is 7 + 8 ", "answer": "THE ANSWER"}
    outcome, script, warned = ask(examples=[SHOTS[0], leak, *SHOTS[1:3]], n=3)
    assert "THE ANSWER" not in "".join(turn.text for turn in script.turns)
    assert [turn.text for turn in script.turns[1::2]] == ["1", "2", "3"]  # the next one takes its place
    assert warned == ["example 2 asks the question itself and is left out"]
    assert (outcome.detail["examples"], outcome.detail["left_out"]) == (3, 1)


def test_a_leak_beyond_the_first_n_is_none() -> None:
    outcome, _, warned = ask(examples=[*SHOTS[:2], {"question": QUESTION, "answer": "15"}], n=2)
    assert (warned, outcome.detail["left_out"]) == ([], 0)


def test_when_no_other_takes_its_place_there_are_fewer() -> None:
    outcome, script, warned = ask(examples=[{"question": QUESTION, "answer": "15"}, SHOTS[0]], n=2)
    assert len(script.turns) == 3
    assert (len(warned), outcome.detail["examples"]) == (1, 1)


def test_a_puzzle_in_another_order_is_the_same_puzzle() -> None:
    _, script, warned = ask("4 3, 4 and 2", pack="game24")
    assert len(warned) == 1
    assert "4 * 24" not in "".join(turn.text for turn in script.turns)
    assert "Input: 2 3 4 4" not in "".join(turn.text for turn in script.turns)


def test_the_conversation_so_far_comes_after_the_examples() -> None:
    history = [message("user", "Hello"), message("assistant", "Hi.")]
    _, script, _ = ask(examples=SHOTS[:1], history=history)
    assert [turn.text.split("\n")[0] for turn in script.turns] == ["What is 0 + 1?", "1", "Hello", "Hi.", QUESTION]


def test_what_a_template_says_first_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path))
    pack = tmp_path / "prompts" / "strict"
    pack.mkdir(parents=True)
    (pack / "pack.md").write_text("---\ntitle: strict\n---\n")
    turns = "[[system]]\nBe strict.\n[[user]]\nQ: {{ question }}\n[[assistant]]\nA:\n"
    (pack / "solve.md").write_text(f"---\ninputs: [question]\nreader: final\n---\n{turns}")
    (pack / "example.md").write_text("---\ninputs: [answer]\n---\nAnswer: {{ answer }}\n")
    (pack / "examples.yaml").write_text("- question: one?\n  answer: 1\n- question: two?\n  answer: 2\n")
    _, script, _ = ask("three?", pack="strict")
    assert [(turn.role, turn.text) for turn in script.turns] == [
        ("system", "Be strict."),
        ("user", "Q: one?"),
        ("assistant", "A:\nAnswer: 1"),
        ("user", "Q: two?"),
        ("assistant", "A:\nAnswer: 2"),
        ("user", "Q: three?"),
        ("assistant", "A:"),
    ]


@pytest.mark.parametrize("given", ["path", "text", "examples", "pack"])
def test_examples_come_from_a_file_a_list_or_the_pack(given: str, tmp_path: Path) -> None:
    path = tmp_path / "shots.csv"
    path.write_text(CSV)
    ways = {
        "path": path,
        "text": str(path),
        "examples": [Example(question=f"What is {n} + 1?", answer=str(n + 1)) for n in (1, 2, 3)],
        "pack": None,
    }
    _, script, _ = ask(examples=ways[given])
    assert script.turns[1].text == ("17" if given == "pack" else "2")


def test_a_run_is_made_again_when_its_file_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "shots.csv"
    path.write_text(CSV)
    script = Script()
    with Journal.open(None) as journal:
        first = pk.run(
            "few-shot", QUESTION, model=pk.Scripted(script, name="taught"), journal=journal, examples=str(path), n=2
        )
        path.unlink()
        params = json.loads(json.dumps(journal.run(first.run).params))
        replayed = pk.replay(first.run, journal=journal)
        resumed = pk.resume(first.run, model=pk.Scripted(script, name="taught"), journal=journal)
    assert [each["origin"] for each in params["examples"]] == [f"{path}:2", f"{path}:3"]
    assert params["n"] == 2
    assert (replayed.answer, replayed.detail) == (first.answer, first.detail) == (resumed.answer, resumed.detail)
    assert len(script.asked) == 1


def test_a_replay_leaves_out_what_the_run_left_out(journal: Journal) -> None:
    held = [{"question": QUESTION, "answer": "15"}, *SHOTS[:3]]
    first, _, warned = ask(examples=held, n=2, journal=journal)
    seen: list[events.Record] = []
    replayed = asyncio.run(api.areplay(first.run, journal=journal, sinks=[seen.append]))
    assert replayed.detail == first.detail
    assert [each.event.message for each in seen if isinstance(each.event, events.Warned)] == warned != []


def test_the_order_of_arrival_changes_nothing() -> None:
    """Several questions at once on one model, with latencies of their own."""

    async def once(shuffle: int) -> list[Any]:
        model = pk.Scripted(Script(shuffle))
        with Journal.open(None) as journal:
            how: dict[str, Any] = {"model": model, "journal": journal, "examples": SHOTS, "concurrency": 1 + shuffle}
            runs = [pk.arun("few-shot", f"What is {n} + 1?", n=4, **how) for n in range(12)]
            return [(each.answer, each.text, each.detail) for each in await asyncio.gather(*runs)]

    first, *others = [asyncio.run(once(shuffle)) for shuffle in range(6)]
    assert [detail["left_out"] for _, _, detail in first] == [1] * 4 + [0] * 8
    assert all(other == first for other in others)


@pytest.mark.parametrize("rationale", [False, True])
def test_the_model_on_board_takes_examples_of_its_game(rationale: bool, journal: Journal) -> None:
    """How often it is right is the benchmark's to say; here it answers in form, and the same twice."""
    how: dict[str, Any] = {"model": "builtin", "pack": "game24", "rationale": rationale}
    first, again = [pk.run("few-shot", "4 5 6 10", journal=held, **how) for held in (journal, "memory")]
    assert (first.answer, first.text) == (again.answer, again.text)
    assert first.usage.calls == 1
    assert first.status in ("done", "undecided")
    assert first.text
    if first.answer is not None:
        assert first.detail["verified"] in (True, False)


@pytest.mark.parametrize("pack", [each for each in prompts.packs() if each != "tricks"])  # blocks of text, no questions
def test_all_examples_of_a_pack_fit_the_model_on_board(pack: str) -> None:
    rationale = all(each.rationale for each in shelf.of_pack(pack))  # a hidden rule has none
    plan = api.plan("few-shot", "4 5 6 10", pack=pack, journal="memory", rationale=rationale)
    assert forecast(plan.strategy, plan.problem) == ONE
    _, script, _ = ask("4 5 6 10", pack=pack, rationale=rationale)
    assert sum(len(turn.text) for turn in script.turns) < 2500  # its context is 1024 tokens


# the command line


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What an error says; it exits with 2, in one line with a hint under it, and nothing is recorded."""
    assert start(["run", "few-shot", "4 5 6 10", *words]) == 2
    said = capsys.readouterr()
    error, hint, *_ = said.err.splitlines()
    assert error.startswith("error: ")
    assert hint.startswith("  ")
    assert (said.out, api.runs()) == ("", [])
    return error


@pytest.mark.parametrize(
    ("text", "words", "error"),
    [
        ("- question: a\n  answer: b\n- question: c\n", [], ":3: no answer"),
        ("- {question: a, answer: b}\n", ["--rationale"], ":1: no rationale"),
        ("- {question: a, answer: b}\n", ["--n", "2"], "--n 2 wants more examples than the 1 at hand"),
        ("- {question: a, answer: b}\n", ["--n", "-1"], "--n must be 0 or more"),
        ("- {question: a, answer: b}\n", ["-P", "game24"], ":1: not a Game of 24 puzzle"),
    ],
)
def test_examples_that_cannot_be_used(
    text: str, words: list[str], error: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "shots.yaml"
    path.write_text(text)
    assert error in refused(capsys, "--examples", str(path), *words)


def test_rationales_can_be_asked_for_and_not(capsys: pytest.CaptureFixture[str]) -> None:
    shown = {}
    for word in ("--rationale", "--no-rationale"):
        assert start(["run", "few-shot", QUESTION, "--n", "1", word, "--dry-run"]) == 0
        shown[word] = capsys.readouterr().out
    assert "6 * 8 = 48" in shown["--rationale"]
    assert "6 * 8 = 48" not in shown["--no-rationale"]


def test_a_bad_number_of_examples_is_refused_in_python_too() -> None:
    with pytest.raises(BadInput, match="--n"):
        ask(n=-1)
