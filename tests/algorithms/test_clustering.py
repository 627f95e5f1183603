"""Texts as vectors, and vectors in clusters: nothing but arithmetic, the same for the same seed."""

from __future__ import annotations

import math
import random

import pytest

from promptkit.algorithms.clustering.kmeans import distance, kmeans
from promptkit.algorithms.clustering.tfidf import vectors, words
from promptkit.errors import BadInput

TRAINS = [f"A train drives {n} km at {n * 2} km per hour. How long does the train take?" for n in range(5)]
APPLES = [f"Anna has {n} apples and eats {n - 1} apples. How many apples has she left?" for n in range(5)]
SHADES = [f"Which colour do {a} and {b} give when they are mixed?" for a, b in (("red", "blue"), ("blue", "green"))]


def test_words_are_folded_and_numbers_are_one_word() -> None:
    assert words("Straße, STRASSE 12 and 7!") == ["strasse", "strasse", "0", "and", "0"]
    assert words("几个苹果") == ["几", "个", "苹", "果"]
    assert words("") == []


def test_vectors_have_length_one_and_what_shares_no_word_is_far() -> None:
    a, b, c, nothing = vectors(["red red blue", "red blue", "green", "!"])
    assert math.isclose(distance(a, {}), 1)
    assert distance(a, b) < distance(a, c) == pytest.approx(math.sqrt(2))
    assert nothing == {}


def test_what_is_alike_is_in_one_cluster() -> None:
    texts = [*TRAINS, *APPLES, *SHADES]
    for seed in range(20):
        found = kmeans(vectors(texts), 3, random.Random(seed))
        assert sorted(i for cluster in found for i in cluster.members) == list(range(len(texts)))
    assert {frozenset(cluster.members) for cluster in kmeans(vectors(texts), 3, random.Random(1))} == {
        frozenset(range(5)),
        frozenset(range(5, 10)),
        frozenset({10, 11}),
    }


def test_members_stand_nearest_first_and_clusters_in_the_order_of_the_texts() -> None:
    found = kmeans(vectors([*SHADES, *TRAINS, *APPLES]), 3, random.Random(1))
    for cluster in found:
        assert list(cluster.distances) == sorted(cluster.distances)
    assert [min(cluster.members) for cluster in found] == sorted(min(cluster.members) for cluster in found)


def test_the_same_seed_gives_the_same_clusters() -> None:
    held = vectors([*TRAINS, *APPLES, *SHADES])
    assert kmeans(held, 4, random.Random(7)) == kmeans(held, 4, random.Random(7))


def test_no_more_clusters_than_there_are_different_texts() -> None:
    assert len(kmeans(vectors(["red", "red", "blue"]), 8, random.Random(0))) == 2
    assert kmeans([], 3, random.Random(0)) == []
    with pytest.raises(BadInput):
        kmeans([{}], 0, random.Random(0))
