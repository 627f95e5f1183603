"""`promptkit doctor`: what it looks at, what it says, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from promptkit.cli.app import start

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PROMPTKIT_JOURNAL", str(tmp_path / "journal.db"))
    monkeypatch.delenv("PROMPTKIT_MODEL", raising=False)
    for name in ("GROQ_API_KEY", "OPENAI_API_KEY", "OLLAMA_API_KEY", "GROQ_BASE_URL", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")  # the port of nobody
    return tmp_path


def checks(capsys: Capture, code: int) -> dict[str, dict[str, Any]]:
    """The worst finding of each check."""
    assert start(["doctor", "--json"]) == code
    body = json.loads(capsys.readouterr().out)
    assert body["schema"] == "promptkit.doctor/1"
    assert body["ok"] is (code == 0)
    worst = sorted(body["checks"], key=lambda check: ["ok", "none", "warn", "fail"].index(check["state"]))
    return {check["check"]: check for check in worst}


def test_a_sound_setup(capsys: Capture) -> None:
    found = checks(capsys, 0)
    assert "answered" in found["model"]["found"]
    assert "runs on" in found["device"]["found"] or "run on" in found["device"]["found"]
    assert set(found) == {
        *(
            "versions",
            "packages",
            "model",
            "device",
            "settings",
            "journal",
            "folders",
            "prompts",
            "terminal",
            "sockets",
            "sandbox",
        ),
        *("ollama", "keys", "tls"),
    }


def test_every_line_has_its_mark_and_what_mends_it(home: Path, capsys: Capture) -> None:
    folder = home / "home" / "prompts" / "mine"
    folder.mkdir(parents=True)
    (folder / "ask.md").write_text("no front matter")
    assert start(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    (broken,) = [line for line in lines if line.startswith("  ✗ ")]
    assert "ask.md:1:" in broken
    assert lines[lines.index(broken) + 1].strip() == "promptkit prompts check"
    assert any(line.startswith("  ✓ ") for line in lines)


def test_a_journal_that_is_something_else(home: Path, capsys: Capture) -> None:
    (home / "journal.db").write_text("a letter to a friend, longer than any header of a database")
    found = checks(capsys, 1)
    assert found["journal"]["state"] == "fail"
    assert "move it aside" in found["journal"]["mend"]


def test_a_setting_that_names_nothing(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("PROMPTKIT_MODEL", "olama:qwen3")
    assert checks(capsys, 1)["settings"]["mend"] == "promptkit models"


def test_a_broken_config_file(home: Path, capsys: Capture) -> None:
    (home / "home").mkdir()
    (home / "home" / "config.toml").write_text("model = [")
    assert "config.toml" in checks(capsys, 1)["settings"]["found"]


@pytest.mark.skipif(sys.platform == "win32", reason="no unix sockets")
def test_a_long_temporary_folder_is_noted(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    deep = home / ("long-" * 30)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    found = checks(capsys, 0)["sockets"]
    assert (found["state"], found["mend"]) == ("warn", "TMPDIR=/tmp")


def test_an_ascii_terminal_gets_ascii(home: Path) -> None:
    words = [sys.executable, "-c", "from promptkit.cli import main; main()", "doctor"]
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(words, capture_output=True, env=env, cwd=home, timeout=100)
    lines = done.stdout.decode("ascii").splitlines()
    assert done.returncode == 0, done.stderr
    assert any(line.startswith("  ok ") for line in lines)
    assert any(line.startswith("  !  ") and "ascii" in line for line in lines)


def test_what_holds_the_programs_of_models_is_named(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    import promptkit.sandbox as box
    from promptkit.sandbox.sent import Rung

    for rungs, state, found, mend in (
        (box.Rungs(Rung("bubblewrap", version="0.9.1"), None, {}, "6.1"), "ok", "bubblewrap 0.9.1", ""),
        (box.Rungs(None, Rung("landlock", namespaces=False), {}, "6.1"), "none", "in part only", "apt install bubble"),
        (box.Rungs(None, None, {"landlock": "no kernel"}, "6.1"), "none", "landlock: no kernel", "apt install bubble"),
    ):
        monkeypatch.setattr(box, "available", lambda rungs=rungs: rungs)
        said = checks(capsys, 0)["sandbox"]
        assert said["state"] == state
        assert found in said["found"]
        assert said["mend"].startswith(mend)


def test_prices_that_cannot_be_read_are_broken(capsys: Capture, home: Path) -> None:
    folder = home / "home"
    folder.mkdir()
    (folder / "prices.toml").write_text('["a:b"]\ninput = 1\noutput = 2\n')
    assert checks(capsys, 0)["prices"]["found"].startswith("1 price in ")
    (folder / "prices.toml").write_text('["a:b"]\ninput = "cheap"\noutput = 2\n')
    said = checks(capsys, 1)["prices"]
    assert "input must be USD per million tokens" in said["found"]
    assert said["mend"].startswith("mend it or move it aside")


def test_a_file_of_keys_is_named_and_one_that_others_read_is_broken(capsys: Capture, home: Path) -> None:
    from promptkit import keys

    where = keys.save("groq", "gsk_0123456789abcdef0123")
    assert start(["doctor"]) == 0
    assert f"{where}{', only you can read it' if os.name == 'posix' else ''}\n" in capsys.readouterr().out
    if os.name != "posix":
        return
    os.chmod(where, 0o644)
    said = checks(capsys, 1)
    assert said["keys"]["mend"] == f"chmod 600 '{where}'"
    assert "ollama" not in said, "which has nothing to do with it"
