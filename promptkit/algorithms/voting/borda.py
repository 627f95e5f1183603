"""The Borda count (de Borda 1781) for judges that rank: ties within a ballot and partial rankings included."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf
from typing import ClassVar, Literal

from promptkit.algorithms.voting.ballot import Ballot, Need
from promptkit.algorithms.voting.tally import Tally


@dataclass(frozen=True, slots=True)
class Borda:
    """Of m candidates the first gets m - 1 points, the last 0; tied ones get the mean of their places.

    Candidates a ballot leaves out share the places left ("average"), so that each ballot gives m(m-1)/2 points, or get
    none ("zero").
    """

    needs: ClassVar[Need] = "ranking"

    candidates: tuple[str, ...] = ()  # who can be ranked; empty: whoever is
    unranked: Literal["average", "zero"] = "average"

    def count(self, ballots: Sequence[Ballot], /) -> Tally:
        """The candidates by points; `counts` are ballots that put one alone in front, the others are set aside.

        A ranking that names a candidate twice says two things at once: it is unread, as is an empty one, and one that
        names somebody who is no candidate.
        """
        came = [ballot for ballot in ballots if not ballot.failed and not ballot.cut]
        rankings = [ranking for ballot in came if (ranking := self._read(ballot))]
        everyone = dict.fromkeys([*self.candidates, *(name for r in rankings for group in r for name in group)])
        points = dict.fromkeys(everyone, Fraction(0))
        for ranking in rankings:
            for name, earned in self._points(ranking, list(everyone)).items():
                points[name] += earned
        first = Counter(ranking[0][0] for ranking in rankings if len(ranking[0]) == 1)
        standing = sorted(((name, float(total)) for name, total in points.items()), key=lambda pair: -pair[1])
        failed = sum(ballot.failed for ballot in ballots)
        return Tally(
            tuple(first.most_common()),
            unread=len(came) - len(rankings),
            failed=failed,
            aside=len(ballots) - len(came) - failed + len(rankings) - first.total(),
            weights=tuple(standing) if rankings else (),
            heaviest=inf if not self.candidates else float(max(1, len(everyone) - 1)),
        )

    def _read(self, ballot: Ballot) -> tuple[tuple[str, ...], ...]:
        groups = tuple(group for group in ballot.ranking if group)
        names = [name for group in groups for name in group]
        known = not self.candidates or set(names) <= set(self.candidates)
        return groups if known and len(names) == len(set(names)) else ()

    def _points(self, ranking: tuple[tuple[str, ...], ...], everyone: Sequence[str]) -> dict[str, Fraction]:
        named = {name for group in ranking for name in group}
        missing = tuple(name for name in everyone if name not in named)
        earned: dict[str, Fraction] = {}
        best = len(everyone) - 1  # the points of the next place
        for group in (*ranking, *([missing] if missing else [])):
            mean = Fraction(2 * best - len(group) + 1, 2)
            earned |= dict.fromkeys(group, mean)
            best -= len(group)
        return earned | (dict.fromkeys(missing, Fraction(0)) if self.unranked == "zero" else {})


def ballot_of(ranking: Sequence[str]) -> Ballot:
    """A ballot that ranks without ties, best first."""
    return replace(Ballot(), ranking=tuple((name,) for name in ranking))
