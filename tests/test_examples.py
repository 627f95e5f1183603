"""Example files: texts as they stand in the file, and a line for everything that cannot be used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit import examples, prompts
from promptkit.errors import BadInput, UsageError
from promptkit.exchange import read
from promptkit.types import Completion
from promptkit.worlds.game24 import Game24

YAML = """\
# two of them
- question: 2 + 2?
  answer: 4
- question: |
    Is 1.10 more
    than 1.2?
  rationale: 0.10 is less than 0.20.
  answer: no
"""
JSONL = '{"question": "2 + 2?", "answer": 4}\n\n' + (
    '{"question": "Is 1.10 more\\nthan 1.2?", "answer": "no", "rationale": "0.10 is less than 0.20."}\n'
)
CSV = 'question,answer,rationale\n2 + 2?,4\n"Is 1.10 more\nthan 1.2?",no,0.10 is less than 0.20.\n'


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("e.yaml", YAML, (2, 4)),
        ("e.YML", YAML.replace("\n", "\r\n"), (2, 4)),
        ("e.jsonl", JSONL, (1, 3)),
        ("e.csv", CSV, (2, 3)),
        ("bom.csv", "\ufeff" + CSV, (2, 3)),
    ],
)
def test_three_formats_hold_the_same(name: str, text: str, lines: tuple[int, int], tmp_path: Path) -> None:
    path = write(tmp_path, name, text)
    two, version = examples.read(path)
    assert (two.question, two.answer, two.rationale) == ("2 + 2?", "4", "")
    assert version.question.split() == ["Is", "1.10", "more", "than", "1.2?"]
    assert (version.answer, version.rationale) == ("no", "0.10 is less than 0.20.")
    assert (two.origin, version.origin) == (f"{path}:{lines[0]}", f"{path}:{lines[1]}")


@pytest.mark.parametrize("written", ["1.10", "0x1F", "1e3", "yes", "007", "12:30", "1_000", "2026-01-02", "-0"])
def test_values_are_texts_as_they_stand(written: str, tmp_path: Path) -> None:
    path = write(tmp_path, "e.yaml", f"- question: {written}\n  answer: {written}\n")
    (one,) = examples.read(path)
    assert (one.question, one.answer) == (written, written)


def test_numbers_in_json_keep_their_digits(tmp_path: Path) -> None:
    path = write(tmp_path, "e.jsonl", '{"question": "?", "answer": 1.10}\n{"question": "?", "answer": true}\n')
    assert [each.answer for each in examples.read(path)] == ["1.10", "true"]


BAD = [
    ("e.yaml", "", 1, "holds no examples"),
    ("e.yaml", "question: a\nanswer: b\n", 1, "not a list"),
    ("e.yaml", "- question: a\n  answer: b\n- just text\n", 3, "not an example"),
    ("e.yaml", "- question: a\n  answer: b\n- question: c\n", 3, "no answer"),
    ("e.yaml", "- question: a\n  answer:\n", 1, "empty answer"),
    ("e.yaml", "- question: a\n  answer: [b]\n", 2, "not a text"),
    ("e.yaml", "- question: a\n  question: b\n  answer: c\n", 2, "twice"),
    ("e.yaml", "- question: a\n  anwser: b\n", 1, "'anwser'"),
    ("e.yaml", "- question: a\n  answer: b: c\n", 2, ""),
    ("e.yaml", "- question: a\n answer: b\n", 2, ""),
    ("e.yaml", "\n\n- {question: '\x07', answer: a}\n", 1, "special characters"),
    ("e.jsonl", '{"question": "a", "answer": "b"}\n{"question": "a",\n', 2, "not JSON"),
    ("e.jsonl", '["a", "b"]\n', 1, "not an example"),
    ("e.jsonl", '{"question": "a", "answer": ["b"]}\n', 1, "answer is not a text"),
    ("e.jsonl", '{"question": "a", "answer": "\\ud800"}\n', 1, "half a character"),
    ("e.jsonl", "[" * 100_000, 1, "not JSON"),
    ("e.csv", "a,b\n", 1, "columns"),
    ("e.csv", "question;answer\na;b\n", 1, "columns"),
    ("e.csv", "question,answer,answer\na,b,c\n", 1, "columns"),
    ("e.csv", "question,answer\na,b\nc,d,e\n", 3, "3 values for 2 columns"),
    ("e.csv", "question,answer\na,\n", 2, "empty answer"),
    ("e.csv", 'question,answer\na,b\n"c,d\n', 3, "unexpected end"),
    ("e.csv", "question,answer\n", 1, "holds no examples"),
    ("e.csv", b"question,answer\na,\xff\n", 2, "not UTF-8"),
]


@pytest.mark.parametrize(("name", "text", "line", "what"), BAD)
def test_what_cannot_be_used_is_named_by_its_line(
    name: str, text: str | bytes, line: int, what: str, tmp_path: Path
) -> None:
    path = write(tmp_path, name, text)
    with pytest.raises(BadInput) as refused:
        examples.read(path)
    assert refused.value.message.startswith(f"{path}:{line}: ")
    assert what in refused.value.message
    assert "\n" not in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize("name", ["e.txt", "e.json", "e", "missing.yaml", "."])
def test_no_such_file_and_no_such_format(name: str, tmp_path: Path) -> None:
    write(tmp_path, "e.txt", YAML)
    with pytest.raises(BadInput) as refused:
        examples.read(tmp_path / name)
    assert ".jsonl" in refused.value.hint


@pytest.mark.parametrize("given", ["text", [1], [{"question": "a"}], [{"question": "a", "answer": 3}], [{"q": "a"}]])
def test_examples_from_python_are_checked_too(given: list[dict[str, str]]) -> None:
    with pytest.raises(BadInput, match="example 1"):
        examples.listed(given)


@given(st.sampled_from(["e.yaml", "e.jsonl", "e.csv"]), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, name: str, raw: bytes) -> None:
    path = write(tmp_path_factory.mktemp("any"), name, raw)
    said = ""
    try:
        assert all(each.question and each.answer for each in examples.read(path))
    except UsageError as refused:
        said = refused.message
    assert not said or re.match(rf"{re.escape(str(path))}:\d+: ", said)


@pytest.mark.parametrize(
    ("one", "other"),
    [("What is 2 + 2?", " what is\n2 + 2 "), ("Ｗhat？", "what"), ("Straße?", "STRASSE"), ("Wieso?!", "wieso ...")],
)
def test_the_same_question_in_other_clothes(one: str, other: str) -> None:
    assert examples.same(one) == examples.same(other)


@pytest.mark.parametrize(("one", "other"), [("2 + 2", "2 - 2"), ("-5", "5"), ("0.5", "5"), ("a b", "ab")])
def test_another_question(one: str, other: str) -> None:
    assert examples.same(one) != examples.same(other)


@pytest.mark.parametrize("pack", [each for each in prompts.packs() if each != "tricks"])  # blocks of text, no questions
@pytest.mark.parametrize("rationale", [True, False])
def test_what_a_pack_shows_reads_as_the_answer_it_gives(pack: str, rationale: bool) -> None:
    """A model that copies the form of the examples is read right."""
    shelf = prompts.pack(pack)
    template = shelf.template("cot" if rationale else "solve")
    for each in examples.of_pack(pack):
        assert each.rationale or pack == "patterns"  # a hidden rule is to be found, not told
        shown = {"answer": each.answer, "rationale": each.rationale if rationale else ""}
        (reply,) = shelf.template("example").request(shown).messages
        answer = read(template.reader or shelf.reader, Completion(text=reply.text, model="test"))
        assert answer is not None
        assert answer.shown.casefold() == each.answer.casefold()


def test_the_puzzles_shown_are_solved_right_and_asked_by_no_benchmark() -> None:
    import zlib

    world = Game24()
    ranked = Path(__file__).parents[2] / "shared" / "data" / "tot" / "24.csv"
    rows = [line.split(",") for line in ranked.read_text().splitlines()[1:]] if ranked.exists() else []
    asked = {world.key(world.start(puzzle)) for rank, puzzle, *_ in rows if 901 <= int(rank) <= 1000}
    for each in examples.of_pack("game24"):
        assert world.check(each.question, each.answer)
        state = world.start(each.question)
        for line in each.rationale.splitlines()[1:]:
            after = world.step(state, line)
            assert after is not None
            assert after.endswith(f"\n{line}"), "what is left is written as the game writes it"
            state = after
        assert world.goal(state)
        assert world.key(world.start(each.question)) not in asked
        numbers = tuple(sorted(map(int, each.question.split())))
        assert zlib.crc32(repr(numbers).encode()) % 5, "the training of `builtin` held it out"
