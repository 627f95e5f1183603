"""Okapi BM25: how well texts fit a query, rare terms weighing more and long texts less.

The formula is that of Robertson and Zaragoza (2009, The Probabilistic Relevance Framework: BM25 and Beyond, §3.4) with
the ln(1 + …) of Lucene for the weight of a term, which is never negative; k1 and b are the usual ones (Manning,
Raghavan and Schütze 2008, Introduction to Information Retrieval, §11.4.3).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

K1 = 1.2  # how soon another occurrence of a term adds nothing: 1.2 to 2 are usual
B = 0.75  # how much a long text is discounted: 0 not at all, 1 in proportion


class BM25:
    """Texts, each a list of terms, that queries are scored against."""

    def __init__(self, texts: Sequence[Sequence[str]], *, k1: float = K1, b: float = B) -> None:
        self._counts = [Counter(text) for text in texts]
        self._k1 = k1
        mean = math.fsum(map(len, texts)) / len(texts) if texts else 0.0
        self._norms = [k1 * (1 - b + b * (len(text) / mean if mean else 0.0)) for text in texts]
        having = Counter(term for counts in self._counts for term in counts)
        self._idf = {term: math.log(1 + (len(texts) - n + 0.5) / (n + 0.5)) for term, n in having.items()}

    def idf(self, term: str) -> float:
        """ln(1 + (N − n + ½) / (n + ½)) for a term that n of N texts have; 0 for one that none has."""
        return self._idf.get(term, 0.0)

    def scores(self, query: Sequence[str]) -> list[float]:
        """For each text Σ idf · f·(k1 + 1) / (f + k1·(1 − b + b·length / mean)), a term as often as it is asked."""
        asked = sorted(Counter(term for term in query if term in self._idf).items())
        return [
            math.fsum(
                times * self._idf[term] * found * (self._k1 + 1) / (found + norm)
                for term, times in asked
                if (found := counts.get(term, 0))
            )
            for counts, norm in zip(self._counts, self._norms, strict=True)
        ]
