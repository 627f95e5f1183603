"""Recipes: what they mean, where each error stands, and where they are looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from promptkit import places
from promptkit.errors import BadInput, CapabilityMissing, PromptkitError, UnknownName
from promptkit.optimizing import planning, recipe, versions
from promptkit.optimizing.questions import Parts, parts
from promptkit.providers.scripted import Scripted

GOOD = """\
recipe: 1
optimize:
  prompt: words/solve
  strategy: direct(reply_tokens=256)
  model: builtin
  data: {use: words, level: easy}
  candidates:
    instructions:
      - Let's think step by step.
    examples: 1
  budget: {calls: 200, tokens: 100000}
  train: 16
  held_out: 24
  seed: 7
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "r.yaml"
    path.write_text(text, "utf-8")
    return path


def test_a_recipe_is_what_it_says(tmp_path: Path) -> None:
    read = recipe.read(written(tmp_path, GOOD))
    assert (read.prompt, read.strategy, read.model) == ("words/solve", "direct(reply_tokens=256)", "builtin")
    assert read.data == recipe.Data(use="words", split="validation", level="easy")
    assert read.instructions == ("Let's think step by step.",)
    assert (read.propose, read.shown, read.sets) == (0, 1, 1)
    assert (read.calls, read.tokens, read.train, read.held_out, read.seed) == (200, 100_000, 16, 24, 7)
    assert read.name == "r"


def test_the_smallest_recipe(tmp_path: Path) -> None:
    (tmp_path / "sums.csv").write_text("question,answer\n" + "".join(f"{n} + 1?,{n + 1}\n" for n in range(200)))
    text = (
        "optimize:\n  prompt: general/cot\n  data: sums.csv\n  candidates: {instructions: 4}\n  budget: {calls: 900}\n"
    )
    read = recipe.read(written(tmp_path, text))
    assert (read.strategy, read.model, read.propose, read.train, read.held_out) == ("cot", None, 4, 40, 80)
    assert read.data.use == str(tmp_path / "sums.csv"), "beside the recipe"
    what = planning.optimization(read)
    assert len({each.question for each in (*what.train, *what.held_out)}) == 120
    assert all(each.answer == str(int(each.question.split()[0]) + 1) for each in what.train)


def test_both_kinds_of_instructions_and_several_sets(tmp_path: Path) -> None:
    candidates = "candidates:\n    instructions: {texts: [One., Two.], propose: 3}\n    examples: {shown: 2, sets: 3}\n"
    text = GOOD.replace(GOOD[GOOD.index("candidates:") : GOOD.index("  budget")], candidates)
    read = recipe.read(written(tmp_path, text))
    assert (read.instructions, read.propose, read.shown, read.sets) == (("One.", "Two."), 3, 2, 3)


@pytest.mark.parametrize(
    ("old", "new", "at", "told", "hint"),
    [
        ("strategy:", "stratgey:", "4:3", "no key 'stratgey' in optimize", "did you mean strategy?"),
        ("recipe: 1", "recipe: 2", "1:9", "recipe 2 is not a version", "recipe: 1"),
        ("recipe: 1", "receipt: 1", "1:1", "no key 'receipt'", "did you mean recipe?"),
        ("  train: 16", "  train: lots", "12:10", "optimize.train should be a valid integer, not 'lots'", ""),
        ("  train: 16", "  train: 3", "12:10", "optimize.train should be greater than or equal to 8, not 3", ""),
        ("  train: 16", "  seed: 1", "14:3", "seed is given twice", ""),
        ("words/solve", "words", "3:11", "'words' is no template", "PACK/NAME, e.g. words/cot"),
        ("words/solve", "words/sovle", "3:11", "no prompt 'words/sovle'", "did you mean words/solve?"),
        ("use: words", "use: wrods", "6:15", "no data set 'wrods', and no such file", "did you mean words?"),
        ("level: easy", "level: esay", "6:29", "no level 'esay'", "did you mean easy?"),
        ("use: words", "use: game24", "6:30", "game24 has no levels", ""),
        ("{use: words, level: easy}", "{level: easy}", "6:9", "optimize.data needs use", "use: …"),
        ("direct(reply_tokens=256)", "drect", "4:13", "no strategy 'drect'", "did you mean direct?"),
        ("direct(reply_tokens=256)", "direct(m=2)", "4:13", "direct has no parameter 'm'", "it has:"),
        ("      - Let's think step by step.", "      - ''", "9:9", "an empty instruction", ""),
        ("- Let's think step by step.", "- A\n      - A", "10:9", "the same instruction twice", ""),
        ("examples: 1", "exampels: 1", "10:5", "no key 'exampels'", "did you mean examples?"),
        ("{calls: 200, tokens: 100000}", "{}", "11:11", "there is no budget", "budget: {calls: 600}"),
        ("{calls: 200, tokens: 100000}", "{calls: 20}", "11:11", "a budget of 20 calls is too small", "calls: "),
        ("{calls: 200,", "[calls: 200,", "11:38", "expected ',' or ']'", ""),
        ("  budget: {calls: 200, tokens: 100000}\n", "", "3:3", "optimize needs budget", "budget: …"),
        ("held_out: 24", "held_out: 10001", "13:13", "less than or equal to 10000", ""),
    ],
)
def test_an_error_says_where_it_is_and_what_was_meant(
    tmp_path: Path, old: str, new: str, at: str, told: str, hint: str
) -> None:
    assert GOOD.count(old) == 1
    path = written(tmp_path, GOOD.replace(old, new))
    with pytest.raises(PromptkitError) as wrong:
        planning.plan(recipe.read(path), journal="memory")
    assert wrong.value.message.startswith(f"{path}:{at}: ")
    assert told in wrong.value.message
    assert hint in wrong.value.hint
    assert wrong.value.exit_code == 2


def test_no_candidates_is_no_recipe(tmp_path: Path) -> None:
    text = GOOD.replace(GOOD[GOOD.index("candidates:") : GOOD.index("  budget")], "candidates: {examples: 0}\n")
    with pytest.raises(BadInput, match="there are no candidates"):
        recipe.read(written(tmp_path, text))


def test_the_templates_own_instruction_is_no_candidate(tmp_path: Path) -> None:
    text = GOOD.replace("Let's think step by step.", "Answer with the final number only.").replace("examples: 1", "")
    with pytest.raises(BadInput, match=r"8:5: every instruction is the template's own"):
        planning.optimization(recipe.read(written(tmp_path, text)))


def test_what_is_no_yaml_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"r\.yaml:1:1: the file is empty"):
        recipe.read(written(tmp_path, "# nothing\n"))
    with pytest.raises(BadInput, match=r"r\.yaml:1:1: this is not a mapping"):
        recipe.read(written(tmp_path, "- a\n"))
    (tmp_path / "r.yaml").write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(BadInput, match=r"r\.yaml:2: not UTF-8"):
        recipe.read(tmp_path / "r.yaml")


@pytest.mark.parametrize(
    "value",
    [
        "&a [*a, *a]",
        "{? [1, 2] : 3}",
        "2026-13-45",
        "[&a [x, x, x, x, x, x, x, x, x], " + ", ".join(f"&a [{', '.join(['*a'] * 9)}]" for _ in range(12)) + "]",
        "[" * 5_000,
        "!!python/object/apply:os.getcwd []",
    ],
)
def test_what_only_a_parser_could_love_is_an_error_of_the_recipe(tmp_path: Path, value: str) -> None:
    for old in (
        "words/solve",
        "{use: words, level: easy}",
        "{calls: 200, tokens: 100000}",
        "- Let's think step by step.",
    ):
        path = written(tmp_path, GOOD.replace(old, f"- {value}" if old.startswith("-") else value))
        with pytest.raises(BadInput) as wrong:
            recipe.read(path)
        assert wrong.value.message.startswith(f"{path}:")
        assert len(wrong.value.message) < len(str(path)) + 300


def test_a_tiny_model_writes_no_instructions(tmp_path: Path) -> None:
    text = GOOD.replace("    instructions:\n      - Let's think step by step.\n", "    instructions: 4\n")
    with pytest.raises(CapabilityMissing, match="writes no instructions"):
        planning.plan(recipe.read(written(tmp_path, text)), journal="memory")
    with pytest.raises(CapabilityMissing, match="only knows"):
        planning.plan(recipe.read(written(tmp_path, GOOD.replace("words/solve", "general/solve"))), journal="memory")


def test_a_list_of_models_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not for a list"):
        planning.plan(recipe.read(written(tmp_path, GOOD)), model=["builtin", Scripted(lambda _: "")], journal="memory")


def test_shipped_recipes_are_found_by_name_and_can_run() -> None:
    assert "optimize-words" in recipe.names()
    for name in recipe.names():
        made = planning.plan(recipe.read(recipe.find(name)), journal="memory")
        assert made.name == "optimize"
    with pytest.raises(UnknownName, match="no recipe 'optimize-wrods'") as wrong:
        recipe.find("optimize-wrods")
    assert "optimize-words" in wrong.value.hint


def test_a_projects_recipe_hides_the_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / places.PROJECT_FILE).touch()
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "optimize-words.yaml").write_text(GOOD)
    monkeypatch.chdir(tmp_path)
    assert recipe.read(recipe.find("optimize-words")).seed == 7


@pytest.mark.parametrize("use", ["words", "game24", "patterns"])
def test_the_parts_share_no_question_and_are_the_same_again(use: str) -> None:
    one = parts(use, "validation", "easy", 3, (4, 12, 20))
    everything = [each.question for part in (one.worked, one.train, one.held_out) for each in part]
    assert len(set(everything)) == len(everything) == 36
    assert one == parts(use, "validation", "easy", 3, (4, 12, 20))
    assert one != parts(use, "validation", "easy", 4, (4, 12, 20))
    assert all(len(each.examples) == (8 if use == "patterns" else 0) for each in one.train)
    assert isinstance(one, Parts)


def test_too_few_questions_are_told() -> None:
    with pytest.raises(BadInput, match="game24 has 69 questions, and 200 are wanted"):
        parts("game24", "validation", "easy", 0, (0, 100, 100))


def test_patterns_are_asked_with_their_examples(tmp_path: Path) -> None:
    text = GOOD.replace("words/solve", "patterns/solve").replace("direct(reply_tokens=256)", "few-shot(n=4)")
    text = text.replace("{use: words, level: easy}", "patterns")
    with pytest.raises(BadInput, match="brings examples of its own"):
        planning.optimization(recipe.read(written(tmp_path, text)))
    fine = text.replace("    examples: 1\n", "")
    assert planning.optimization(recipe.read(written(tmp_path, fine))).train[0].examples
    with pytest.raises(BadInput, match="the strategy shows none"):
        planning.optimization(recipe.read(written(tmp_path, fine.replace("few-shot(n=4)", "cot"))))


def test_a_version_goes_to_the_project_or_where_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert versions.target("words/solve", None) is None
    assert versions.target("words/solve", tmp_path / "x.md") == tmp_path / "x.md"
    with pytest.raises(BadInput, match="no template file"):
        versions.target("words/solve", tmp_path / "x.txt")
    (tmp_path / places.PROJECT_FILE).touch()
    assert versions.target("words/solve", None) == tmp_path / "prompts" / "words" / "solve.md"
