"""What cannot be used is refused in one line with what to type instead, before anything is spent or recorded."""

from __future__ import annotations

from pathlib import Path

import pytest
from spoken import OFFERS, QUESTION, Said, is_error, recorded

import promptkit as pk
from promptkit.cli.app import start
from promptkit.errors import BadInput

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path))
    monkeypatch.setenv("PROMPTKIT_JOURNAL", str(tmp_path / "journal.db"))
    monkeypatch.delenv("PROMPTKIT_MODEL", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return tmp_path


def say(capsys: Capture, *words: str) -> Said:
    capsys.readouterr()
    code = start(words)
    return Said(code, *capsys.readouterr())


NAMES = [
    (["run", "tott", QUESTION], "tot"),
    (["run", "beam-search-9000", QUESTION], "promptkit strategies"),
    (["run", "cot", QUESTION, "-P", "gam24"], "game24"),
    (["run", "cot", QUESTION, "-P", "../general"], "promptkit prompts list"),
    (["run", "cot", QUESTION, "-m", "scriptd:x"], "scripted"),
    (["run", "cot", QUESTION, "-m", "llama-cpp:x.gguf"], "llamacpp"),
    (["run", "cot", QUESTION, "-m", ":"], "promptkit models"),
    (["run", "cot", QUESTION, "-m", "builtin:large"], "builtin"),
    (["run", "cot", QUESTION, "-m", OFFERS, "--reader", "numbr"], "number"),
    (["run", "recipes/mine.yaml"], "promptkit run"),
    (["run"], "promptkit run cot"),
    (["run", "-q", "cot", QUESTION], "flags come after the strategy"),
    (["run", "cot", "Which", "offer?"], "in quotes"),
    (["runs", "shw"], "show"),
    (["prompts", "show", "genral"], "general"),
    (["strategies", "directt"], "direct"),
]


@pytest.mark.parametrize(("words", "hint"), NAMES)
def test_an_unknown_name_is_answered_with_a_known_one(words: list[str], hint: str, home: Path, capsys: Capture) -> None:
    said = say(capsys, *words)
    assert hint in "\n".join(is_error(said, 2))
    assert said.err.startswith("error: ")
    assert recorded(home) == []


VALUES = [
    ("sc", "--frsh"),
    ("sc", "--n", "0"),
    ("sc", "--n", "x"),
    ("sc", "--n", "1.5"),
    ("sc", "--n"),
    ("sc", "--temperature", "0"),
    ("sc", "--temperature", "-1"),
    ("sc", "--temperature", "nan"),
    ("sc", "--temperature", "warm"),
    ("sc", "--quorum", "2"),
    ("sc", "--reply-tokens", "0"),
    ("cot", "--reply-tokens", "-1"),
    ("cot", "--temperature", "-0.1"),
    ("tot", "--b", "0"),
    ("tot", "--depth", "-1"),
    ("tot", "--k", "0"),
    ("tot", "--n-evaluate", "0"),
    ("tot", "--generate", "guess"),
    ("tot", "--temperature", "0"),
    ("cot", "--max-calls", "0"),
    ("cot", "--max-calls", "-1"),
    ("cot", "--max-tokens", "0"),
    ("cot", "--max-cost", "-0.5"),
    ("cot", "--max-cost", "nan"),
    ("cot", "--timeout", "0"),
    ("cot", "--timeout", "-1"),
    ("cot", "--timeout", "soon"),
    ("cot", "--concurrency", "0"),
    ("cot", "--seed", "x"),
    ("cot", "-o", "n_gpu_layers"),
    ("cot", "-o", "=1"),
    ("cot", "-o", "batch=4"),  # scripted models have no options
]


@pytest.mark.parametrize("words", VALUES, ids=" ".join)
def test_a_bad_value_is_refused_before_anything_is_recorded(
    words: tuple[str, ...], home: Path, capsys: Capture
) -> None:
    strategy, *flags = words
    said = say(capsys, "run", strategy, QUESTION, "-m", OFFERS, *flags)
    hints = is_error(said, 2)
    assert said.err.startswith(("error: ", "usage: ", "Usage: ")), "nothing of a run was shown"
    assert "resume" not in "\n".join(hints)
    assert recorded(home) == []


def test_a_wrong_type_is_said_in_plain_words(capsys: Capture) -> None:
    assert "'--n': not a whole number\n" in say(capsys, "run", "sc", QUESTION, "--n", "x").err
    assert "'--timeout': not a number\n" in say(capsys, "run", "sc", QUESTION, "--timeout", "x").err
    error = say(capsys, "run", "tot", QUESTION, "--generate", "guess").err
    assert "'guess' is not one of 'propose', 'sample'" in error
    assert "Value error" not in error


@pytest.mark.parametrize("option", ["n_gpu_lyers=0", "temperature=0", "batch=many", "batch=0", "n_ctx=-5"])
def test_a_bad_option_of_the_model_is_refused(option: str, home: Path, capsys: Capture) -> None:
    is_error(say(capsys, "run", "cot", "-P", "game24", "4 5 6 10", "-o", option), 2)
    assert recorded(home) == []


def test_a_cost_cap_needs_a_price(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "no-key-at-all")
    said = say(capsys, "run", "cot", QUESTION, "-m", "openai:a-model-nobody-knows", "--max-cost", "1")
    assert "--max-" in "\n".join(is_error(said, 2))
    assert recorded(home) == []


@pytest.mark.parametrize("question", ["", "   ", "\n\t", "\u3000"])
def test_no_question_is_no_run(question: str, home: Path, capsys: Capture) -> None:
    assert "promptkit run cot " in is_error(say(capsys, "run", "cot", question, "-m", OFFERS), 2)[0]
    assert recorded(home) == []


@pytest.mark.parametrize("strategy", ["direct", "cot", "sc", "tot"])
@pytest.mark.parametrize("puzzle", ["4 5 6", "a b c d", "4 5 6 10 11", "1 2 3 -4", QUESTION])
def test_what_is_no_puzzle_is_refused_with_one_that_is(strategy: str, puzzle: str, home: Path, capsys: Capture) -> None:
    said = say(capsys, "run", strategy, "-P", "game24", puzzle)
    (hint,) = is_error(said, 2)
    assert '"1 4 9 11"' in hint
    assert "-P game24" in hint
    assert said.err.startswith("error: ")
    assert recorded(home) == []


@pytest.mark.parametrize("verb", [["resume"], ["replay"], ["runs", "show"], ["runs", "export"], ["runs", "rm", "-y"]])
@pytest.mark.parametrize("run", ["r000000", "", "last", "R", "../x"])
def test_a_run_nobody_made(verb: list[str], run: str, capsys: Capture) -> None:
    is_error(say(capsys, *verb, run), 2)


def test_a_run_id_with_a_slip_is_answered_with_the_near_one(home: Path, capsys: Capture) -> None:
    say(capsys, "run", "direct", QUESTION, "-m", OFFERS)
    run = recorded(home)[0].id
    slip = run[:-1] + ("0" if run[-1] != "0" else "1")
    for verb in (["resume"], ["replay"], ["runs", "show"], ["runs", "export"], ["runs", "rm", "-y"]):
        assert f"did you mean {run}?" in is_error(say(capsys, *verb, slip), 2)
    assert [row.id for row in recorded(home)] == [run]


@pytest.mark.parametrize("words", [["last", "--max-calls", "0"], ["last", "--timeout", "-1"], ["last", "--nope"], []])
def test_a_resume_that_makes_no_sense_changes_nothing(words: list[str], home: Path, capsys: Capture) -> None:
    say(capsys, "run", "direct", QUESTION, "-m", OFFERS)
    before = recorded(home)
    is_error(say(capsys, "resume", *words), 2)
    assert recorded(home) == before


def test_a_cap_is_called_as_it_was_given(home: Path, capsys: Capture) -> None:
    error = say(capsys, "run", "cot", QUESTION, "-m", OFFERS, "--max-calls", "0").err
    assert error.splitlines() == ["error: --max-calls must be above 0, not 0", "  leave --max-calls out for no cap"]
    for given in (lambda: pk.run("cot", QUESTION, max_calls=0), lambda: pk.record(max_calls=0)):
        with pytest.raises(BadInput) as raised:
            given()
        assert raised.value.message == "max_calls must be above 0, not 0"
        assert raised.value.hint == "leave max_calls out for no cap"
