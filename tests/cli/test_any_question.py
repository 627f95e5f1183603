"""`promptkit run` answers any question with any strategy, says so when it cannot, and is free the second time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from spoken import DATA, OFFERS, QUESTION, Said, recorded

from promptkit import registry
from promptkit.cli.app import start
from promptkit.sandbox import available
from promptkit.worlds.game24 import Game24

Capture = pytest.CaptureFixture[str]
STRATEGIES = [name for name in registry.names("strategy") if name != "flipped"]  # which asks you: test_flipped.py
WORDS = {  # what they cannot do without
    "flipped": ("--answers", str(DATA / "answers.yaml")),
    "pattern": ("--use", "fact-check"),
    "persona": ("--who", "a careful friend"),
    "reflexion": ("--evaluator", "judge"),
    "structured": ("--form", "steps"),
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path))
    monkeypatch.setenv("PROMPTKIT_JOURNAL", str(tmp_path / "journal.db"))
    monkeypatch.delenv("PROMPTKIT_MODEL", raising=False)
    return tmp_path


def say(capsys: Capture, *words: str) -> Said:
    capsys.readouterr()
    code = start(words)
    return Said(code, *capsys.readouterr())


def body(said: Said) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said.out)
    return found


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_answers_any_question(strategy: str, capsys: Capture) -> None:
    if strategy == "program" and not (available().bubblewrap or available().landlock):
        pytest.skip("no sandbox here")
    said = say(capsys, "run", strategy, *WORDS.get(strategy, ()), QUESTION, "-m", OFFERS)
    if strategy == "deepconf":  # written replies have no log-probabilities: it says so, and what to type
        assert said.code == 2
        assert "-m llamacpp:" in said.err
        return
    assert (said.code, said.out) == (0, "The second offer\n")
    assert "promptkit runs show" in said.err


@pytest.mark.parametrize("generate", ["propose", "sample"])
@pytest.mark.parametrize("evaluate", ["value", "vote"])
def test_a_tree_of_free_thoughts(generate: str, evaluate: str, capsys: Capture) -> None:
    said = say(capsys, "run", "tot", QUESTION, "-m", OFFERS, "--generate", generate, "--evaluate", evaluate, "--json")
    assert said.code == 0
    assert body(said)["answer"] == "The second offer"
    assert body(said)["verified"] is None  # no program can tell


@pytest.mark.parametrize(
    "words", [("cot", "--extract", "always"), ("few-shot", "--rationale"), ("few-shot", "--n", "0")]
)
def test_a_second_call_and_worked_examples(words: tuple[str, ...], capsys: Capture) -> None:
    said = say(capsys, "run", *words, QUESTION, "-m", OFFERS)
    assert (said.code, said.out) == (0, "The second offer\n")


def test_an_output_that_does_not_fit_is_drawn_anew_not_resumed(home: Path, capsys: Capture) -> None:
    (home / "schema.json").write_text('{"type": "object"}')
    (home / "vague.yaml").write_text("replies: [{say: Perhaps.}]")
    words = ("run", "cot", QUESTION, "-m", "scripted:vague.yaml", "--output", "schema.json")
    for again in (words, ("replay", "last")):
        said = say(capsys, *again)
        assert (said.code, said.out) == (1, "")
        assert "--fresh, or --seed 1" in said.err
        assert "resume" not in said.err


@pytest.mark.parametrize("question", ["Welches Angebot soll ich annehmen?", "该接受哪个工作？", "أي عرض أقبل؟"])
def test_a_question_in_any_language(question: str, capsys: Capture) -> None:
    said = say(capsys, "run", "cot", question, "-m", OFFERS, "--json")
    assert said.code == 0
    assert recorded(Path.cwd())[0].question == question


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_tiny_model_names_a_real_one_instead_of_noise(strategy: str, capsys: Capture) -> None:
    needed = WORDS.get(strategy, ())
    said = say(capsys, "run", strategy, *needed, QUESTION)
    assert (said.code, said.out) == (3, "")
    for way in ("ollama pull", "-m ollama:", "GROQ_API_KEY", "OPENAI_API_KEY", "-m llamacpp:"):
        assert way in said.err
    assert not recorded(Path.cwd()), "nothing was asked: there is no run"
    said = say(capsys, "run", strategy, *needed, QUESTION, "--json")
    assert said.code == 3
    found = body(said)
    assert (found["answer"], found["status"], found["usage"]["calls"]) == (None, "undecided", 0)


TOLD_ONCE = {"run", "seconds", "cost_usd"}


def test_the_second_time_is_free_and_the_same(capsys: Capture) -> None:
    words = ("run", "tot", "-P", "game24", "4 5 6 10", "--json")
    first, second = body(say(capsys, *words)), body(say(capsys, *words))
    assert (first["status"], first["verified"]) == ("done", True)
    assert Game24().check("4 5 6 10", first["answer"])
    assert first["usage"]["cached_calls"] == 0
    assert second["usage"].pop("cached_calls") == second["usage"]["calls"]
    first["usage"].pop("cached_calls")
    assert {k: v for k, v in first.items() if k not in TOLD_ONCE} == {
        k: v for k, v in second.items() if k not in TOLD_ONCE
    }


@pytest.mark.parametrize(
    "words", [("tot", "-P", "game24", "4 5 6 10"), ("sc", QUESTION, "-m", OFFERS), ("tot", QUESTION, "-m", OFFERS)]
)
def test_a_replay_says_the_same_and_calls_nothing(words: tuple[str, ...], capsys: Capture) -> None:
    asked = say(capsys, "run", *words)
    run = recorded(Path.cwd())[0].id
    before = say(capsys, "runs", "show", run, "--json").out
    assert say(capsys, "replay", run).out == say(capsys, "replay", "last").out == asked.out
    again = body(say(capsys, "replay", "last", "--json"))
    assert again["usage"]["cached_calls"] == again["usage"]["calls"] > 0
    assert say(capsys, "runs", "show", run, "--json").out == before  # a replay leaves no trace


def test_a_replay_needs_no_model(home: Path, capsys: Capture) -> None:
    replies = home / "replies.yaml"
    replies.write_text("replies: [{say: forty-two}]")
    say(capsys, "run", "direct", QUESTION, "-m", f"scripted:{replies}")
    replies.unlink()
    assert say(capsys, "replay", "last").out == "forty-two\n"


def test_runs_list_counts_a_call_once(capsys: Capture) -> None:
    for _ in range(2):
        say(capsys, "run", "direct", QUESTION, "-m", OFFERS)
    head, *rows = say(capsys, "runs", "list").out.splitlines()
    at = head.index("calls")
    assert [row[at : at + 5].strip() for row in rows] == ["1", "1"]


def test_a_finished_run_resumes_for_free(capsys: Capture) -> None:
    first = body(say(capsys, "run", "sc", QUESTION, "-m", OFFERS, "--json"))
    said = say(capsys, "resume", first["run"], "--json")
    again = body(said)
    assert said.code == 0
    assert (again["answer"], again["run"]) == (first["answer"], first["run"])
    assert again["usage"]["cached_calls"] == again["usage"]["calls"]
    assert len(recorded(Path.cwd())) == 1
