"""Hidden rules: every output obeys its rule, splits share nothing, and each example makes the answer better known."""

from __future__ import annotations

import random
from collections import defaultdict
from functools import cache
from itertools import pairwise

import pytest

from promptkit.errors import BadInput
from promptkit.worlds import patterns
from promptkit.worlds.patterns import CATEGORIES, EDITS, KEYS, LABELS, MEANINGS, MOST, Kind, Pattern, Split, draw, fact

KINDS: tuple[Kind, ...] = ("map", "label", "shift", "operator", "edit")
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
COUNTS = (0, 1, 2, 4, 8)


@cache
def drawn(split: Split, kind: Kind, count: int = 60) -> tuple[Pattern, ...]:
    rng = random.Random(f"{split} {kind}")
    return tuple(draw(rng, n=rng.randint(0, MOST), kind=kind, split=split) for _ in range(count))


def pairs(pattern: Pattern) -> list[tuple[str, str]]:
    return [*pattern.examples, (pattern.question, pattern.answer)]


def expected(pattern: Pattern, asked: str) -> str:
    """The output by the rule's name alone, worked out here a second time."""
    words = asked.split()
    if pattern.kind in ("map", "label"):
        rule = dict(part.split("=") for part in pattern.name.split(", "))
        if pattern.kind == "map":
            return rule[words[1]]
        (label,) = [label for category, label in rule.items() if asked in CATEGORIES[category]]
        return label
    if pattern.kind == "shift":
        return str(int(asked) + int(pattern.name))
    if pattern.kind == "operator":
        a, b = int(words[0]), int(words[2])
        low, high = sorted((a, b))
        meant = {"sum": a + b, "product": a * b, "difference": high - low, "larger": high, "smaller": low}
        return str({**meant, "joined": 10 * a + b, "first": a, "second": b}[pattern.name])
    row = "".join(words)
    edited = {"reverse": "".join(reversed(row)), "first": row[0], "last": row[-1], "rotate": row[1:] + row[0]}
    edited |= {"drop first": row[1:], "drop last": row[:-1]}
    edited |= {"double first": row[0] + row, "double last": row + row[-1]}
    return " ".join(edited[pattern.name])


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_output_obeys_the_rule_and_no_example_asks_the_question(kind: Kind, split: Split) -> None:
    for pattern in drawn(split, kind):
        assert all(answer == expected(pattern, asked) for asked, answer in pairs(pattern))
        inputs = [asked for asked, _ in pairs(pattern)]
        assert len({asked.casefold() for asked in inputs}) == len(inputs)


def test_the_same_seed_gives_the_same_patterns() -> None:
    def some() -> list[Pattern]:
        rng = random.Random(7)
        return [draw(rng, n=n, split="train") for n in range(MOST + 1)]

    assert some() == some()


def test_kinds_come_as_often_as_their_weights_say() -> None:
    rng = random.Random(3)
    kinds = [draw(rng, n=1, split="train").kind for _ in range(2000)]
    for kind, weight in patterns.WEIGHTS.items():
        assert kinds.count(kind) / len(kinds) == pytest.approx(weight, abs=0.04)


@pytest.mark.parametrize("n", [-1, MOST + 1])
def test_more_examples_than_there_are_different_questions_are_refused(n: int) -> None:
    with pytest.raises(BadInput, match="0 to 12"):
        draw(random.Random(0), n=n, split="train")


@pytest.mark.parametrize("kind", KINDS)
def test_no_stretch_of_a_training_pattern_is_a_pattern_of_another_split(kind: Kind) -> None:
    learned = {stretch for pattern in drawn("train", kind, 300) for stretch in patterns.stretches(pattern)}
    assert {patterns.share(stretch) for stretch in learned} == {"train"}
    for split in ("validation", "test"):
        whole = {list(patterns.stretches(pattern))[-1] for pattern in drawn(split, kind)}
        assert {patterns.share(each) for each in whole} == {split}
        assert not learned & whole


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("split", SPLITS)
def test_even_a_question_without_examples_is_found_in_every_split(kind: Kind, split: Split) -> None:
    assert draw(random.Random(1), n=0, kind=kind, split=split).examples == ()


@pytest.mark.parametrize("kind", ["map", "label"])
def test_what_a_held_out_question_needs_is_never_met_in_training(kind: Kind) -> None:
    learned = {fact(kind, *pair) for pattern in drawn("train", kind, 300) for pair in pairs(pattern)}
    for split in ("validation", "test"):
        asked = {fact(kind, pattern.question, pattern.answer) for pattern in drawn(split, kind)}
        assert not learned & asked
        assert len(asked) > 10


def test_words_belong_to_one_category_and_labels_to_one_pair() -> None:
    words = [word for category in CATEGORIES.values() for word in category]
    labels = [label for pair in LABELS for label in pair]
    assert len(set(words)) == len(words) == 10 * len(CATEGORIES)
    assert len(set(labels)) == len(labels)
    assert len(set(KEYS)) == len(KEYS)


def test_a_code_book_is_known_as_far_as_it_was_shown() -> None:
    rng = random.Random(11)
    known = []
    for n in COUNTS:
        books = [draw(rng, n=n, kind="map", split="test") for _ in range(800)]
        hits = [any(asked.split()[1] == each.question.split()[1] for asked, _ in each.examples) for each in books]
        known.append(sum(hits) / len(hits))
    assert known == pytest.approx([0, 0.23, 0.41, 0.67, 0.90], abs=0.06)


def candidates(pattern: Pattern) -> list[str]:
    """The answer under each rule of the pattern's kind that its examples leave open."""
    if pattern.kind == "map":
        book = {asked.split()[1]: answer for asked, answer in pattern.examples}
        key = pattern.question.split()[1]
        return [book[key]] if key in book else [value for value in patterns.VALUES if value not in book.values()]
    names = {
        "label": [
            f"{one}={a}, {two}={b}"
            for one in CATEGORIES
            for two in CATEGORIES
            for pair in LABELS
            for a, b in (pair, pair[::-1])
            if one != two
        ],
        "shift": [f"+{by}" for by in range(1, 10)],
        "operator": list(MEANINGS),
        "edit": list(EDITS),
    }[pattern.kind]
    answers = []
    for name in names:
        rule = Pattern(pattern.kind, name, (), "", "")
        try:
            if all(expected(rule, asked) == answer for asked, answer in pattern.examples):
                answers.append(expected(rule, pattern.question))
        except ValueError:  # a word of neither category
            continue
    return answers


def test_the_best_possible_accuracy_starts_near_nothing_and_rises_with_every_example() -> None:
    rng = random.Random(5)
    best = []
    for n in COUNTS:
        right = 0.0
        for _ in range(300):
            pattern = draw(rng, n=n, split="test")
            votes: defaultdict[str, int] = defaultdict(int)
            for answer in candidates(pattern):
                votes[answer] += 1
            assert pattern.answer in votes
            right += max(votes.values()) / sum(votes.values())
        best.append(right / 300)
    assert best[0] < 0.15
    assert best[-1] > 0.93
    assert all(later > earlier + 0.02 for earlier, later in pairwise(best)), best
