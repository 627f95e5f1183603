"""A pack speaks a language: its templates ask for the answer in it, and the readers find it there."""

from __future__ import annotations

from pathlib import Path

import pytest

from promptkit import answers, api, prompts
from promptkit.answers.languages import MARKERS
from promptkit.errors import BadPrompt
from promptkit.providers.scripted import Scripted
from promptkit.types import Request


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def spoken(home: Path, lang: str) -> str:
    """A pack in that language, with no template of its own."""
    folder = home / "prompts" / f"in-{lang}"
    folder.mkdir(parents=True)
    (folder / "pack.md").write_text(f"---\ntitle: {lang}\nlang: '{lang}'\n---\n", "utf-8")
    return folder.name


def test_a_form_leaves_room_for_the_answer_line_of_its_language(tmp_path: Path) -> None:
    said = [
        prompts.pack(name).template("structured").render(form="A table.")
        for name in ("general", spoken(tmp_path, "de"))
    ]
    assert ['"Answer:"' in turn.text for (turn,) in said] == [True, False]
    assert ['"Antwort:"' in turn.text for (turn,) in said] == [False, True]


def test_general_asks_in_english() -> None:
    (only,) = prompts.find("general", "cot").render(question="Why?")
    assert 'one last line that begins with "Answer:" and holds only the final answer' in only.text


@pytest.mark.parametrize("lang", sorted(MARKERS))
def test_what_a_pack_asks_for_is_what_the_readers_find(tmp_path: Path, lang: str) -> None:
    name = spoken(tmp_path, lang)
    (only,) = prompts.pack(name).template("cot").render(question="6 × 7?")
    assert f'begins with "{MARKERS[lang]}"' in only.text
    for reader, answer in (("final", "abc"), ("number", "42")):
        got = answers.read(reader, f"7 + 7 = 14, 41 …\n{MARKERS[lang]} {answer}")
        assert isinstance(got, answers.Reading)
        assert got.answer == answer


@pytest.mark.parametrize(
    ("lang", "reply"),
    [
        ("de", "Sechs mal sieben.\nAntwort: 42"),
        ("fr", "Six fois sept.\nRéponse : 42"),
        ("es", "Seis por siete.\nRespuesta: 42"),
        ("zh", "六乘以七。\n答案：42"),
        ("ja", "六かける七。\n答え：42"),
        ("ar", "ستة في سبعة.\nالجواب: ٤٢"),
    ],
)
def test_a_run_reads_the_answer_of_its_pack(tmp_path: Path, lang: str, reply: str) -> None:
    asked: list[str] = []

    def script(request: Request) -> str:
        asked.append(request.messages[-1].text)
        return reply

    outcome = api.run("cot", "6 × 7?", pack=spoken(tmp_path, lang), model=Scripted(script), journal="memory")
    assert outcome.answer == ("٤٢" if lang == "ar" else "42"), "as the model wrote it"
    assert MARKERS[lang] in asked[0]


def test_an_unknown_language_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    name = spoken(tmp_path, "xx")
    with pytest.raises(BadPrompt) as wrong:
        prompts.pack(name)
    assert wrong.value.message.endswith("in-xx/pack.md:3:1: no language 'xx'")
    assert "de, en, es" in wrong.value.hint
    with pytest.raises(BadPrompt):
        prompts.find(name, "cot")


def test_an_input_named_marker_is_the_templates_own(tmp_path: Path) -> None:
    (tmp_path / "prompts" / spoken(tmp_path, "de") / "own.md").write_text("---\ninputs: [marker]\n---\n{{ marker }}")
    assert prompts.find("in-de", "own").render(marker="mine")[0].text == "mine"
