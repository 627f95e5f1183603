"""Export and import: one file, believed whole or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.errors import BadInput, JournalError, RunMissing
from promptkit.journal import Journal, NewRun
from promptkit.types import Completion, ToolCall, Usage


def filled(journal: Journal, id: str = "r1", texts: tuple[str, ...] = ("one", "two"), question: str = "q") -> None:
    async def fill() -> None:
        new = NewRun(id=id, strategy="cot", params={"n": 3}, model="m", question=question, options={}, started=5.5)
        await journal.start_run(new)
        for number, text in enumerate(texts):
            completion = Completion(text=text, model="m", calls=(ToolCall("1", "add", "{}"),), seconds=0.25)
            attempt = await journal.begin(id, f"call{number}", 100, None)
            await journal.store(f"call{number}", [(f"key{number}", completion)], Usage(calls=1, samples=1))
            journal.settle(attempt, input_tokens=1, output_tokens=2, cost=0.5, samples=1, error="" if number else "429")
            journal.touch(id, f"key{number}", f"cot/{number}", cached=False)
            journal.append(id, {"seq": number, "text": text})
        await journal.fail(id, "gone", {"type": "Rejected", "message": "no"})
        await journal.end_run(id, "done", {"answer": texts[0] if texts else None})

    asyncio.run(fill())


def exported(journal: Journal, id: str = "r1") -> str:
    file = io.StringIO()
    journal.export(id, file)
    return file.getvalue()


def everything(journal: Journal, id: str = "r1") -> list[Any]:
    keys = [key for key, _, _ in journal.calls(id)]
    kept = [journal.get(key) for key in keys]
    return [journal.run(id), journal.events(id), journal.calls(id), journal.failures(id), journal.spent(id), kept]


def test_a_file_from_before_reasoning_was_counted_is_read(journal: Journal) -> None:
    with Journal.open(None) as older:
        filled(older)
        lines = [json.loads(line) for line in exported(older).splitlines()[:-1]]
    for line in lines:
        line.pop("reasoning_tokens", None)
    text = "".join(json.dumps(line) + "\n" for line in lines)
    end = {"type": "end", "sha256": hashlib.sha256(text.encode()).hexdigest()}
    assert journal.import_(io.StringIO(f"{text}{json.dumps(end)}\n")) == "r1"
    assert (journal.spent("r1").output_tokens, journal.spent("r1").reasoning_tokens) == (4, 0)


def test_a_run_travels_whole(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "a.db") as a, Journal.open(tmp_path / "b.db") as b:
        filled(a)
        with (tmp_path / "r1.jsonl").open("w", encoding="ascii") as file:
            a.export("r", file)
        with (tmp_path / "r1.jsonl").open() as file:
            assert b.import_(file) == "r1"
        assert everything(b) == everything(a)
        assert exported(b) == exported(a)
        assert json.loads(exported(a).splitlines()[0]) == {"schema": "promptkit.journal/1"}


def test_a_resumed_run_travels_with_its_attempts() -> None:
    with Journal.open(None) as a, Journal.open(None) as b:
        filled(a)
        asyncio.run(a.resume_run("r1"))
        a.touch("r1", "key1", "cot/1", cached=True)
        text = exported(a)
        b.import_(io.StringIO(text))
        assert b.run("r1").status == "interrupted"
        assert b.calls("r1") == [("key1", "cot/1", True)]
        assert b.get("key0") is not None
        assert asyncio.run(b.resume_run("r1")).attempt == 3


def test_importing_again_changes_nothing() -> None:
    with Journal.open(None) as journal:
        filled(journal)
        before = everything(journal)
        assert journal.import_(io.StringIO(exported(journal))) == "r1"
        assert everything(journal) == before
        assert journal.stats()["runs"] == 1


def test_a_differing_run_is_not_overwritten() -> None:
    with Journal.open(None) as a, Journal.open(None) as b:
        filled(a)
        filled(b, question="another")
        before = everything(b)
        with pytest.raises(JournalError, match="has another run r1"):
            b.import_(io.StringIO(exported(a)))
        assert everything(b) == before


def test_a_differing_completion_is_not_overwritten_and_nothing_is_imported() -> None:
    with Journal.open(None) as a, Journal.open(None) as b:
        filled(a)
        filled(b, "r2", ("one", "other"))
        with pytest.raises(JournalError, match="another completion of key1"):
            b.import_(io.StringIO(exported(a)))
        assert [run.id for run in b.runs()] == ["r2"]
        assert b.stats()["completions"] == 2


def test_equal_completions_of_other_calls_stay_theirs() -> None:
    with Journal.open(None) as a, Journal.open(None) as b:
        filled(a)
        stored = a.get("key0")
        assert stored is not None
        asyncio.run(b.store("theirs", [("key0", stored.completion), ("x", stored.completion)], Usage(samples=2)))
        for _ in range(2):
            assert b.import_(io.StringIO(exported(a))) == "r1"
        kept = b.get("key0")
        assert kept is not None
        assert (kept.call, kept.samples) == ("theirs", 2)


def test_exporting_no_run_says_so() -> None:
    with Journal.open(None) as journal, pytest.raises(RunMissing):
        exported(journal, "nope")


def cut(lines: list[str]) -> list[str]:
    return lines[:-1]


def half_a_line(lines: list[str]) -> list[str]:
    return [*lines[:-2], lines[-2][:20]]


def edited(lines: list[str]) -> list[str]:
    return [line.replace('"two"', '"2.0"') for line in lines]


def without_one(lines: list[str]) -> list[str]:
    return [line for line in lines if "key1" not in line]


def other_schema(lines: list[str]) -> list[str]:
    return [lines[0].replace("/1", "/2"), *lines[1:]]


def no_header(lines: list[str]) -> list[str]:
    return lines[1:]


def more(lines: list[str]) -> list[str]:
    return [*lines, lines[1]]


def unknown_kind(lines: list[str]) -> list[str]:
    return [lines[0], '{"type":"virus"}', *lines[1:]]


def a_list(lines: list[str]) -> list[str]:
    return [lines[0], "[1]", *lines[1:]]


def wrong_type(lines: list[str]) -> list[str]:
    return [line.replace('"samples":1', '"samples":true') for line in lines]


def huge_number(lines: list[str]) -> list[str]:
    return [line.replace('"attempt":1', f'"attempt":{2**70}') for line in lines]


def extra_field(lines: list[str]) -> list[str]:
    return [line.replace('{"attempt":1', '{"admin":1,"attempt":1') for line in lines]


def empty(lines: list[str]) -> list[str]:
    return []


def prose(lines: list[str]) -> list[str]:
    return ["Dear journal,"]


DAMAGES = [
    cut, half_a_line, edited, without_one, other_schema, no_header, more, unknown_kind, a_list, wrong_type,
    huge_number, extra_field, empty, prose,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_imports_nothing(damage: Any) -> None:
    with Journal.open(None) as a, Journal.open(None) as b:
        filled(a)
        text = "\n".join(damage(exported(a).splitlines()))
        with pytest.raises(BadInput, match=r"^the file:\d+: not an exported run: ") as refused:
            b.import_(io.StringIO(text))
        assert "\n" not in refused.value.message
        assert b.stats()["runs"] == b.stats()["completions"] == 0


@settings(max_examples=150, deadline=None, database=None)
@given(st.integers(0, 10_000), st.sampled_from([*string.printable, ""]))
def test_no_changed_character_goes_unnoticed(place: int, character: str) -> None:
    with Journal.open(None) as a, Journal.open(None) as b:
        filled(a)
        text = exported(a)
        place %= len(text) - 1  # a missing last newline harms nobody
        changed = text[:place] + character + text[place + 1 :]
        if changed == text:
            return
        with pytest.raises(BadInput):
            b.import_(io.StringIO(changed, newline=""))
        assert b.stats()["runs"] == 0


@settings(max_examples=50, deadline=None, database=None)
@given(st.lists(st.text(st.characters(codec=None)), max_size=5), st.text(st.characters(codec=None)))
def test_any_run_survives_the_journey(texts: list[str], question: str) -> None:
    with Journal.open(None) as a, Journal.open(None) as b:
        filled(a, texts=tuple(texts), question=question)
        text = exported(a)
        b.import_(io.StringIO(text))
        assert everything(b) == everything(a)
        assert exported(b) == text
