"""`promptkit keys`: what is typed, what is said, and that no key is ever a word of a command or of an answer."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from promptkit import keys
from promptkit.cli.app import start

Capture = pytest.CaptureFixture[str]

KEY = "gsk_verb_0123456789abcdefk3Qd"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for provider in keys.PROVIDERS:
        monkeypatch.delenv(keys.variable_of(provider), raising=False)


def piped(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))


def test_a_piped_key_is_kept_listed_and_removed(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    for end in (b"", b"\n", b"\r\n"):
        piped(monkeypatch, KEY.encode() + end)
        assert start(["keys", "set", "groq"]) == 0
        found = keys.find("groq")
        assert found
        assert found.value == KEY
    said = capsys.readouterr()
    assert said.out == ""
    assert str(keys.path()) in said.err
    assert start(["keys", "list"]) == 0
    listed = capsys.readouterr().out
    assert "groq" in listed
    assert "…k3Qd" in listed
    assert "fk3Qd" not in listed
    assert start(["keys", "list", "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["keys"]
    assert one == {"provider": "groq", "ends": "…k3Qd", "from": str(keys.path()), "used": True}
    assert start(["keys", "rm", "groq"]) == 0
    assert keys.find("groq") is None
    assert start(["keys", "rm", "groq"]) == 2
    assert KEY not in "".join(capsys.readouterr())


def test_a_variable_that_comes_first_is_told_of(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "short")
    piped(monkeypatch, KEY.encode())
    assert start(["keys", "set", "groq"]) == 0
    assert "GROQ_API_KEY is set, too, and comes before it" in capsys.readouterr().err
    assert start(["keys", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["keys"]
    assert [(each["from"], each["ends"], each["used"]) for each in listed] == [
        ("GROQ_API_KEY", "…", True),
        (str(keys.path()), "…k3Qd", False),
    ]
    assert start(["keys", "rm", "groq"]) == 0
    assert "GROQ_API_KEY is still set" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["groq", KEY],
        ["groq", "--key", KEY],
        ["groq", f"--key={KEY}"],
        [f"--key={KEY}"],
        [KEY],
        ["-k", KEY],
        ["9f8e7d6c5b4a39281706f5e4d3c2b1a0"],
    ],
)
def test_a_key_as_a_word_is_refused_and_not_repeated(words: list[str], capsys: Capture) -> None:
    assert start(["keys", "set", *words]) == 2
    said = "".join(capsys.readouterr())
    assert "a key is no word of a command" in said
    assert "promptkit keys set groq" in said
    assert words[-1].removeprefix("--key=") not in said
    assert not keys.path().exists()


@pytest.mark.parametrize(
    ("name", "hint"), [("grok", "groq"), ("opnai", "openai"), ("builtin", "takes no key"), ("langchains", "models")]
)
def test_whose_key_that_would_be(name: str, hint: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    piped(monkeypatch, KEY.encode())
    for verb in ("set", "rm"):
        assert start(["keys", verb, name]) == 2
        assert hint in capsys.readouterr().err


@pytest.mark.parametrize("text", [b"", b"\n", b"a b", b"two\nlines", "schlüssel".encode(), b"\xff\xfe", b"x" * 10**6])
def test_what_is_no_key_is_not_kept(text: bytes, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    piped(monkeypatch, text)
    assert start(["keys", "set", "groq"]) == 2
    assert "promptkit keys set groq" in capsys.readouterr().err
    assert keys.find("groq") is None


@pytest.mark.skipif(os.name != "posix", reason="no modes")
def test_a_file_that_others_can_read_is_refused_with_what_mends_it(capsys: Capture) -> None:
    keys.save("groq", KEY)
    keys.path().chmod(0o644)
    assert start(["keys", "list"]) == 4
    assert f"chmod 600 '{keys.path()}'" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="no pty")
def test_on_a_terminal_it_is_typed_unseen(tmp_path: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PROMPTKIT_HOME": str(tmp_path), "TERM": "xterm"}
    command = [sys.executable, "-m", "promptkit", "keys", "set", "groq"]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True)
    os.close(theirs)
    shown = os.read(ours, 4096)  # the prompt: the echo is off by then
    while b"not shown" not in shown:
        shown += os.read(ours, 4096)
    time.sleep(0.1)
    os.write(ours, KEY.encode() + b"\n")
    while b"keys.json" not in shown:
        shown += os.read(ours, 4096)
    assert process.wait(20) == 0
    os.close(ours)
    assert KEY.encode() not in shown
    assert json.loads((tmp_path / "keys.json").read_text("utf-8")) == {"groq": KEY}


def test_a_missing_key_is_answered_with_all_ways_to_one(capsys: Capture) -> None:
    assert start(["run", "cot", "2 + 2?", "-m", "groq:llama-3.3-70b-versatile"]) == 4
    said = capsys.readouterr().err
    for way in ("promptkit keys set groq", "export GROQ_API_KEY=", "https://console.groq.com/keys", "-m builtin"):
        assert way in said
