"""Nothing that is measured is trained on: no held-out puzzle, and no held-out state of three numbers, in any text."""

from __future__ import annotations

import random
import re

import pytest

from promptkit.worlds.game24 import Game24
from promptkit.worlds.game24_puzzles import held_out_state, puzzles, split_of
from training import game24
from training.corpus import turns
from training.mixture import SHARES


def lists(text: str) -> set[tuple[int, ...]]:
    """Every list of three or four numbers that are left, sorted; what two numbers make is no such list."""
    found = set()
    for line in re.sub(r"make [\d ]+", "make", text).split("\n"):
        for numbers in re.findall(r"\d+(?: \d+){2,3}(?![\d ]*\d)", line):
            found.add(tuple(sorted(map(int, numbers.split()))))
    return found


@pytest.mark.parametrize("kind", [kind for kind in SHARES if kind.startswith("game24")])
def test_no_lesson_holds_a_held_out_puzzle_or_state(kind: str) -> None:
    rng = random.Random(kind)
    seen = set()
    for _ in range(1500):
        for _, text in turns(SHARES[kind][1](rng), rng):
            seen |= lists(text)
    assert seen, "the lists of numbers are found"
    assert not [numbers for numbers in seen if len(numbers) == 4 and split_of(numbers) != "train"]
    assert not [numbers for numbers in seen if held_out_state(numbers)]


def test_the_check_sees_what_it_is_for() -> None:
    assert lists("Input: 13 1 8 11\nPossible next steps:") == {(1, 8, 11, 13)}
    assert lists("4 + 9 = 13 (left: 10 13 13)") == {(10, 13, 13)}
    assert lists("2: 5 6 13 4") == {(4, 5, 6, 13)}
    assert lists("with 4: 3 9 make 12 6 27 3") == set()


def test_the_splits_part_all_solvable_puzzles() -> None:
    train, validation, test = (set(puzzles(split)) for split in ("train", "validation", "test"))
    assert not train & validation | train & test | validation & test
    assert len(train | validation | test) == 1362  # Yao et al. (arXiv:2305.10601) §4.1: 1,362 games
    assert len(test) >= 300


def test_moves_of_training_keep_away_from_held_out_states() -> None:
    assert all(not held_out_state(move[4]) for puzzle in puzzles("train")[:300] for move in game24.moves(puzzle))


def test_chains_of_training_are_right_and_their_check_agrees() -> None:
    rng = random.Random(3)
    for _ in range(400):
        numbers = game24.puzzle(rng)
        draft, said, right = game24.drafted(rng, numbers, wrong=rng.random() < 0.5)
        assert said.endswith(f"Verdict: {'right' if right else 'wrong'}")
        assert right == (Game24().check(" ".join(map(str, numbers)), answer_of(draft)) and sound(draft))


def answer_of(draft: str) -> str:
    """The expression a draft ends in."""
    return draft.rpartition("Answer: ")[2].removesuffix(" = 24")


def sound(draft: str) -> bool:
    """Whether each step's arithmetic holds."""
    from promptkit.worlds.game24 import parse

    return all(parse(line) for line in draft.split("\n")[1:-1])
