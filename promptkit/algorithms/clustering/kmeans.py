"""k-means over sparse vectors (Lloyd 1982, seeded as in k-means++, Arthur and Vassilvitskii 2007)."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from promptkit.algorithms.clustering.tfidf import Vector
from promptkit.errors import BadInput

ROUNDS = 100  # at most; it ends when nothing moves


@dataclass(frozen=True, slots=True)
class Cluster:
    """Vectors that lie together, by their numbers, the one nearest to the centre first."""

    members: tuple[int, ...]
    distances: tuple[float, ...]  # of each member to the centre


def kmeans(vectors: Sequence[Vector], k: int, rng: random.Random) -> list[Cluster]:
    """The clusters, at most k and none of them empty, in the order of their first members; BadInput for k below 1."""
    if k < 1:
        raise BadInput(f"{k} clusters cannot be made", hint="at least 1")
    if not vectors:
        return []
    centres = _seeds(vectors, k, rng)
    at: list[int] = []
    for _ in range(ROUNDS):
        moved = [_nearest(vector, centres) for vector in vectors]
        if moved == at:
            break
        at = moved
        groups = [[v for v, own in zip(vectors, at, strict=True) if own == c] for c in range(len(centres))]
        centres = [_mean(group) if group else centre for group, centre in zip(groups, centres, strict=True)]
    found = []
    for c, centre in enumerate(centres):
        near = sorted((distance(v, centre), i) for i, v in enumerate(vectors) if at[i] == c)
        if near:
            found.append(Cluster(tuple(i for _, i in near), tuple(d for d, _ in near)))
    return sorted(found, key=lambda cluster: min(cluster.members))


def distance(a: Vector, b: Vector) -> float:
    """The Euclidean distance."""
    return math.sqrt(math.fsum((a.get(word, 0.0) - b.get(word, 0.0)) ** 2 for word in sorted(a.keys() | b.keys())))


def _seeds(vectors: Sequence[Vector], k: int, rng: random.Random) -> list[Vector]:
    """Centres to begin with, each drawn in proportion to its squared distance from those there are."""
    centres = [vectors[rng.randrange(len(vectors))]]
    while len(centres) < k:
        far = [min(distance(vector, centre) for centre in centres) ** 2 for vector in vectors]
        if not math.fsum(far):
            break  # there are no more than so many different ones
        centres.append(vectors[rng.choices(range(len(vectors)), weights=far)[0]])
    return centres


def _nearest(vector: Vector, centres: Sequence[Vector]) -> int:
    return min(range(len(centres)), key=lambda c: (distance(vector, centres[c]), c))


def _mean(group: Sequence[Vector]) -> Vector:
    known = sorted({word for vector in group for word in vector})
    return {word: math.fsum(vector.get(word, 0.0) for vector in group) / len(group) for word in known}
