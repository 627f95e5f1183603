"""`promptkit prompts diff|history|test|check`: versions in files and runs, cases, slips."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from promptkit import api, prompts
from promptkit.cli.app import start
from promptkit.errors import BadPrompt
from promptkit.journal import Journal

Capture = pytest.CaptureFixture[str]
OLD = (
    "---\nversion: 1\ninputs: [question]\n---\n{{ question }}\n\nEnd with a line that begins Answer: and the number.\n"
)
NEW = OLD.replace("version: 1", "version: 2").replace("End with", "Think. End with")
CASES = """
- name: right
  inputs: {question: six times seven}
  expect: {answer: "42", contains: times, regex: 'Answer: \\d+'}
  reply: "6 times 7.\\nAnswer: 42"
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path))
    return tmp_path


def write(home: Path, text: str, name: str = "mine/ask.md") -> Path:
    path = home / "prompts" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not (path.parent / "pack.md").is_file():
        (path.parent / "pack.md").write_text("---\ntitle: Mine\n---\n", "utf-8")
    path.write_text(text, "utf-8")
    return path


def ran(home: Path, text: str) -> str:
    """The run that used this text as mine/cot."""
    import os
    import time

    path = write(home, text, "mine/cot.md")
    os.utime(path, ns=(time.time_ns(), time.time_ns()))
    (home / "said.yaml").write_text('replies: [{say: "Answer: 42"}]', "utf-8")
    return api.run("cot", "six times seven", pack="mine", model="scripted:said.yaml").run


def test_a_run_pins_the_prompts_it_used_and_shows_them(home: Path, capsys: Capture) -> None:
    run = ran(home, OLD)
    digest = prompts.find("mine", "cot").digest
    assert start(["runs", "show", run]) == 0
    assert digest[:12] in capsys.readouterr().out
    assert start(["runs", "show", run, "--json"]) == 0
    (only,) = json.loads(capsys.readouterr().out)["prompts"]
    assert (only["id"], only["digest"], only["version"], only["origin"]) == ("mine/cot", digest, 1, "user")
    assert api.open_journal().blob(only["files"][0][1]) == OLD.encode()


def test_what_a_run_pinned_travels_with_it_and_goes_with_it(home: Path, tmp_path: Path, capsys: Capture) -> None:
    run = ran(home, OLD)
    journal = api.open_journal()
    with (tmp_path / "run.jsonl").open("w", encoding="utf-8") as file:
        journal.export(run, file)
    with Journal.open(None) as other:
        with (tmp_path / "run.jsonl").open(encoding="utf-8") as file:
            other.import_(file)
        (pin,) = other.pinned(run)
        assert (pin.id, other.blob(pin.files[0][1])) == ("mine/cot", OLD.encode())
    assert start(["runs", "rm", run, "--yes"]) == 0
    assert journal.versions("mine/cot") == []
    assert journal.blob(pin.files[0][1]) is None


def test_history_has_the_versions_of_files_and_of_runs(home: Path, capsys: Capture) -> None:
    first, second = ran(home, OLD), ran(home, OLD)
    third = ran(home, NEW)
    assert start(["prompts", "history", "mine/cot", "--json"]) == 0
    now, past = json.loads(capsys.readouterr().out)["versions"]
    assert (now["version"], now["files"], now["runs"], now["last"]["run"]) == (2, ["user"], 1, third)
    assert (past["version"], past["files"], past["runs"], past["text"]) == (1, [], 2, OLD)
    assert (past["first"]["run"], past["last"]["run"]) == (first, second)
    assert start(["prompts", "history", "mine/cot"]) == 0
    assert f"{first} … {second}" in capsys.readouterr().out


def test_diff_shows_what_changed_since_a_run(home: Path, capsys: Capture) -> None:
    run = ran(home, OLD)
    digest = prompts.find("mine", "cot").digest
    ran(home, NEW)
    for other in (run, digest[:8]):
        assert start(["prompts", "diff", "mine/cot", other]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert {"-version: 1", "+version: 2"} < set(lines)
        assert (lines[0].split()[1], lines[1].split()[1]) == ("mine/cot", "mine/cot")
    assert start(["prompts", "diff", "mine/cot", "last"]) == 0
    assert capsys.readouterr().out == ""


def test_diff_compares_with_what_a_file_hides(home: Path, capsys: Capture) -> None:
    shipped = prompts.find("general", "cot").path.read_text("utf-8")
    write(home, shipped.replace("step by step", "slowly"), "general/cot.md")
    for words in (["general/cot"], ["general/cot", "promptkit"]):
        assert start(["prompts", "diff", *words]) == 0
        out = capsys.readouterr().out
        assert "-Let's think step by step" in out
        assert "+Let's think slowly" in out
    assert start(["prompts", "diff", "general/cot", "project"]) == 2
    assert start(["prompts", "diff", "general/cot", "0000"]) == 2
    assert "prompts history general/cot" in capsys.readouterr().err


def test_the_tests_of_a_template_pass_and_fail(home: Path, capsys: Capture) -> None:
    write(home, OLD)
    path = write(home, CASES, "mine/ask.tests.yaml")
    assert start(["prompts", "test", "mine/ask"]) == 0
    assert "1/1 pass" in capsys.readouterr().out
    path.write_text(CASES + CASES.replace('"42",', '"43",').replace("right", "wrong"), "utf-8")
    assert start(["prompts", "test", "mine", "--json"]) == 6
    body = json.loads(capsys.readouterr().out)
    assert (body["passed"], body["total"]) == (1, 2)
    wrong = body["cases"][1]
    assert (wrong["case"], wrong["answer"], wrong["missed"]) == ("wrong", "42", ['answer "43"'])
    assert api.open_journal().run(wrong["run"]).pack == "mine"
    assert start(["prompts", "test", "mine"]) == 6
    told = capsys.readouterr()
    assert "1/2 pass" in told.out
    assert f"{path}:7: mine/ask wrong: expected answer" in told.err


def test_a_test_that_ends_without_an_answer_says_why(home: Path, capsys: Capture) -> None:
    write(home, OLD)
    path = write(home, CASES, "mine/ask.tests.yaml")
    assert start(["prompts", "test", "mine/ask", "-m", "builtin"]) == 6
    err = capsys.readouterr().err
    assert f"{path}:2: mine/ask right: builtin is a tiny model" in err
    schema = "schema: {type: object, required: [n], properties: {n: {type: integer}}}"
    write(home, OLD.replace("---\n", f"---\n{schema}\n", 1))
    assert start(["prompts", "test", "mine/ask"]) == 6
    err = capsys.readouterr().err
    assert "mine/ask right: the reply does not fit the output" in err


@pytest.mark.parametrize(
    ("cases", "says"),
    [
        ("{}", "tests.yaml:1: not a list of tests"),
        ("- inputs: {}", "tests.yaml:1: a test has inputs and something to expect"),
        ("- {inputs: {qestion: x}, expect: {answer: x}}", "no input 'qestion'"),
        ("- {inputs: {question: 2026-13-45}, expect: {answer: x}}", "month must be in 1..12"),
        ("- {expect: {answr: x}}", "no expectation 'answr'"),
        ("- {expect: {answer: 3}}", "answer must be a text"),
        ("- {expect: {value: 3}}", "no value can be expected"),
        ('- {expect: {regex: "("}}', "not a regular expression"),
        ("- {expect: {answer: x}, model: builtin, reply: y}", "a model or a reply"),
        ("- [", "tests.yaml:1: "),
    ],
)
def test_a_slip_in_the_tests_is_told_with_its_line(home: Path, capsys: Capture, cases: str, says: str) -> None:
    write(home, OLD)
    write(home, cases, "mine/ask.tests.yaml")
    assert start(["prompts", "test", "mine/ask"]) == 2
    assert says in capsys.readouterr().err


def test_a_template_with_a_schema_is_held_to_it(home: Path, capsys: Capture) -> None:
    schema = '{"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}'
    (home / "prompts" / "mine").mkdir(parents=True)
    (home / "prompts" / "mine" / "age.json").write_text(schema, "utf-8")
    write(home, "---\ninputs: [question]\nschema: age.json\n---\n{{ question }}\n")
    write(home, "- {inputs: {question: q}, expect: {value: {age: 4}}, reply: '{\"age\": 4}'}", "mine/ask.tests.yaml")
    assert start(["prompts", "test", "mine/ask"]) == 0
    write(home, "- {inputs: {question: q}, expect: {value: {age: 4}}, reply: 'four'}", "mine/ask.tests.yaml")
    capsys.readouterr()
    assert start(["prompts", "test", "mine/ask"]) == 6
    assert "does not fit the output" in capsys.readouterr().err


def test_another_schema_beside_a_template_is_another_version(home: Path) -> None:
    path = write(home, "---\ninputs: [question]\nschema: age.json\n---\n{{ question }}\n")
    digests = []
    for schema in ('{"type": "object"}', '{"type": "array"}', '{"type": "object"}'):
        path.with_name("age.json").write_text(schema, "utf-8")
        prompt = prompts.find("mine", "ask")
        digests.append(prompt.digest)
        assert prompt.files[1] == ("mine/age.json", schema)
        assert prompt.schema is not None
        assert json.loads(prompt.schema) == json.loads(schema)
    assert digests[0] == digests[2] != digests[1]
    path.with_name("age.json").unlink()
    with pytest.raises(BadPrompt, match=r"age\.json: No such file"):
        prompts.find("mine", "ask")


@pytest.mark.parametrize(
    ("body", "front", "says"),
    [
        ("Solve {question}. {{ question }}", "", ":5:7: {question} is sent as written"),
        ("{{ question }}\n```\n{{ question }}\n```", "", ":7:1: question may hold ```"),
        ("{{ question }}\nBe brief.", "reader: final\n", ":3:1: the reader `final` looks for an answer"),
        ("{{ question }} sk-abcdefgh12345678", "", ":5:16: holds what looks like a key"),
    ],
)
def test_check_tells_of_slips(home: Path, capsys: Capture, body: str, front: str, says: str) -> None:
    path = write(home, f"---\ninputs: [question]\n{front or 'version: 1' + chr(10)}---\n{body}")
    assert start(["prompts", "check", str(path)]) == 0
    assert f"{path}{says}" in capsys.readouterr().err
    assert start(["prompts", "check", str(path), "--strict"]) == 2


def test_a_fence_of_four_and_a_marker_are_no_slips(home: Path, capsys: Capture) -> None:
    body = "{{ question }}\n````\n{{ question }}\n````\n{{ marker }}"
    path = write(home, f"---\ninputs: [question]\nreader: final\n---\n{body}")
    assert prompts.lint(path) == []


def test_values_are_read_as_the_types_of_the_inputs(home: Path, capsys: Capture) -> None:
    front = "inputs: {k: integer, each: list, deep: json}"
    write(home, f"---\n{front}\n---\n{{{{ k + 1 }}}} {{{{ each | join('/') }}}} {{{{ deep.a }}}}")
    words = ["-v", "k=3", "-v", "each=x", "-v", "each=y", "-v", 'deep={"a": 5}']
    assert start(["prompts", "render", "mine/ask", *words]) == 0
    assert capsys.readouterr().out == "4 x/y 5\n"
    assert start(["prompts", "render", "mine/ask", "-v", "k=three"]) == 2
    assert "'three' is no integer" in capsys.readouterr().err


def test_every_shipped_test_of_a_template_passes(capsys: Capture) -> None:
    assert start(["prompts", "test", "--journal", "memory", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["passed"] == body["total"] >= 8
    assert len({case["prompt"] for case in body["cases"]}) >= 4


def test_a_template_can_be_begun_from_here(home: Path, capsys: Capture) -> None:
    assert start(["prompts", "new", "mine/solve", "--project"]) == 0
    assert (home / "prompts" / "mine" / "solve.md").is_file()
    assert "mine/solve" in capsys.readouterr().err
