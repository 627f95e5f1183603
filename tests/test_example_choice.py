"""Which examples are chosen for a question, in which order, and how many."""

from __future__ import annotations

import operator
import random
from collections import Counter
from functools import partial
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit import examples
from promptkit.errors import BadInput
from promptkit.examples import Example, Order, Policy

HELD = [
    Example(question=question, answer=answer, origin=f"shots:{line}")
    for line, (question, answer) in enumerate(
        [
            ("How many legs has a spider?", "8"),
            ("Which city is the capital of France?", "Paris"),
            ("Which city is the capital of Spain?", "Madrid"),
            ("How many legs has an ant?", "6"),
            ("Which river flows through Paris?", "Seine"),
            ("How many wheels has a tricycle?", "3"),
        ],
        start=1,
    )
]
QUESTION = "Which city is the capital of Portugal?"
POLICIES = get_args(Policy)


def dice(seed: int = 0) -> random.Random:
    return random.Random(seed)


def questions(chosen: list[Example]) -> list[str]:
    return [each.question for each in chosen]


@pytest.mark.parametrize("policy", ["similar", "knn"])
def test_the_likest_come_first(policy: Policy) -> None:
    shown, _ = examples.chosen(policy, HELD, QUESTION, 3, dice=dice)
    assert sorted(questions(shown[:2])) == [HELD[1].question, HELD[2].question]
    assert shown[2] == HELD[4]  # "which"


def test_variety_passes_over_the_second_of_a_kind() -> None:
    alike = [*HELD[1:3], *HELD[4:]]
    near, _ = examples.chosen("diverse", alike, QUESTION, 2, dice=dice, weight=1.0)
    varied, _ = examples.chosen("diverse", alike, QUESTION, 2, dice=dice, weight=0.3)
    assert sorted(questions(near)) == [HELD[1].question, HELD[2].question]
    assert len({*questions(varied)} & {HELD[1].question, HELD[2].question}) == 1


def test_embeddings_stand_in_for_words() -> None:
    vectors = {each.question: (0.0, 1.0) for each in HELD} | {HELD[5].question: (1.0, 0.1), QUESTION: (1.0, 0.0)}
    for policy in ("similar", "knn", "diverse"):
        shown, _ = examples.chosen(policy, HELD, QUESTION, 1, dice=dice, embedded=vectors)
        assert shown == [HELD[5]]


def test_chance_is_the_generators_and_every_question_may_come_up() -> None:
    def once() -> list[list[Example]]:
        return [examples.chosen("random", HELD, QUESTION, 2, dice=partial(dice, seed))[0] for seed in range(60)]

    drawn = once()
    assert drawn == once()
    assert {each.question for shown in drawn for each in shown} == {each.question for each in HELD}


def test_labels_are_balanced_and_default_to_the_answers() -> None:
    yes = [Example(question=f"Is {n} even?", answer="yes") for n in (2, 4, 6, 8, 10)]
    no = [Example(question=f"Is {n} even?", answer=answer) for n, answer in ((1, "no"), (3, "No."))]
    shown, _ = examples.chosen("balanced", [*yes, *no], "Is 5 even?", 4, dice=dice)
    assert Counter(each.kind for each in shown) == {"yes": 2, "no": 2}
    labelled = [Example(question=str(n), answer=str(n), label="odd" if n % 2 else "even") for n in (1, 3, 5, 7, 2, 4)]
    shown, _ = examples.chosen("balanced", labelled, "9", 4, dice=dice)
    assert Counter(each.label for each in shown) == {"odd": 2, "even": 2}


def test_nothing_to_balance_is_an_error() -> None:
    with pytest.raises(BadInput, match=r"^shots:1: no label, and no two of the 6 answers") as refused:
        examples.narrowed("balanced", HELD, QUESTION, 9)
    assert "--select random" in refused.value.hint


def test_a_leak_that_had_the_only_label_twice_leaves_something_to_balance() -> None:
    held = [*HELD[:4], Example(question="How many legs has a bee?", answer="6", origin="shots:7")]
    for leak in held:
        shown, _ = examples.chosen("balanced", held, QUESTION, 4, dice=dice, leak=partial(operator.is_, leak))
        assert len(shown) == 4


@pytest.mark.parametrize("policy", [each for each in POLICIES if each != "balanced"])
def test_a_leak_gives_way_and_the_others_stay(policy: Policy) -> None:
    leaking = {id(HELD[1]), id(HELD[0])}
    shown, out = examples.chosen(policy, HELD, QUESTION, 4, dice=dice, leak=lambda each: id(each) in leaking)
    clean, _ = examples.chosen(policy, [e for e in HELD if id(e) not in leaking], QUESTION, 4, dice=dice)
    assert len(shown) == 4
    assert not leaking & {id(each) for each in shown}
    assert all(id(each) in leaking for each in out)
    assert policy == "random" or shown == clean


@settings(deadline=None)
@given(st.sampled_from(POLICIES), st.integers(0, 9), st.integers(0, 5))
def test_each_at_most_once_and_as_many_as_there_are(policy: Policy, n: int, seed: int) -> None:
    held = [Example(question=each.question, answer=each.answer, label="abc"[i % 3]) for i, each in enumerate(HELD)]
    shown, out = examples.chosen(policy, held, QUESTION, n, dice=lambda: dice(seed))
    assert len({id(each) for each in shown}) == len(shown) == min(n, len(held))
    assert out == []


@pytest.mark.parametrize("policy", ["random", "similar", "diverse", "knn", "fixed"])
def test_a_large_store_is_narrowed_to_what_the_question_wants(policy: Policy) -> None:
    many = [Example(question=f"How many legs have {n} spiders?", answer=str(8 * n)) for n in range(500)]
    many[300] = Example(question="Which city is the capital of Peru?", answer="Lima")
    kept = examples.narrowed(policy, many, QUESTION, 20)
    assert len(kept) == 20
    assert kept == examples.narrowed(policy, many, QUESTION, 20)
    places = [many.index(each) for each in kept]
    assert places == sorted(places)
    assert (many[300] in kept) == (policy in examples.LIKENESS)
    assert policy != "fixed" or places == list(range(20))
    assert policy != "random" or kept != examples.narrowed(policy, many, "Another?", 20)
    assert examples.narrowed(policy, many[:20], QUESTION, 20) == tuple(many[:20])


@pytest.mark.parametrize(
    ("order", "places"),
    [
        ("file", [1, 2, 3, 4]),
        ("similar-first", [2, 1, 4, 3]),
        ("similar-last", [3, 4, 1, 2]),
    ],
)
def test_orders(order: Order, places: list[int]) -> None:
    wanted = [HELD[at] for at in (2, 1, 4, 3)]
    shown = examples.ordered(order, "similar", wanted, HELD, QUESTION, dice())
    assert [HELD.index(each) for each in shown] == places


def test_likeness_orders_what_was_chosen_otherwise() -> None:
    shown = examples.ordered("similar-last", "fixed", HELD[:4], HELD, QUESTION, dice())
    assert {each.answer for each in shown[-2:]} == {"Paris", "Madrid"}


@pytest.mark.parametrize("order", get_args(Order))
def test_an_order_is_the_same_the_second_time_also_of_what_is_equally_like(order: Order) -> None:
    held = [Example(question=letter * 2, answer=letter) for letter in "abcdefgh"]
    once, again, other = (examples.ordered(order, "fixed", held, held, "zz?", dice(seed)) for seed in (1, 1, 2))
    assert once == again
    assert (once != other) == (order.startswith("similar") or order == "random")


def test_a_random_order_is_the_generators_and_labels_take_turns() -> None:
    assert examples.ordered("random", "fixed", HELD, HELD, QUESTION, dice(1)) == dice(1).sample(HELD, len(HELD))
    held = [Example(question=str(n), answer="yes" if n < 4 else "no") for n in range(6)]
    shown = examples.ordered("balanced-interleaved", "balanced", held[::-1], held, QUESTION, dice())
    assert [each.answer for each in shown] == ["yes", "no", "yes", "no", "yes", "yes"]


def test_as_many_as_there_is_room_for_the_most_wanted_first() -> None:
    sizes = dict(zip("abcd", (5, 7, 4, 1), strict=True))
    held = [Example(question=name, answer="x") for name in sizes]
    fit = examples.fitting(held, lambda each: sizes[each.question], 10)
    assert [each.question for each in fit] == ["a", "c", "d"]
    assert examples.fitting(held, lambda each: sizes[each.question], 0) == []
    assert (examples.estimated("abcd"), examples.estimated("abcde"), examples.estimated("東京")) == (1, 2, 2)


def test_the_guard_knows_the_question_its_likes_and_a_worlds_word() -> None:
    question = "A train with 12 cars carries 40 people in each car. How many people is that?"
    twin = Example(question="A tram with 12 cars carries 40 people in each car. How many people is that?", answer="480")
    other = Example(question=question.replace("40", "45"), answer="540", origin="shots:2")
    leak = examples.guard(question, None, "leave-out")
    assert (leak(twin), leak(other)) == (True, False)
    assert examples.asks(twin, question) == "asks nearly the question"
    keyed = examples.guard("3 4", lambda text: " ".join(sorted(text.split())), "leave-out")
    assert keyed(Example(question="4 3", answer="x"))
    assert not keyed(Example(question="4 4", answer="x"))
    with pytest.raises(BadInput, match="asks nearly the question: what is measured with it counts for nothing"):
        examples.guard(question, None, "refuse")(twin)
    assert not examples.guard(question, None, "refuse")(other)


def test_labels_come_from_every_kind_of_file(tmp_path: Path) -> None:
    folder = tmp_path
    (folder / "e.csv").write_text("question,answer,label\nOne?,1,odd\n")
    (folder / "e.jsonl").write_text('{"question": "One?", "answer": 1, "label": "odd"}\n')
    (folder / "e.yaml").write_text("- {question: One, answer: 1, label: odd}\n")
    assert [examples.read(folder / f"e.{kind}")[0].label for kind in ("csv", "jsonl", "yaml")] == ["odd"] * 3
