"""`promptkit tokens`, `next` and `decode`: exact figures, what is said on which stream, and what is refused."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from promptkit.cli.front import start

CAT = f"scripted:{Path(__file__).parent / 'data' / 'cat.yaml'}"
OFFERS = f"scripted:{Path(__file__).parent / 'data' / 'offers.yaml'}"


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTKIT_JOURNAL", str(tmp_path / "journal.db"))
    monkeypatch.chdir(tmp_path)


def out(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert start(words) == code
    return capsys.readouterr().out


def document(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    return json.loads(out(capsys, *words, "--json", code=code))


def error(capsys: pytest.CaptureFixture[str], *words: str, code: int = 2) -> str:
    assert start(words) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("error: ") == 1
    assert "\n  " in said.err, "a hint"
    return said.err


def lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_beam_search_and_its_tie_to_the_digit(capsys: pytest.CaptureFixture[str]) -> None:
    shown = out(capsys, "decode", "The cat", "-m", CAT, "--steps", "2", "--width", "3", "--methods", "greedy,beam")
    assert lines(shown) == [
        ["way", "text", "probability", "bits"],
        ["greedy", "is", "sleeping", "0.42", "1.23", "the", "likeliest"],
        ["beam", "1", "is", "sleeping", "0.42"],
        ["beam", "2", "sat", "on", "0.15"],
        ["beam", "3", "is", "eating", "0.12", "tie"],
        ["beam", "-", "sat", "quietly", "0.12", "tie,", "left", "out"],
        'a tie at 0.12 where the beam ends: "is eating" and "sat quietly"; the first ones stay'.split(),
    ]


def test_top_p_keeps_three_to_the_digit(capsys: pytest.CaptureFixture[str]) -> None:
    shown = out(capsys, "next", "fruit:", "-m", CAT, "--top-p", "0.8")
    assert lines(shown) == [
        ["token", "p", "cumulative", "drawn"],
        ["␣apple", "0.4", "0.4", "0.4444", "kept"],
        ["␣banana", "0.3", "0.7", "0.3333", "kept"],
        ["␣cherry", "0.2", "0.9", "0.2222", "kept"],
        ["␣date", "0.1", "1", "0", "cut"],
        [],
        ["entropy", "1.85", "bits"],
        "top-p 0.8: drawn from 3 tokens, 1.53 bits".split(),
    ]


def test_next_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    told = document(capsys, "next", "fruit:", "-m", CAT, "--top-k", "2", "--temperature", "0.5", "--top", "3")
    assert told["schema"] == "promptkit.next/1"
    assert told["tokens"][0] == {"text": " apple", "id": None, "p": 0.4, "cumulative": 0.4, "drawn": 0.64}
    assert [each["drawn"] for each in told["tokens"]] == [0.64, 0.36, None]
    assert told["more"] == {"tokens": 1, "p": 0.1, "kept": 0}
    assert (told["rules"], told["kept"], told["exact"]) == ("top-k 2, then temperature 0.5", 2, True)
    heated = document(capsys, "next", "fruit:", "-m", CAT, "--top-p", "0.8", "--temperature", "0.5", "--heat-first")
    assert (heated["rules"], heated["kept"]) == ("temperature 0.5, then top-p 0.8", 2)  # 16/30 and 9/30
    assert heated["usage"]["cached_calls"] == heated["usage"]["calls"] == 1  # another look at the same call is free


def test_what_is_not_told_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    shown = out(capsys, "next", "some:", "-m", CAT, "--top-p", "0.9")
    assert "… 0.2 on tokens that the model does not tell" in shown
    assert "entropy at least" in shown
    assert "3 tokens that are told, and others" in shown
    assert ["⏎", "0.2", "0.7"] in [line[:3] for line in lines(shown)]
    assert ["(end)", "0.1", "0.8"] in [line[:3] for line in lines(shown)]


def test_a_look_is_a_run_like_any_other(capsys: pytest.CaptureFixture[str]) -> None:
    first = document(capsys, "decode", "The cat", "-m", CAT, "--steps", "2")
    assert out(capsys, "replay", "last", "-q") == " is sleeping\n"
    again = document(capsys, "decode", "The cat", "-m", CAT, "--steps", "2")
    assert again["usage"]["cached_calls"] == again["usage"]["calls"] > 0
    assert {name: again[name] for name in ("ways", "beam")} == {name: first[name] for name in ("ways", "beam")}
    other = document(capsys, "decode", "The cat", "-m", CAT, "--steps", "2", "--seed", "5")
    assert other["beam"] == first["beam"]
    cut = document(capsys, "decode", "The cat", "-m", CAT, "--steps", "2", "--fresh", "--max-calls", "1", code=5)
    assert (cut["status"], cut["answer"]) == ("budget", " is")
    run = cut["run"]
    none = document(capsys, "next", "The cat", "-m", CAT, "--fresh", "--max-tokens", "1", code=5)
    assert (none["status"], none["answer"], "tokens" in none) == ("budget", None, False)
    assert start(["resume", run, "-q", "--max-calls", "9"]) == 0
    assert capsys.readouterr().out == " is sleeping\n"


def test_every_token_of_every_way(capsys: pytest.CaptureFixture[str]) -> None:
    shown = out(capsys, "decode", "The cat", "-m", CAT, "--steps", "2", "--by-token", "--methods", "greedy,top-k")
    assert ["greedy", "␣is", "0.6", "1.30", "1"] in lines(shown)
    told = document(capsys, "decode", "The cat", "-m", CAT, "--steps", "2")
    assert [way["way"] for way in told["ways"]] == ["greedy", "temperature", "top-k", "top-p", "min-p"]
    same_dice = [way["text"] for way in told["ways"] if way["way"] in ("temperature", "top-k")]
    assert len(set(same_dice)) == 1  # 40 of 3 tokens cuts nothing


def test_the_model_on_board_is_looked_at_outside_its_packs_with_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["next", "The cat", "--json"]) == 0
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert told["exact"]
    assert told["told"] > 500
    assert all(isinstance(each["id"], int) for each in told["tokens"])
    assert said.err.count("builtin knows arithmetic only") == 1
    assert start(["decode", "The cat", "--steps", "2", "--json"]) == 0
    beams = json.loads(capsys.readouterr().out)["beam"]["beams"]
    assert len(beams) == 3
    assert beams[0]["probability"] >= beams[1]["probability"] >= beams[2]["probability"] > 0


def test_tokens(capsys: pytest.CaptureFixture[str]) -> None:
    told = document(capsys, "tokens", "The cat 日")
    assert told["schema"] == "promptkit.tokens/1"
    assert told["count"] == len(told["tokens"])
    assert bytes.fromhex("".join(each["bytes"] for each in told["tokens"])).decode() == "The cat 日"
    shown = out(capsys, "tokens", "a b\n日")
    assert "␣b" in shown or "␣" in shown
    assert "⏎" in shown
    assert sum(line.endswith("日") for line in shown.splitlines()) == 3  # its three bytes are three tokens
    assert shown.splitlines()[-1].endswith("for builtin · 5 characters, 7 bytes")


def test_a_text_comes_from_stdin_without_its_last_line_break(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"The cat\n")))
    assert document(capsys, "next", "-", "-m", CAT)["tokens"][0]["text"] == " is"


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["next", "x", "-m", OFFERS], "does not tell log-probabilities"),
        (["decode", "x", "-m", OFFERS], "does not tell log-probabilities"),
        (["next", "x", "-m", "openai:gpt-4.1-mini"], "cannot go on with a bare text"),
        (["decode", "x", "-m", "openai:gpt-4.1-mini"], "cannot go on with a bare text"),
        (["tokens", "x", "-m", OFFERS], "its tokenizer is not at hand"),
        (["next", "x", "-m", f"{CAT},builtin"], "one model is looked at"),
        (["next", " ", "-m", CAT], "the text is empty"),
        (["next", "x", "-m", CAT, "--top-p", "0"], "--top-p must be above 0"),
        (["next", "x", "-m", CAT, "--top-k", "-1"], "--top-k must be 0"),
        (["next", "x", "-m", CAT, "--min-p", "2"], "--min-p must be between"),
        (["next", "x", "-m", CAT, "--temperature", "nan"], "--temperature must be"),
        (["next", "x", "-m", CAT, "--top", "0"], "--top must be at least 1"),
        (["decode", "x", "-m", CAT, "--width", "0"], "--width must be at least 1"),
        (["decode", "x", "-m", CAT, "--steps", "0"], "--steps must be at least 1"),
        (["decode", "x", "-m", CAT, "--methods", "magic"], "no way of decoding 'magic'"),
        (["decode", "x", "-m", CAT, "--methods", ","], "no way of decoding is named"),
    ],
)
def test_what_cannot_be_looked_at_is_one_line_and_a_hint(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str], fault: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-a-key")
    assert fault in error(capsys, *words)


def test_a_text_without_a_table_is_the_scripts_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no next token for a text that ends in 'The dog'" in error(capsys, "next", "The dog", "-m", CAT, code=1)


def test_ways_are_completed_one_after_the_other() -> None:
    from promptkit.cli import complete

    assert complete.decodings("greedy,top") == ["greedy,top-k", "greedy,top-p"]
    assert "builtin" in complete.models("bui")


@pytest.mark.parametrize("text", ["Anna has 6 boxes with 8", "Input: 2 3 5 12\nPossible next steps:"])
def test_the_model_on_board_is_looked_at_inside_its_packs_without_a_note(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(["next", text, "--json"]) == 0
    assert "arithmetic only" not in capsys.readouterr().err
