"""Votes on meanings: answers that say the same are one answer, whatever their words (arXiv:2302.09664, section 3.2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from promptkit.algorithms.voting.ballot import Ballot, Majority, Need, VoteRule, speaks
from promptkit.algorithms.voting.tally import Tally

Same = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A vote among clusters: `same` tells whether two answers mean the same, `of` counts.

    A cluster goes by its most frequent wording; among equals the shortest, then the first by alphabet.
    """

    same: Same
    of: VoteRule = field(default_factory=Majority)

    @property
    def needs(self) -> Need:
        """What the vote among clusters reads."""
        return self.of.needs

    def count(self, ballots: Sequence[Ballot], /) -> Tally:
        """The tally of the clusters, each under its wording."""
        words = Counter(b.answer for b in ballots if b.answer is not None and speaks(b))
        names = named(clusters(list(words), self.same), words)
        return self.of.count([b if b.answer is None else replace(b, answer=names.get(b.answer)) for b in ballots])


def named(groups: Iterable[Sequence[str]], heads: Counter[str]) -> dict[str, str]:
    """Each wording with the one that stands for its group."""
    return {word: min(group, key=lambda w: (-heads[w], len(w), w)) for group in groups for word in group}


def clusters(wordings: Sequence[str], same: Same) -> tuple[tuple[str, ...], ...]:
    """The wordings in groups: together are two of which both directions of `same` hold, and whom chains of such link.

    Every pair is asked about, so the order in which the wordings come changes no group.
    """
    distinct = list(dict.fromkeys(wordings))
    pairs = ((a, b) for at, a in enumerate(distinct) for b in distinct[at + 1 :])
    return closure(distinct, (pair for pair in pairs if same(*pair) and same(*reversed(pair))))


def closure(wordings: Sequence[str], equal: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """The transitive closure of pairs that are equal; groups and their members in the order of the wordings."""
    root = {word: word for word in wordings}

    def top(word: str) -> str:
        while root[word] != word:
            root[word] = word = root[root[word]]
        return word

    for a, b in equal:
        root[top(b)] = top(a)
    groups: dict[str, list[str]] = {}
    for word in root:
        groups.setdefault(top(word), []).append(word)
    return tuple(tuple(group) for group in groups.values())
