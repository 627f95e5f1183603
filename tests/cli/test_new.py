"""`promptkit new`: what it writes works as it is, its test sees when it is broken, and nothing is written over."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from promptkit import prompts
from promptkit.cli.app import start

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[2]
BREAKS = {  # what a person might get wrong in what was generated
    "strategy": ("temperature=self.temperature", "temperature=None"),
    "provider": ("text = request.messages[-1].text", 'text = ""'),
    "scorer": ("if answer is None:", "if not target:"),
    "prompt": ("{{ question }}", "The question is left out."),
}  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "my projects" / "première"  # a path is any text
    place.mkdir(parents=True)
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what a contributor has, with the model left out."""
    place = tmp_path / "checkout"
    unneeded = shutil.ignore_patterns("__pycache__", "*.gguf")
    shutil.copytree(ROOT / "promptkit", place / "promptkit", ignore=unneeded)
    shutil.copytree(ROOT / "prompts", place / "prompts")
    (place / "tests" / "strategies").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "conftest.py", place / "tests")
    shutil.copy(ROOT / "pyproject.toml", place)
    return place


def pytest_on(folder: Path, *files: str) -> subprocess.CompletedProcess[str]:
    """pytest in a process of its own, which finds the folder's promptkit if it has one."""
    env = {**os.environ, "PYTHONPATH": str(folder), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # it starts twice as fast
    plain = ["-q", "-o", "addopts=", "-p", "pytest_timeout", "-p", "no:cacheprovider", "-W", "error"]
    words = [sys.executable, "-m", "pytest", *plain, *files]
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=100)


def passes_and_notices(folder: Path, kind: str, file: str, test: str) -> None:
    done = pytest_on(folder, test)
    assert done.returncode == 0, done.stdout + done.stderr
    sound, broken = BREAKS[kind]
    text = (folder / file).read_text("utf-8")
    assert sound in text
    (folder / file).write_text(text.replace(sound, broken), "utf-8")
    done = pytest_on(folder, test)
    assert done.returncode == 1, done.stdout
    assert "FAILED" in done.stdout


@pytest.mark.parametrize("kind", ["strategy", "provider", "scorer"])
def test_a_plugin_works_as_written_and_its_test_sees_faults(kind: str, folder: Path, capsys: Capture) -> None:
    assert start(["new", kind, "six-spiders"]) == 0
    said = capsys.readouterr()
    made = ["six_spiders.py", "tests/test_six_spiders.py", "pyproject.toml"]
    assert [line.replace("\\", "/") for line in said.out.splitlines()] == made
    plural = "strategies" if kind == "strategy" else f"{kind}s"
    entry = {"strategy": "SixSpiders", "provider": "open_six_spiders", "scorer": "six_spiders"}[kind]
    about = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    assert about["entry-points"] == {f"promptkit.{plural}": {"six-spiders": f"six_spiders:{entry}"}}
    passes_and_notices(folder, kind, "six_spiders.py", "tests/test_six_spiders.py")


def installed(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A pip that fetches nothing."""
    offline = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    pip = [sys.executable, "-m", "pip", "install", *offline, "--target", str(site), *words]
    return subprocess.run(pip, capture_output=True, text=True, timeout=100)


@pytest.mark.parametrize("editable", [["-e"], []])
def test_what_it_says_to_install_can_be_installed(editable: list[str], folder: Path, capsys: Capture) -> None:
    assert start(["new", "strategy", "alpha", "--into", "my-plugin"]) == 0
    steps = [line.strip() for line in capsys.readouterr().err.splitlines()]
    assert steps == [
        "next:",
        "pip install -e my-plugin pytest",
        "python -m pytest my-plugin/tests/test_alpha.py",
        'promptkit run alpha "your question"',
    ]
    site = folder / "site"
    done = installed(site, *editable, str(folder / "my-plugin"))
    assert done.returncode == 0, done.stdout + done.stderr
    code = "import site, sys; site.addsitedir(sys.argv[1]); from promptkit.registry import load as l;"
    code += "print(l('strategy', 'alpha'))"
    done = subprocess.run([sys.executable, "-c", code, str(site)], cwd=site, capture_output=True, text=True)
    assert done.stdout == "<class 'alpha.Alpha'>\n", done.stderr


def test_a_second_plugin_in_a_package_says_what_to_add(folder: Path, capsys: Capture) -> None:
    for kind, name in [("strategy", "alpha"), ("strategy", "beta"), ("scorer", "gamma")]:
        capsys.readouterr()
        assert start(["new", kind, name]) == 0
        said = [line.strip() for line in capsys.readouterr().err.splitlines()]
        if name == "beta":
            assert said[0] == 'add to your pyproject.toml, under [project.entry-points."promptkit.strategies"]:'
            assert said[1:3] == ['beta = "beta:Beta"', "then:"]
            assert "pip install -e . pytest" in said
    assert said[:3] == [
        "add to your pyproject.toml:",
        '[project.entry-points."promptkit.scorers"]',
        'gamma = "gamma:gamma"',
    ]


@pytest.mark.parametrize("kind", ["strategy", "provider", "scorer"])
def test_in_a_checkout_it_is_part_of_the_house(
    kind: str, checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(checkout / "tests" / "strategies")
    assert start(["new", kind, "six-spiders"]) == 0
    steps = [line.strip() for line in capsys.readouterr().err.splitlines()]
    told = [step for step in steps if step.startswith("in pyproject.toml")]
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    named = [each["name"] for each in contracts if told and told[0].split("'")[1] in each["name"]]
    assert len(told) == len(named) == (0 if kind == "scorer" else 1)
    assert f"cd {shlex.quote(str(checkout))}" in steps
    assert "pip install -e . --group dev" in steps
    plural = "strategies" if kind == "strategy" else f"{kind}s"
    file, test = f"promptkit/{plural}/six_spiders.py", f"tests/{plural}/test_six_spiders.py"
    code = f"from promptkit import registry; print(registry.load({kind!r}, 'six-spiders').__module__)"
    env = {**os.environ, "PYTHONPATH": str(checkout)}
    done = subprocess.run([sys.executable, "-c", code], cwd=checkout, env=env, capture_output=True, text=True)
    assert done.stdout == f"promptkit.{plural}.six_spiders\n", done.stderr
    lint(checkout, file, test, "promptkit/registry.py")
    done = pytest_on(checkout, test)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_it_writes_is_typed_and_formatted(folder: Path) -> None:
    for kind in ("strategy", "provider", "scorer"):
        for name in (f"my-{kind}", f"{kind[:2]}-of-a-very-very-long-namex"):
            assert start(["new", kind, name]) == 0
    assert start(["new", "prompt", "a-pack-with-a-very-long-name/a-very-very-long-name-indeed", "--project"]) == 0
    lint(folder, ".")
    kept = str(ROOT / ".mypy_cache" / "written")  # what it knows of promptkit is worth ten seconds the next time
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", kept, *map(str, folder.rglob("*.py"))],
        cwd=folder, env={**os.environ, "MYPYPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def lint(folder: Path, *files: str) -> None:
    for words in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "--no-cache", "--config", str(ROOT / "pyproject.toml"), *files],
            cwd=folder, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


def test_names_that_mean_something_in_the_file_are_kept_apart(folder: Path) -> None:
    for kind, name in [("strategy", "model"), ("strategy", "outcome"), ("provider", "request"), ("scorer", "answer")]:
        assert start(["new", kind, name]) == 0
    done = pytest_on(folder)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kind", ["strategy", "provider", "scorer", "prompt"])
def test_nothing_is_written_over(kind: str, folder: Path, capsys: Capture) -> None:
    name = "mine/six" if kind == "prompt" else "six"
    words = ["new", kind, name, *(["--project"] if kind == "prompt" else [])]
    assert start(words) == 0
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    next(path for path in before if path.name.startswith("test_")).unlink()  # the other file is enough
    assert start(words) == 2
    assert "nothing is written over" in capsys.readouterr().err
    assert {path: before[path] for path in folder.rglob("*") if path.is_file()}.keys() < before.keys()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["strategy", "sc"], "there is a strategy 'sc' already"),
        (["provider", "openai"], "there is a provider 'openai' already"),
        (["strategy", "MyOwn"], "did you mean my-own?"),
        (["strategy", "my own"], "did you mean my-own?"),
        (["strategy", "../up"], "did you mean up?"),
        (["strategy", "été"], "cannot be the name of a strategy"),
        (["strategy", "2nd"], "did you mean nd?"),
        (["strategy", "a" * 40], "did you mean aaaa"),
        (["strategy", ""], "a letter first"),
        (["strategy", "class"], "says nothing"),
        (["strategy", "utils"], "says nothing"),
        (["strategy", "json"], "a module of Python"),
        (["strategy", "promptkit"], "or of an installed package"),
        (["strateg", "mine"], "did you mean strategy?"),
        (["prompt", "six"], "PACK/NAME"),
        (["prompt", "mine/../../up"], "cannot be the name of a prompt"),
        (["prompt", "mine/pack"], "it is no template"),
        (["prompt", "mine/six"], "add --project"),
        (["prompt", "game24/propose", "--project"], "propose.md prompts/game24"),
    ],
)
def test_what_cannot_be_written_is_refused(words: list[str], says: str, folder: Path, capsys: Capture) -> None:
    assert start(["new", *words]) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert said.out == ""
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_written(folder: Path, capsys: Capture) -> None:
    (folder / "file").write_text("")
    assert start(["new", "strategy", "six", "--into", "file/below"]) == 2
    assert "error: " in capsys.readouterr().err


def test_a_prompt_is_a_file_of_the_project_and_its_test_sees_faults(folder: Path, capsys: Capture) -> None:
    assert start(["new", "prompt", "mine/six", "--project"]) == 0
    made = ["promptkit.toml", "prompts/mine/pack.md", "prompts/mine/six.md", "tests/prompts/test_mine_six.py"]
    assert [line.replace("\\", "/") for line in capsys.readouterr().out.splitlines()] == made
    (folder / "below").mkdir()
    os.chdir(folder / "below")  # a project is looked for upwards; the fixture's monkeypatch goes back
    assert start(["new", "prompt", "mine/seven"]) == 0
    assert (folder / "prompts" / "mine" / "seven.md").is_file()
    assert start(["prompts", "render", "mine/seven", "-v", "question=How many?"]) == 0
    assert "How many?" in capsys.readouterr().out
    passes_and_notices(folder, "prompt", "prompts/mine/six.md", "tests/prompts/test_mine_six.py")


@pytest.mark.parametrize("name", ["solve", "vote", "extract"])
def test_a_prompt_begins_with_generals_of_its_name(name: str, folder: Path) -> None:
    assert start(["new", "prompt", f"mine/{name}", "--project"]) == 0
    general = (ROOT / "prompts" / "general" / f"{name}.md").read_text("utf-8")
    assert (folder / "prompts" / "mine" / f"{name}.md").read_text("utf-8") == general
    lint(folder, ".")
    test = f"tests/prompts/test_mine_{name}.py"
    assert pytest_on(folder, test).returncode == 0
    for sent in ("{{ question }}", "{{ candidate }}", '"Answer:"'):
        if sent in general:
            (folder / "prompts" / "mine" / f"{name}.md").write_text(general.replace(sent, ""), "utf-8")
            assert pytest_on(folder, test).returncode == 1


@pytest.mark.skipif("sys.platform == 'win32'", reason="the hint is for a POSIX shell")
def test_what_is_said_of_a_taken_prompt_can_be_pasted(folder: Path, capsys: Capture) -> None:
    assert start(["new", "prompt", "general/cot", "--project"]) == 2
    paste = capsys.readouterr().err.splitlines()[-1].strip()
    assert subprocess.run(["sh", "-c", paste], cwd=folder).returncode == 0
    assert start(["prompts", "check"]) == 0
    copy = folder / "prompts" / "general" / "cot.md"
    assert copy.read_bytes() == (ROOT / "prompts" / "general" / "cot.md").read_bytes()
    assert prompts.find("general", "cot").path.samefile(copy), "it is in force"


def test_a_prompt_in_a_checkout_needs_no_project(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout)
    assert start(["new", "prompt", "general/six"]) == 0
    assert not (checkout / "promptkit.toml").exists()
    done = pytest_on(checkout, "tests/prompts/test_general_six.py")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_plugin_inside_a_checkout_is_a_plugin(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout)
    assert start(["new", "strategy", "six", "--into", "examples/mine"]) == 0
    made = sorted(path.name for path in (checkout / "examples" / "mine").rglob("*") if path.is_file())
    assert made == ["pyproject.toml", "six.py", "test_six.py"]
