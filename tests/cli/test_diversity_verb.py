"""`promptkit diversity`: a collapsed model and a diverse one, drawn anew or from a run in the journal."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from promptkit.cli.front import start
from promptkit.decoding.diversity import Drawn, measured, verdict

QUESTION = "What should I have for lunch?"


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTKIT_JOURNAL", str(tmp_path / "journal.db"))
    monkeypatch.chdir(tmp_path)


def model(*says: str) -> str:
    """Another file for other replies: a model is opened once a process."""
    body = json.dumps({"replies": [{"say": list(says)}]})
    path = Path(f"{hashlib.sha256(body.encode()).hexdigest()[:8]}.yaml")
    path.write_text(body)
    return f"scripted:{path}"


COLLAPSED = ["I like soup.\nAnswer: soup"]
DIVERSE = [f"On day {i} a {dish} is best.\nAnswer: {dish}" for i, dish in enumerate("abcdefghijkl", start=1)]


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    capsys.readouterr()
    assert start(["diversity", *words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_a_collapsed_model_is_told_from_a_diverse_one(capsys: pytest.CaptureFixture[str]) -> None:
    same = told(capsys, QUESTION, "-m", model(*COLLAPSED), "--n", "12")
    assert (same["schema"], same["verdict"], same["draws"]) == ("promptkit.diversity/1", "collapsed", 12)
    assert same["measures"]["answer_entropy"] == {"value": 0.0, "low": None, "high": None}  # resampling knows no more
    assert same["measures"]["equal_texts"]["value"] == same["measures"]["self-overlap"]["value"] == 1.0
    assert same["answers"] == [["soup", 12]]
    assert "12 of 12 draws are the same text" in same["sentence"]
    assert "76 to 100 %" in same["sentence"]  # Wilson's, of 12 of 12

    apart = told(capsys, QUESTION, "-m", model(*DIVERSE), "--n", "12")
    assert apart["verdict"] == "diverse"
    assert apart["measures"]["answer_entropy"]["value"] == pytest.approx(3.585, abs=1e-3)
    assert apart["measures"]["equal_answers"]["value"] == 0.0
    for name in ("distinct-1", "distinct-2"):
        assert apart["measures"][name]["value"] > same["measures"][name]["value"]
        assert apart["measures"][name]["low"] <= apart["measures"][name]["value"] <= apart["measures"][name]["high"]
    assert "12 answers" in apart["sentence"]


def test_one_answer_in_many_words_is_no_collapse(capsys: pytest.CaptureFixture[str]) -> None:
    says = [f"Reason {i} of many.\nAnswer: soup" for i in range(12)]
    got = told(capsys, QUESTION, "-m", model(*says), "--n", "12")
    assert got["verdict"] == "agreeing"
    assert "in 12 different texts" in got["sentence"]


def test_the_draws_are_those_of_sc_and_a_run_is_read_without_a_call(capsys: pytest.CaptureFixture[str]) -> None:
    name = model(*DIVERSE)
    assert start(["run", "sc", QUESTION, "-m", name, "--n", "12", "-q"]) == 3
    of_run = told(capsys, "last")
    assert of_run["draws"] == 12
    Path(name.removeprefix("scripted:")).unlink()  # nobody is asked
    assert told(capsys, of_run["run"]) == of_run
    model(*DIVERSE)
    drawn = told(capsys, QUESTION, "-m", name, "--n", "12")
    assert (drawn["measures"], drawn["verdict"]) == (of_run["measures"], of_run["verdict"])


def test_what_has_no_draws_to_compare(capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["run", "cot", QUESTION, "-m", model(*COLLAPSED), "-q"]) == 0
    capsys.readouterr()
    assert start(["diversity", "last"]) == 2
    said = capsys.readouterr()
    assert "asked no prompt twice" in said.err
    assert "promptkit diversity" in said.err
    assert start(["diversity", QUESTION, "-m", "builtin"]) == 3  # declined, with models that can
    assert start(["diversity", QUESTION, "-m", model("x"), "--n", "1"]) == 2
    assert start(["diversity", QUESTION, "-m", model("x"), "--temperature", "0"]) == 2


def test_a_plain_table_ends_in_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["diversity", QUESTION, "-m", model("I do not know", *COLLAPSED), "--n", "8"]) == 0
    said = capsys.readouterr()
    rows = said.out.splitlines()
    assert rows[0].split()[:2] == ["measure", "value"]
    assert [row.split("  ")[0] for row in rows[1:7]] == [
        "answer entropy",
        "equal answers",
        "equal texts",
        "distinct-1",
        "distinct-2",
        "self-overlap",
    ]
    assert rows[-1].startswith("collapsed: 7 of 8 draws")


def test_the_calls_of_decode_are_no_draws_of_one_prompt(capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["decode", "Anna has", "--steps", "2", "--methods", "greedy", "--json"]) == 0
    capsys.readouterr()
    assert start(["diversity", "last"]) == 2
    assert "asked no prompt twice" in capsys.readouterr().err


def test_few_draws_show_nothing_and_texts_stand_in_for_answers() -> None:
    assert verdict([Drawn("a")] * 4)[0] == "unclear"
    poems = [Drawn(f"poem {i} of its own kind") for i in range(20)]
    word, sentence = verdict(poems)
    assert word == "diverse"
    assert "20 texts" in sentence
    numbers = {each.name: each.value for each in measured(poems)}
    assert numbers["answer entropy"] is None
    assert numbers["equal texts"] == 0
    words = {each.name: each.value for each in measured([Drawn(word, word, word) for word in "abcde"])}
    assert (words["distinct-2"], words["self-overlap"]) == (None, 0.0)  # one word has no pair: they are equal or not
    assert verdict([Drawn(f"{i} {i % 2}", str(i % 2), str(i % 2)) for i in range(8)])[0] == "unclear"


def test_a_question_the_model_was_not_made_for_is_a_document_too(capsys: pytest.CaptureFixture[str]) -> None:
    none = told(capsys, "Why?", "-m", "builtin", code=3)
    assert (none["schema"], none["draws"], none["answers"], none["measures"]) == ("promptkit.diversity/1", 0, [], {})
    assert (none["verdict"], none["model"]) == ("unclear", "builtin")
    assert "tiny model" in none["sentence"]
