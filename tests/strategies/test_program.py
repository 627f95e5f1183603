"""Program of thoughts: the model's program runs in the sandbox, never here; what it says is the answer."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from script_by_prompt import NUMBER, Script, cut, run

from promptkit.announced import Forecast
from promptkit.errors import BadInput, SandboxMissing
from promptkit.journal import Journal
from promptkit.prompting.programs import program_in
from promptkit.sandbox import Rungs, available
from promptkit.sandbox.sent import Rung
from promptkit.strategies.prompting.program import ProgramOfThought
from promptkit.types import Completion, Problem

HELD = bool(available().bubblewrap or available().landlock)
in_sandbox = pytest.mark.skipif(not HELD, reason="no sandbox here")
AGAIN = "This program gave no answer"


def block(code: str) -> str:
    return f"Let the program calculate.\n```python\n{code}\n```\nThat is it."


def returning(value: str) -> str:
    return block(f"def solution():\n    return {value}")


@in_sandbox
@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (returning("6 * 7"), "42"),  # PAL
        (block("boxes = 6\nans = boxes * 7"), "42"),  # PoT
        (block("print('working')\nprint(6 * 7)"), "42"),
        (returning("__import__('fractions').Fraction(126, 3)"), "42"),
        ("def solution():\n    return 6 * 7", "42"),
        (f"First try:\n```python\nprint(1)\n```\nBetter:\n{returning('42')}", "42"),
    ],
)
def test_what_it_returns_or_prints_last_is_the_answer(reply: str, answer: str) -> None:
    script = Script(("", reply))
    done = run(ProgramOfThought(), script, **NUMBER)
    assert (done.outcome.answer, done.best, len(script.asked)) == (answer, [answer], 1)
    assert "Define a function solution()" in script.prompts[0]


@in_sandbox
@pytest.mark.parametrize(
    ("how", "value", "answer"),
    [
        ({"reader": "boxed"}, "'x^2'", "x^2"),
        ({"reader": "choice"}, "'B'", "B"),
        ({"reader": "text"}, "'one\\ntwo'", "one\ntwo"),
        ({}, "'the second offer'", "the second offer"),
        ({"output": {"type": "object"}}, "__import__('json').dumps({'n': 42})", '{"n":42}'),
        ({"pack": "game24"}, "'4 + 5 * 6 - 10'", "4 + 5 * 6 - 10"),
    ],
)
def test_its_answer_is_read_like_any_other(how: dict[str, Any], value: str, answer: str) -> None:
    done = run(ProgramOfThought(), Script(("", returning(value))), "4 5 6 10", **how)
    assert done.outcome.answer is not None
    assert done.outcome.answer.replace(" ", "") == answer.replace(" ", "")
    assert done.outcome.verified is (True if "pack" in how else None)


@in_sandbox
@pytest.mark.parametrize(
    ("first", "told"),
    [
        (returning("6 / 0"), "ZeroDivisionError"),
        (block("x = 42"), "it returned nothing and printed nothing"),
        (returning("'many'"), "no answer can be read from its output: many"),
        ("It is 42.", "no block of Python code"),
        (cut("```python\ndef solution():\n    return 4"), "the reply was cut off"),
        (block("while True: print('x' * 9999)"), "ended (output"),
    ],
)
def test_a_program_without_an_answer_is_shown_its_error_once(first: str | Completion, told: str) -> None:
    script = Script((AGAIN, returning("42")), ("", first))
    done = run(ProgramOfThought(seconds=60), script, **NUMBER)
    assert told in script.prompts[1]
    assert [turn.role for turn in script.asked[1].messages] == ["user", "assistant", "user"]
    assert (done.outcome.answer, done.outcome.detail["attempts"]) == ("42", 2)
    hopeless = Script(("", first))
    done = run(ProgramOfThought(seconds=60), hopeless, **NUMBER)
    assert (len(hopeless.asked), done.outcome.answer, done.outcome.status) == (2, None, "undecided")
    assert told in done.outcome.detail["fault"]


@in_sandbox
def test_its_time_is_limited() -> None:
    script = Script(("", block("while True: pass")))
    done = run(ProgramOfThought(seconds=0.5), script, **NUMBER)
    assert "ended (timeout" in script.prompts[1]
    assert done.outcome.status == "undecided"


@in_sandbox
def test_it_can_do_nothing_here(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("GOLD", encoding="utf-8")
    reach = f"import os, pathlib\nprint(pathlib.Path({str(secret)!r}).exists(), os.getpid() == {os.getpid()})"
    done = run(ProgramOfThought(), Script(("", block(reach))), reader="text")
    assert done.outcome.answer == "False False"
    write = f"open({str(tmp_path / 'made.txt')!r}, 'w').write('x')\nprint('wrote')"
    run(ProgramOfThought(), Script(("", block(write))), reader="text")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["secret.txt"]


@in_sandbox
def test_what_held_is_in_the_journal() -> None:
    with Journal.open(None) as journal:
        done = run(ProgramOfThought(), Script(("", returning("42"))), journal=journal)
        kept = journal.run(done.outcome.run).outcome
    detail = done.outcome.detail
    assert detail["sandbox"].startswith("sandboxed by ")
    assert "no network" in detail["certificate"]["holds"]
    assert kept is not None
    assert kept["detail"]["certificate"] == json.loads(json.dumps(detail["certificate"]))


@in_sandbox
def test_sets_come_in_the_same_order_every_time() -> None:
    code = block("print(list({'a', 'b', 'c', 'd', 'e', 'f'}))")
    answers = {run(ProgramOfThought(), Script(("", code)), reader="text").outcome.answer for _ in range(3)}
    assert len(answers) == 1


def test_without_a_sandbox_nothing_is_asked_and_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    none = Rungs(None, None, {"bubblewrap": "not installed", "landlock": "no"}, "6.1")
    monkeypatch.setattr("promptkit.sandbox.available", lambda: none)
    script = Script()
    with pytest.raises(SandboxMissing) as refused:
        run(ProgramOfThought(), script)
    assert script.asked == []
    assert "bubblewrap" in refused.value.hint or "container" in refused.value.hint
    assert "--unsafe-host" in refused.value.hint


def test_where_a_sandbox_would_lack_a_wall_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    half = Rungs(None, Rung("landlock", namespaces=False, landlock=4, seccomp=True), {"bubblewrap": "no"}, "6.1")
    monkeypatch.setattr("promptkit.sandbox.available", lambda: half)
    script = Script(("", returning("42")))
    with pytest.raises(SandboxMissing, match="own processes"):
        run(ProgramOfThought(), script)
    assert script.asked == []


@pytest.mark.skipif(os.name == "nt", reason="no limits on Windows")
@in_sandbox
def test_what_ran_on_the_host_says_so() -> None:
    done = run(ProgramOfThought(unsafe_host=True), Script(("", returning("42"))))
    assert done.outcome.answer == "42"
    assert done.outcome.detail["sandbox"] == "not sandboxed: it ran on the host"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("```python\nx = 1\n```", "x = 1"),
        ("```\nx = 1\n```", "x = 1"),
        ("```Python\nx = 1\n```", "x = 1"),
        ("```text\nno\n```\n```py\nx = 1\n```", "x = 1"),
        ("```json\n{}\n```", None),
        ("print(1)", "print(1)"),
        ("42", None),
        ("yes", None),
        ("```python\n```", None),
        ("", None),
        ("(" * 5000, None),
    ],
)
def test_programs_in_replies(text: str, code: str | None) -> None:
    assert program_in(Completion(text=text, model="m")) == code
    assert program_in(Completion(text=text, model="m", finish="length")) is None


def test_what_it_may_take() -> None:
    assert ProgramOfThought().forecast(Problem(text="How many?")) == Forecast(1, None, 2)
    with pytest.raises(BadInput, match="--seconds"):
        ProgramOfThought(seconds=0)
