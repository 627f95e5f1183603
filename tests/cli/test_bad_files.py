"""Files that cannot be used: refused by name, left as they are, and nothing is recorded that was not done."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from spoken import OFFERS, QUESTION, Said, is_error, recorded

import promptkit.runtime.open as opened
from promptkit.cli.app import start

Capture = pytest.CaptureFixture[str]
BUILTIN = Path(__file__).parents[2] / "promptkit" / "_data" / "builtin.gguf"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path))
    monkeypatch.setenv("PROMPTKIT_JOURNAL", str(tmp_path / "journal.db"))
    monkeypatch.delenv("PROMPTKIT_MODEL", raising=False)
    monkeypatch.setattr(opened, "_open", {})  # what other tests called by the same name
    monkeypatch.delenv("PROMPTKIT_CONCURRENCY", raising=False)
    return tmp_path


def say(capsys: Capture, *words: str) -> Said:
    capsys.readouterr()
    code = start(words)
    return Said(code, *capsys.readouterr())


# journals


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _scribbled(path: Path) -> None:
    body = path.read_bytes()
    path.write_bytes(body[:4096] + b"\xaa" * (len(body) - 4096))


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")


def _foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE recipes (name)")
        db.commit()


def _text(path: Path) -> None:
    path.write_text("dear diary")


@pytest.mark.parametrize("spoil", [_truncated, _scribbled, _newer, _foreign, _text])
@pytest.mark.parametrize("words", [["run", "direct", QUESTION, "-m", OFFERS], ["runs", "list"], ["replay", "last"]])
def test_a_journal_that_is_no_journal_is_kept_byte_for_byte(
    spoil: object, words: list[str], home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    path = home / "spoilt.db"
    with closing(sqlite3.connect(path)) as db:  # a real one to spoil
        from promptkit.journal import Journal

        Journal.open(home / "real.db").close()
        with closing(sqlite3.connect(home / "real.db")) as real:
            real.backup(db)
    assert callable(spoil)
    spoil(path)
    before = path.read_bytes()
    monkeypatch.setenv("PROMPTKIT_JOURNAL", str(path))
    hints = is_error(say(capsys, *words), 1)
    assert f"{path}.bad" in hints[0]
    assert "PROMPTKIT_JOURNAL=" in hints[-1]
    assert not [hint for hint in hints if "resume" in hint]
    assert path.read_bytes() == before


def test_a_folder_or_a_missing_place_is_no_journal(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (home / "file").touch()
    for place in (home, home / "file" / "journal.db"):
        monkeypatch.setenv("PROMPTKIT_JOURNAL", str(place))
        assert "PROMPTKIT_JOURNAL=" in is_error(say(capsys, "run", "direct", QUESTION, "-m", OFFERS), 1)[-1]


# models


def test_weights_that_cannot_be_read(home: Path, capsys: Capture) -> None:
    weights = BUILTIN.read_bytes()
    for name, body in {"cut": weights[:3_000_000], "stub": weights[:900], "text": b"hello", "empty": b""}.items():
        (home / f"{name}.gguf").write_bytes(body)
        said = say(capsys, "run", "direct", QUESTION, "-m", f"llamacpp:{name}.gguf")
        is_error(said, 2)
        assert f"{name}.gguf" in said.err
    for name in ("", "missing.gguf", str(home)):
        is_error(say(capsys, "run", "direct", QUESTION, "-m", f"llamacpp:{name}"), 2)
    assert recorded(home) == []


@pytest.mark.parametrize("strategy", ["direct", "sc"])
def test_a_question_longer_than_the_context(strategy: str, home: Path, capsys: Capture) -> None:
    said = say(capsys, "run", strategy, "word " * 5000, "-m", f"llamacpp:{BUILTIN}")
    hints = is_error(said, 1)
    assert "shorten" in hints[0]
    assert "context" in said.err
    (row,) = recorded(home)
    assert row.status == "error"


REPLIES = {
    "not-yaml.yaml": "replies: [a: {",
    "not-json.json": "{",
    "a-list.yaml": "[1, 2]",
    "wrong-key.yaml": "replys: [{say: x}]",
    "wrong-rule.yaml": "replies: [{said: x}]",
    "no-text.yaml": "replies: [{say: 5}]",
    "no-draws.yaml": "replies: [{say: []}]",
    "slow.yaml": "replies: [{say: x}]\ndelay: slow",
    "never.yaml": "replies: [{say: x}]\ndelay: .inf",
    "nan.yaml": "replies: [{say: x}]\ndelay: .nan",
}


@pytest.mark.parametrize("name", REPLIES)
def test_a_scripted_file_of_another_shape(name: str, home: Path, capsys: Capture) -> None:
    (home / name).write_text(REPLIES[name])
    said = say(capsys, "run", "direct", QUESTION, "-m", f"scripted:{name}")
    is_error(said, 2)
    assert said.err.startswith(f"error: {home / name}:")
    assert recorded(home) == []


def test_a_scripted_file_that_is_not_there(home: Path, capsys: Capture) -> None:
    for name in ("", "missing.yaml", str(home)):
        assert "-m scripted:" in is_error(say(capsys, "run", "direct", QUESTION, "-m", f"scripted:{name}"), 2)[0]
    assert recorded(home) == []


@pytest.mark.parametrize("strategy", ["direct", "cot", "sc", "tot"])
def test_a_prompt_no_rule_fits(strategy: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    (home / "mute.yaml").write_text("replies: [{when: never asked, say: x}]")
    hints = is_error(say(capsys, "run", strategy, QUESTION, "-m", "scripted:mute.yaml"), 1)
    assert "add a rule" in hints[0]
    (row,) = recorded(home)
    assert hints[1] == f"what was done is kept: promptkit resume {row.id}"
    (home / "mute.yaml").write_text(Path(OFFERS.removeprefix("scripted:")).read_text("utf-8"))
    monkeypatch.setattr(opened, "_open", {})  # another process reads the file again
    assert say(capsys, "resume", row.id).out == "The second offer\n"


# settings


@pytest.mark.parametrize(
    "text",
    ["model = [", "model = 5", 'modle = "builtin"', 'concurrency = "8"', "concurrency = 0", "concurrency = true"],
)
def test_a_broken_project_file(text: str, home: Path, capsys: Capture) -> None:
    (home / "promptkit.toml").write_text(text)
    said = say(capsys, "run", "direct", "4 5 6 10", "-P", "game24")
    is_error(said, 2)
    assert "promptkit.toml" in said.err or "--concurrency" in said.err
    assert recorded(home) == []
    assert start(["doctor"]) in (0, 1)  # it says what is wrong instead of failing at it


@pytest.mark.parametrize("value", ["many", "1.5", "-3", "0"])
def test_a_broken_variable(value: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("PROMPTKIT_CONCURRENCY", value)
    is_error(say(capsys, "run", "direct", QUESTION, "-m", OFFERS), 2)
    monkeypatch.setenv("PROMPTKIT_CONCURRENCY", "4")
    monkeypatch.setenv("PROMPTKIT_MODEL", "nobody:home")
    is_error(say(capsys, "run", "direct", QUESTION), 2)
    assert recorded(home) == []


# templates

TEMPLATES = {
    "solve.md:5": "---\nversion: 1\ninputs: [question]\n---\n{{ question }\n",
    "solve.md:4": "---\nversion: 1\ninputs: [question\n---\n{{ question }}\n",
    "solve.md:1": "{{ question }}\n",
    "solve.md:2": "---\nversion: one\n---\n{{ question }}\n",
    "not a decoding parameter: raw": "---\ninputs: [question]\ndefaults: {raw: [1]}\n---\n{{ question }}\n",
    "not a decoding parameter: heat": "---\ninputs: [question]\ndefaults: {heat: 1}\n---\n{{ question }}\n",
    "not 'hot'": "---\ninputs: [question]\ndefaults: {temperature: hot}\n---\n{{ question }}\n",
    "'quest' is undefined": "---\ninputs: [question]\n---\n{{ quest }}\n",
    "no reader 'nmber'": "---\ninputs: [question]\nreader: nmber\n---\n{{ question }}\n",
}


@pytest.mark.parametrize("said_of_it", TEMPLATES)
def test_a_broken_template_of_the_project(said_of_it: str, home: Path, capsys: Capture) -> None:
    (home / "promptkit.toml").touch()
    (home / "prompts" / "general").mkdir(parents=True)
    (home / "prompts" / "general" / "solve.md").write_text(TEMPLATES[said_of_it])
    said = say(capsys, "run", "direct", QUESTION, "-m", OFFERS)
    hints = is_error(said, 2)
    assert said_of_it in said.err
    assert not [hint for hint in hints if "resume" in hint]
    assert recorded(home) == []  # nothing was asked: there is nothing to show or to resume
    assert say(capsys, "run", "cot", QUESTION, "-m", OFFERS).code == 0  # the others can be used


@pytest.mark.parametrize("defaults", ["{tot: 5}", "{tot: {width: 5}}", '{tot: {b: "5"}}', "{tot: {b: 0}}", "[tot]"])
def test_a_broken_pack_of_the_project(defaults: str, home: Path, capsys: Capture) -> None:
    (home / "promptkit.toml").touch()
    (home / "prompts" / "mine").mkdir(parents=True)
    (home / "prompts" / "mine" / "pack.md").write_text(f"---\ntitle: mine\ndefaults: {defaults}\n---\n")
    is_error(say(capsys, "run", "tot", QUESTION, "-m", OFFERS, "-P", "mine"), 2)
    assert recorded(home) == []


@pytest.mark.parametrize("front", ["world: nowhere", "reader: nmber", "world: [a]"])
def test_a_pack_that_names_what_is_not_there(front: str, home: Path, capsys: Capture) -> None:
    (home / "promptkit.toml").touch()
    (home / "prompts" / "mine").mkdir(parents=True)
    (home / "prompts" / "mine" / "pack.md").write_text(f"---\ntitle: mine\n{front}\n---\n")
    is_error(say(capsys, "run", "direct", QUESTION, "-m", OFFERS, "-P", "mine"), 2)
    assert recorded(home) == []


def test_a_scripted_model_that_is_no_yaml_is_pointed_at_by_line_and_column(home: Path, capsys: Capture) -> None:
    path = home / "notes.md"
    path.write_text("# A title\n\nSome words\nand: more\n")
    said = say(capsys, "run", "direct", QUESTION, "-m", f"scripted:{path}")
    assert said.code == 2
    assert f"{path}:4:4: " in said.err
    assert "byte string" not in said.err
