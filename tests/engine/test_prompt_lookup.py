"""Where templates come from: the project, then the user's folder, then the package, then the general pack."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from promptkit import prompts
from promptkit.errors import UnknownName

PACK = "---\ntitle: {title}\n---\n"
TEMPLATE = "---\ninputs: [question]\n---\n{text} {{{{ question }}}}\n"


def put(root: Path, name: str, text: str) -> None:
    folder = root / "prompts" / name.split("/")[0]
    folder.mkdir(parents=True, exist_ok=True)
    (root / "prompts" / f"{name}.md").write_text(TEMPLATE.format(text=text), "utf-8")
    (folder / "pack.md").write_text(PACK.format(title=text), "utf-8")


def first_word(name: str) -> str:
    pack, _, template = name.partition("/")
    (message,) = prompts.find(pack, template).render(question="?")
    return message.text.split()[0]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    (folder / "deep" / "inside").mkdir(parents=True)
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(folder / "deep" / "inside")
    return folder


def test_a_project_hides_the_user_who_hides_the_package(project: Path, tmp_path: Path) -> None:
    packaged = first_word("general/cot")
    put(tmp_path / "home", "general/cot", "USER")
    assert first_word("general/cot") == "USER"
    assert prompts.find("general", "cot").origin == "user"
    put(project, "general/cot", "PROJECT")
    assert first_word("general/cot") == "USER", "a stray prompts folder is no project"
    (project / "promptkit.toml").write_text("")
    assert first_word("general/cot") == "PROJECT"
    assert prompts.find("general", "cot").origin == "project"
    (project / "promptkit.toml").unlink()
    (tmp_path / "home" / "prompts" / "general" / "cot.md").unlink()
    assert first_word("general/cot") == packaged


def test_a_stray_folder_is_ignored_wherever_one_stands(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in (project, project / "deep", project / "deep" / "inside"):
        put(place, "general/solve", "STRAY")
        put(place, "stray/solve", "STRAY")
        monkeypatch.chdir(place)
        assert first_word("general/solve") != "STRAY"
        with pytest.raises(UnknownName):
            prompts.pack("stray")
    assert "stray" not in prompts.packs()


def test_only_the_nearest_project_counts(project: Path) -> None:
    put(project, "outer/solve", "OUTER")
    (project / "promptkit.toml").write_text("")
    assert prompts.pack("outer").title == "OUTER"
    (project / "deep" / "promptkit.toml").write_text("")
    with pytest.raises(UnknownName):
        prompts.pack("outer")


def test_a_pack_borrows_from_general_what_it_does_not_have(project: Path, tmp_path: Path) -> None:
    put(tmp_path / "home", "mine/solve", "MINE")
    pack = prompts.pack("mine")
    assert pack.template("solve").id == "mine/solve"
    assert pack.template("vote").id == "general/vote"


def test_an_edited_file_is_read_again(project: Path, tmp_path: Path) -> None:
    put(tmp_path / "home", "mine/solve", "ONE")
    assert first_word("mine/solve") == "ONE"
    path = tmp_path / "home" / "prompts" / "mine" / "solve.md"
    path.write_text(TEMPLATE.format(text="TWO"), "utf-8")
    os.utime(path, ns=(1, 1))
    assert first_word("mine/solve") == "TWO"


@pytest.mark.parametrize(
    "name",
    ["..", "../general", "../../etc", "/etc", "general/../general", "", ".", "a/b", "a\\b", "general\x00", "-x", "a\n"],
)
def test_a_name_is_no_path(project: Path, tmp_path: Path, name: str) -> None:
    put(tmp_path / "home", "mine/solve", "MINE")
    (tmp_path / "home" / "pack.md").write_text(PACK.format(title="outside"), "utf-8")
    (tmp_path / "home" / "outside.md").write_text(TEMPLATE.format(text="OUTSIDE"), "utf-8")
    with pytest.raises(UnknownName):
        prompts.pack(name)
    with pytest.raises(UnknownName):
        prompts.find("mine", f"{name}/outside" if name else name)
    with pytest.raises(UnknownName):
        prompts.find(name, "outside")


def test_a_pack_file_is_no_template(project: Path) -> None:
    with pytest.raises(UnknownName):
        prompts.find("general", "pack")


def test_the_nearest_name_is_offered(project: Path) -> None:
    with pytest.raises(UnknownName) as unknown:
        prompts.pack("gam24")
    assert "game24" in unknown.value.hint
    with pytest.raises(UnknownName) as no_template:
        prompts.find("general", "slove")
    assert "general/solve" in no_template.value.hint
