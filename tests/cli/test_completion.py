"""What bash, zsh and fish are offered while a command is typed, by the protocol their installed scripts speak."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from spoken import OFFERS, QUESTION, command, environment, is_error, recorded


def offered(home: Path, line: str, shell: str = "bash") -> list[str]:
    """The words a shell is offered at the end of a line."""
    words = line.split(" ")
    asked = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    env = environment(home, _PROMPTKIT_COMPLETE=f"complete_{shell}", **asked)
    code = "import sys; sys.argv = ['promptkit']; from promptkit.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], cwd=home, env=env, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    if shell == "zsh":
        return re.findall(r'^(?:_arguments \'\*: :\(\()?"((?:[^"\\]|\\.)*)"', done.stdout, re.MULTILINE)
    return [each.split("\t")[0] for each in done.stdout.splitlines()]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_is_offered_strategies(tmp_path: Path, shell: str) -> None:
    assert offered(tmp_path, "promptkit run t", shell)[-1:] == ["tot"]
    assert {"direct", "cot", "sc", "tot"} <= set(offered(tmp_path, "promptkit strategies ", shell))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_is_offered_runs(tmp_path: Path, shell: str) -> None:
    assert command(tmp_path, "run", "direct", QUESTION, "-m", OFFERS, "-q").code == 0
    (row,) = recorded(tmp_path)
    for verb in ("resume", "replay", "runs show", "runs rm"):
        assert offered(tmp_path, f"promptkit {verb} ", shell) == ["last", row.id]
    assert offered(tmp_path, f"promptkit runs show {row.id[:3]}", shell) == [row.id]


def test_completing_makes_no_journal(tmp_path: Path) -> None:
    assert offered(tmp_path, "promptkit resume ") == ["last"]
    (tmp_path / "journal.db").write_text("not a database")
    assert offered(tmp_path, "promptkit resume ") == ["last"]
    assert (tmp_path / "journal.db").read_text() == "not a database"


def test_packs_and_templates(tmp_path: Path) -> None:
    (tmp_path / "prompts" / "mine").mkdir(parents=True)
    (tmp_path / "prompts" / "mine" / "pack.md").write_text("---\ntitle: Mine\n---\n")
    assert offered(tmp_path, "promptkit run tot -P g") == ["game24", "general"]
    assert offered(tmp_path, "promptkit run tot --pack m") == ["mine"]
    assert offered(tmp_path, "promptkit prompts show game24/p") == ["game24/propose"]


def test_models_and_their_files(tmp_path: Path) -> None:
    for name in ("a.gguf", "a.txt", "replies.yaml"):
        (tmp_path / name).touch()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "b.gguf").touch()
    assert {"builtin", "groq:", "ollama:", "openai:"} <= set(offered(tmp_path, "promptkit run sc -m "))
    # bash cuts words at colons unless told otherwise; zsh and fish hand over the whole word.
    assert offered(tmp_path, "promptkit run sc -m llamacpp:", "fish") == ["llamacpp:a.gguf", "llamacpp:models/"]
    assert offered(tmp_path, "promptkit run sc -m llamacpp:models/", "fish") == ["llamacpp:models/b.gguf"]
    assert offered(tmp_path, "promptkit run sc -m scripted:r", "fish") == ["scripted:replies.yaml"]


@pytest.mark.parametrize("flag", ["--install-completion", "--show-completion"])
def test_a_shell_that_is_named_is_not_taken_for_the_one_that_runs(tmp_path: Path, flag: str) -> None:
    hints = is_error(command(tmp_path, flag, "zsh"), 2)
    assert hints == ["in zsh: promptkit --install-completion", "its script: _PROMPTKIT_COMPLETE=source_zsh promptkit"]
    (hint,) = is_error(command(tmp_path, flag, "tcsh"), 2)
    assert "there is completion for bash, zsh" in hint
    assert [path.name for path in tmp_path.iterdir()] == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_a_shell_installs_names_the_protocol(tmp_path: Path, shell: str) -> None:
    env = environment(tmp_path, _PROMPTKIT_COMPLETE=f"source_{shell}")
    code = "import sys; sys.argv = ['promptkit']; from promptkit.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert f"complete_{shell}" in done.stdout


def test_strategies_inside_others(tmp_path: Path) -> None:
    assert "few-shot" in offered(tmp_path, "promptkit run persona --of f", "fish")
    assert offered(tmp_path, "promptkit compare -s cot,to", "fish") == ["cot,tot"]
    assert offered(tmp_path, "promptkit compare -s persona(of=few", "fish") == ["persona(of=few-shot"]
    assert offered(tmp_path, "promptkit compare -s persona(w", "fish") == ["persona(who="]
    assert not any(offered(tmp_path, "promptkit compare -s nobody(w", "fish"))
