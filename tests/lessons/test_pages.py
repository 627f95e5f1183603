"""What an exercise is made of: equations held against arithmetic, answers that are read, pages of any width."""

from __future__ import annotations

import random

import pytest
from rich.cells import cell_len

from promptkit.algorithms.decoding.distribution import Distribution
from promptkit.errors import BadInput
from promptkit.lessons import Exercise, Question, page
from promptkit.lessons.equations import equations
from promptkit.lessons.samples import around
from promptkit.lessons.top_p import cuts

QUESTION = Question(text="Which two?", choices=("one", "two", "three"), right=(0, 2), pick=2, why="they are odd.")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("That is 8 * 36 = 288 miles. Then 288 - 90 = 18.", ["8 * 36 = 288", "288 - 90 = 18 not 198"]),
        ("2 + 3 * 4 = 14", ["2 + 3 * 4 = 14"]),
        ("5 / 2 = 2.5 and 1 / 3 = 1/3", ["5 / 2 = 2.5", "1 / 3 = 1/3"]),
        ("3 - 5 = -2", ["3 - 5 = -2"]),
        ("3 - 5 = 2", ["3 - 5 = 2 not -2"]),
        ("(2 + 3) * 4 = 20, x + 3 + 4 = 9, -5 + 3 = -2, 1,027 - 117 = 910, 27 + 1000 = 1,027", []),
        ("5 / 0 = 0, 4 = 4, 1 + 1 = 2/0", []),
    ],
)
def test_equations_are_found_and_checked(text: str, found: list[str]) -> None:
    told = [str(each) if each.holds else f"{each} not {each.mended.partition('= ')[2]}" for each in equations(text)]
    assert told == found


@pytest.mark.parametrize("answer", ["ac", "CA", " a c ", "a, c", "c;a"])
def test_an_answer_is_read_in_any_order(answer: str) -> None:
    assert QUESTION.correct(answer)


@pytest.mark.parametrize("answer", ["", "a", "abc", "ad", "a1", "aa", "日本", "two"])
def test_an_answer_that_cannot_be_read_is_said_with_what_can(answer: str) -> None:
    with pytest.raises(BadInput) as bad:
        QUESTION.correct(answer)
    assert bad.value.hint == "answer with 2 letters of a-c, as in ab"


def test_answers_are_one_a_question() -> None:
    exercise = Exercise(name="x", about=(), questions=(QUESTION, QUESTION), go_on=())
    assert exercise.score(["ac", "ab"]) == 1
    with pytest.raises(BadInput, match="1 answer for 2 questions") as bad:
        exercise.score(["ac"])
    assert bad.value.hint.endswith("--answers ab,ab")


@pytest.mark.parametrize("width", [24, 40, 80])
def test_a_page_fits_and_keeps_its_shape_with_wide_characters(width: int) -> None:
    wide = Question(
        shown=("日本語の問題 " * 9, "", "chain 1", "  全角文字 " + "数える" * 20),
        text="どれが正しいですか " * 5,
        choices=("はい " * 40, "\x1b[31mいいえ\x1b[0m"),
        right=(1,),
        why="なぜなら " * 12,
    )
    exercise = Exercise(name="x", about=("説明 " * 30,), questions=(wide,), go_on=())
    lines = [*page.whole(exercise, width), *page.told(wide, "b", width)]
    assert max(map(cell_len, lines)) <= width
    assert "\x1b" not in "".join(lines)
    assert "  b  いいえ" in lines
    choice = lines[next(at for at, line in enumerate(lines) if line.startswith("  a  ")) :]
    assert choice[1].startswith("     は")  # it goes on below its text
    assert page.told(wide, "b")[0].startswith("Right: ")
    assert page.told(wide, "a")[0].startswith("No, b: ")


def test_a_rule_that_decides_by_a_hair_is_not_asked() -> None:
    fruit = Distribution(tuple(enumerate((0.4, 0.3, 0.2, 0.06))), 0.04)
    assert [(cut.rule, cut.kept) for cut in cuts(fruit, "top-p")] == [(0.5, 2), (0.6, 2), (0.8, 3)]
    assert [(cut.rule, cut.kept) for cut in cuts(fruit, "min-p")] == [(0.2, 3), (0.3, 3)]


def test_the_right_number_stands_anywhere_among_its_neighbours() -> None:
    chance = random.Random(0)
    rows = [around(6, 3, 11, chance) for _ in range(60)]
    assert {row.index(6) for row in rows} == {0, 1, 2, 3}
    assert all(11 in around(11, 3, 11, chance) and max(around(11, 3, 11, chance)) == 11 for _ in range(9))
    assert all(around(3, 3, 11, chance) == [3, 4, 5, 6] for _ in range(9))
