"""What examples are chosen by: BM25 to the digit, variety, balance, and whether two questions are nearly the same."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.algorithms.selection.balanced import balanced, interleaved
from promptkit.algorithms.selection.bm25 import BM25, K1, B
from promptkit.algorithms.selection.mmr import mmr
from promptkit.algorithms.selection.near import containment, fingerprint, jaccard, near
from promptkit.algorithms.selection.terms import terms

WORDS = st.lists(st.sampled_from("a b c d".split()), max_size=6)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The Cat's 4 # 7, no?", ["the", "cat", "s", "4", "#", "7", "no"]),
        ("1,200 + 3.5 = x", ["1", "200", "+", "3", "5", "=", "x"]),
        ("東京は?", ["東", "京", "は"]),
        ("Größe ＋ 1", ["grösse", "+", "1"]),
        ("...", []),
    ],
)
def test_terms_are_words_numbers_and_signs(text: str, found: list[str]) -> None:
    assert terms(text) == found


def test_bm25_by_hand() -> None:
    """N 2, mean length 3, k1 1.2, b 0.75: idf(a) ln 1.2, idf(c) ln 2; norms 0.9 and 1.5."""
    index = BM25([["a", "b"], ["a", "a", "b", "c"]])
    assert index.idf("a") == pytest.approx(0.18232156)
    assert index.scores(["a"]) == pytest.approx([0.21111, 0.22920], abs=1e-5)
    assert index.scores(["c"]) == pytest.approx([0.0, 0.60997], abs=1e-5)
    assert index.scores(["c", "c", "nowhere"]) == pytest.approx([0.0, 1.21994], abs=1e-5)


def naive(texts: list[list[str]], query: list[str]) -> list[float]:
    """The formula of the source, term by term."""
    mean = sum(len(text) for text in texts) / len(texts)
    found = []
    for text in texts:
        score = 0.0
        for term in query:
            n = len([each for each in texts if term in each])
            if n and (f := text.count(term)):
                idf = math.log((len(texts) - n + 0.5) / (n + 0.5) + 1)
                score += idf * f * (K1 + 1) / (f + K1 * (1 - B + B * len(text) / mean))
        found.append(score)
    return found


@settings(deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=6), WORDS)
def test_bm25_is_its_formula(texts: list[list[str]], query: list[str]) -> None:
    scores = BM25(texts).scores(query)
    assert scores == pytest.approx(naive(texts, query))
    assert all(score >= 0 for score in scores)


@settings(deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=6), WORDS, st.randoms(use_true_random=False))
def test_bm25_does_not_depend_on_order(texts: list[list[str]], query: list[str], dice: random.Random) -> None:
    by_place = BM25(texts).scores(query)
    places = dice.sample(range(len(texts)), len(texts))
    turned = BM25([texts[at] for at in places]).scores(dice.sample(query, len(query)))
    assert turned == [by_place[at] for at in places]


LIKE = [[1.0, 0.9, 0.1], [0.9, 1.0, 0.2], [0.1, 0.2, 1.0]]


@pytest.mark.parametrize(
    ("weight", "order"),
    [
        (1.0, [0, 1, 2]),  # the fit alone
        (0.5, [0, 2, 1]),  # 1 is too like 0: .5·.8 − .5·.9 < .5·.5 − .5·.1
        (0.0, [0, 2, 1]),  # unlikeness alone, the first of equals
    ],
)
def test_mmr_by_hand(weight: float, order: list[int]) -> None:
    assert mmr([0.9, 0.8, 0.5], lambda i, j: LIKE[i][j], 3, weight) == order
    assert mmr([0.9, 0.8, 0.5], lambda i, j: LIKE[i][j], 2, weight) == order[:2]


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), max_size=8), st.integers(0, 9), st.floats(0, 1))
def test_mmr_takes_each_once_and_begins_as_it_goes_on(fit: list[float], n: int, weight: float) -> None:
    def likeness(i: int, j: int) -> float:
        return 1 / (1 + abs(i - j))

    chosen = mmr(fit, likeness, n, weight)
    assert len(set(chosen)) == len(chosen) == min(n, len(fit))
    assert mmr(fit, likeness, len(fit), weight)[: len(chosen)] == chosen


@settings(deadline=None)
@given(st.lists(st.sampled_from("abc"), max_size=12), st.integers(0, 2**32))
def test_every_beginning_is_as_balanced_as_can_be(labels: list[str], seed: int) -> None:
    order = balanced(labels, random.Random(seed))
    assert sorted(order) == list(range(len(labels)))
    held = Counter(labels)
    for n in range(len(order) + 1):
        shown = Counter(labels[at] for at in order[:n])
        most = max(shown.values(), default=0)
        assert all(shown[label] >= min(most - 1, held[label]) for label in held)


def test_labels_take_turns() -> None:
    labels = list("AABBC")
    assert "".join(labels[at] for at in interleaved(labels)) == "ABCAB"


QUESTION = (
    "Josie received $50 as a gift. She plans to buy two cassette tapes that cost $9 each and a headphone set that "
    "costs $25. How much money will she have left?"
)


@pytest.mark.parametrize(
    "planted",
    [
        QUESTION,
        QUESTION.upper(),
        "  \n".join(QUESTION.split()),
        QUESTION.replace(".", ";").replace("?", " ...") + "!",
        QUESTION.replace("Josie", "Amanda"),
        QUESTION.replace("money", "cash"),
        QUESTION.replace("gift", "present").replace("plans", "wants"),
        f"Please answer the following question, and think carefully: {QUESTION} Give a number.",
        QUESTION.replace("$50", "$50.").replace("'", "’"),
    ],
)
def test_a_planted_near_duplicate_is_near(planted: str) -> None:
    assert near(QUESTION, planted)
    assert near(planted, QUESTION)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (QUESTION, QUESTION.replace("$50", "$60")),  # another number, another answer
        (QUESTION, QUESTION.replace("$9", "$25").replace("costs $25", "costs $9").replace("two", "three") + " 1"),
        ("What is 17 + 4?", "What is 17 - 4?"),
        ("What is 17 * 4?", "What is 17 / 4?"),
        (
            "What comes out when the following is computed: 12 + 7?",
            "What comes out when the following is computed: 12 - 7?",
        ),
        ("It costs 1.5 euros.", "It costs 15 euros."),
        ("red lamp", "big lamp"),
        ("b d f g", "b d g f"),
        ("4 # 7", "4 @ 7"),
        ("Is it summer in Melbourne in July?", "What is the capital of Australia?"),
        ("?", "!"),
        ("", ""),
    ],
)
def test_another_question_is_not_near(one: str, other: str) -> None:
    assert not near(one, other)
    assert not near(other, one)


def test_thousands_are_one_number() -> None:
    text = "A factory makes {} bolts a day and packs them in boxes of 50. How many boxes?"
    assert near(text.format("12,000"), text.format("12000"))
    assert not near(text.format("12,000"), text.format("12.000"))


@settings(deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_likeness_is_symmetric_and_whole_for_the_same(one: str, other: str) -> None:
    a, b = fingerprint(one), fingerprint(other)
    assert jaccard(a, b) == jaccard(b, a)
    assert 0 <= jaccard(a, b) <= containment(a, b) <= 1
    assert jaccard(a, a) == 1
    assert near(one, other) == near(other, one)
