"""`promptkit prompts`: what is in force, what a model would be sent, and what is wrong with a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from promptkit import prompts
from promptkit.cli.app import start

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path))
    return tmp_path


def write(home: Path, text: str, name: str = "mine/ask.md") -> Path:
    """A template of the user's."""
    path = home / "prompts" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    if path.name != "pack.md":
        (path.parent / "pack.md").write_text("---\ntitle: My own\n---\nFor tests.\n", "utf-8")
    return path


TURNS = """---
version: 3
about: Two turns.
inputs: [who]
stop: [END]
---
[[system]]
Be kind.
[[user]]
Greet {{ who }}.
"""


def test_list_names_every_template_in_force(home: Path, capsys: Capture) -> None:
    write(home, TURNS)
    assert start(["prompts", "list"]) == 0
    out = capsys.readouterr().out
    for prompt in prompts.everything():
        assert f"\n{prompt.id} " in out
    assert "My own" in out
    assert start(["prompts", "list", "-P", "mine", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["schema"] == "promptkit.prompts/1"
    assert [pack["title"] for pack in body["packs"]] == ["My own"]
    (only,) = body["prompts"]
    assert (only["id"], only["version"], only["origin"], only["inputs"]) == ("mine/ask", 3, "user", ["who"])


def test_an_unknown_pack_is_answered_with_the_nearest(capsys: Capture) -> None:
    assert start(["prompts", "list", "-P", "game42"]) == 2
    assert "did you mean game24?" in capsys.readouterr().err
    assert start(["prompts", "show", "game24/sovle"]) == 2
    assert "did you mean game24/solve?" in capsys.readouterr().err


def test_show_prints_the_file(home: Path, capsys: Capture) -> None:
    path = write(home, TURNS)
    assert start(["prompts", "show", "mine/ask"]) == 0
    assert capsys.readouterr().out == path.read_text("utf-8")
    assert start(["prompts", "show", "mine/ask", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["schema"], body["text"]) == ("promptkit.prompt/1", TURNS)


def test_show_of_a_pack(home: Path, capsys: Capture) -> None:
    write(home, TURNS)
    assert start(["prompts", "show", "mine"]) == 0
    out = capsys.readouterr().out
    assert "For tests." in out
    assert "mine/ask" in out
    assert start(["prompts", "show", "game24", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["schema"], body["world"]) == ("promptkit.pack/1", "game24")
    assert "game24/value" in [prompt["id"] for prompt in body["prompts"]]


def test_render_prints_what_is_sent(home: Path, capsys: Capture) -> None:
    write(home, TURNS)
    assert start(["prompts", "render", "mine/ask", "-v", "who=a = b"]) == 0
    assert capsys.readouterr().out == "[[system]]\nBe kind.\n[[user]]\nGreet a = b.\n"
    assert start(["prompts", "render", "mine/ask", "-v", "who=Ada", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["messages"] == [{"role": "system", "text": "Be kind."}, {"role": "user", "text": "Greet Ada."}]
    assert (body["stop"], body["version"]) == (["END"], 3)


def test_render_reads_a_file(home: Path, capsys: Capture) -> None:
    (home / "who.txt").write_text("Zoë\nand Max\n", "utf-8")
    write(home, "---\nversion: 1\ninputs: [who]\n---\nGreet {{ who }}.\n")
    assert start(["prompts", "render", "mine/ask", "-v", "who=@who.txt"]) == 0
    assert capsys.readouterr().out == "Greet Zoë\nand Max.\n"
    assert start(["prompts", "render", "mine/ask", "-v", "who=@nobody.txt"]) == 2
    assert "nobody.txt" in capsys.readouterr().err


def test_an_input_that_is_looped_over_is_a_list(capsys: Capture) -> None:
    words = ["prompts", "render", "general/vote", "-v", "question=Q", "-v", "candidates=first"]
    assert start(words) == 0
    assert "Choice 1:\nfirst" in capsys.readouterr().out
    assert start([*words, "-v", "candidates=second"]) == 0
    assert "Choice 2:\nsecond" in capsys.readouterr().out
    assert start([*words, "-v", "question=again"]) == 2
    assert "question is given 2 times" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ([], "value.md:4:10: game24/value needs state\n  -v state=…\n"),
        (["-v", "sate=3 5"], "value.md:4:1: no input 'sate'"),
        (["-v", "sate=3 5"], "did you mean state?"),
        (["-v", "state"], "not of the form name=value"),
    ],
)
def test_render_says_which_input_is_wrong(words: list[str], what: str, capsys: Capture) -> None:
    assert start(["prompts", "render", "game24/value", *words]) == 2
    assert what in capsys.readouterr().err


def test_a_pack_cannot_be_rendered(capsys: Capture) -> None:
    assert start(["prompts", "render", "game24"]) == 2
    assert "game24/value" in capsys.readouterr().err


def test_check_of_what_is_in_force(home: Path, capsys: Capture) -> None:
    assert start(["prompts", "check"]) == 0
    assert capsys.readouterr().out == f"{len(prompts.everything())} templates, all fine\n"
    path = write(home, "---\nversion: 1\ninptus: [who]\n---\nhello\n")
    assert start(["prompts", "check"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"{path}:3:1: ")
    assert "did you mean inputs?" in err


def test_check_of_files_and_folders(home: Path, capsys: Capture) -> None:
    good = write(home, TURNS)
    bad = write(home, "---\nversion: 1\ninputs: [who]\n---\nline\n{% if who %}\n", "mine/bad.md")
    assert start(["prompts", "check", str(good)]) == 0
    capsys.readouterr()
    for folder in (bad.parent, bad.parent.parent):
        assert start(["prompts", "check", str(folder)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"{bad}:")
    assert start(["prompts", "check", "nowhere"]) == 2
    (home / "empty").mkdir()
    assert start(["prompts", "check", "empty"]) == 2
    assert "no templates in empty" in capsys.readouterr().err


def test_a_readme_beside_the_packs_is_no_template(home: Path) -> None:
    write(home, TURNS)
    (home / "prompts" / "README.md").write_text("no front matter")
    assert start(["prompts", "check", str(home / "prompts")]) == 0
    assert start(["prompts", "check"]) == 0


def test_a_template_that_cannot_be_read_is_listed_with_a_mark(home: Path, capsys: Capture) -> None:
    write(home, "---\nversion: 1\ncolour: red\n---\nhello\n", "mine/solve.md")
    assert start(["prompts", "list", "-P", "mine"]) == 0
    out, err = capsys.readouterr()
    assert "\n! mine/solve " in out
    assert "promptkit prompts check" in err
    assert "of general, which it inherits" in err
    assert start(["prompts", "list", "-P", "mine", "--all"]) == 0
    out = capsys.readouterr().out
    assert "general/cot" in out, "what it inherits is listed too"
    assert "general/solve " not in out, "what its own hides is not"
    assert start(["prompts", "check"]) == 2
    assert "did you mean" not in capsys.readouterr().err


def test_a_folder_without_a_pack_is_named(home: Path, capsys: Capture) -> None:
    write(home, TURNS)
    (home / "prompts" / "mine" / "pack.md").unlink()
    assert start(["prompts", "check"]) == 2
    assert "prompts/mine has no pack.md: -P mine will not find it" in capsys.readouterr().err.replace("\\", "/")
    write(home, "no front matter", "mine/pack.md")
    assert start(["prompts", "check"]) == 2
    assert "---, title: …, ---" in capsys.readouterr().err


def test_check_takes_an_id_and_a_pack(home: Path, capsys: Capture) -> None:
    bad = write(home, "---\nversion: 1\ninputs: [who]\n---\nline\n{% if who %}\n", "mine/bad.md")
    write(home, TURNS)
    assert start(["prompts", "check", "mine/ask", "words/cot"]) == 0
    assert capsys.readouterr().out == "2 templates, all fine\n"
    for name in ("mine/bad", "mine"):
        assert start(["prompts", "check", name]) == 2
        assert capsys.readouterr().err.startswith(f"{bad}:")
    assert start(["prompts", "check", "words/cott"]) == 2
    assert "did you mean" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("hole", "name"),
    [
        ("{{ who.__class__.__mro__ }}", "__class__"),
        ("{{ who['__class__'] }}", "__class__"),
        ("{{ who.format() }}", "format"),
    ],
)
def test_check_finds_what_rendering_refuses(hole: str, name: str, home: Path, capsys: Capture) -> None:
    path = write(home, f"---\nversion: 1\ninputs: [who]\n---\nline\nand {hole}\n")
    assert start(["prompts", "render", "mine/ask", "-v", "who=Ann"]) == 2
    capsys.readouterr()
    assert start(["prompts", "check"]) == 2
    err = capsys.readouterr().err
    assert f"{path}:6:" in err
    assert f"{name!r} is no attribute" in err


def test_what_a_pack_inherits_is_one_line(home: Path, capsys: Capture) -> None:
    write(home, TURNS)
    assert start(["prompts", "list", "-P", "mine"]) == 0
    out, err = capsys.readouterr()
    assert "general/" not in out
    inherited = sum(prompt.pack == "general" for prompt in prompts.everything())
    assert err == f"and {inherited} of general, which it inherits: --all lists them\n"
    assert start(["prompts", "list", "-P", "mine", "--all"]) == 0
    out, err = capsys.readouterr()
    assert out.count("inherited") == inherited
    assert err == ""
