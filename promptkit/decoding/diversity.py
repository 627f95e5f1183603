"""How much several draws of one prompt differ: in what they say, and in how they say it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any

from promptkit.algorithms.decoding.entropy import entropy
from promptkit.algorithms.diversity.distinct import Gram, distinct, grams
from promptkit.algorithms.diversity.pairs import mean_over_pairs, overlap, same, table
from promptkit.algorithms.stats.bootstrap import interval
from promptkit.algorithms.stats.intervals import wilson

FEW = 5  # draws; fewer show nothing


@dataclass(frozen=True, slots=True)
class Drawn:
    """A draw: what was written, the answer in canonical form where one could be read, and as it is shown."""

    text: str
    key: str | None = None
    shown: str | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of the draws with its 95 % interval; None where it cannot be told."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    about: str = ""


def measured(draws: Sequence[Drawn], seed: int = 0) -> list[Measure]:
    """The measures of the draws, those of what they say first."""
    answers = [draw.key for draw in draws if draw.key is not None]
    texts = [" ".join(draw.text.split()) for draw in draws]
    bags = [Counter(grams(text, 2)) for text in texts]
    ones, twos = [grams(text, 1) for text in texts], [grams(text, 2) for text in texts]
    top = log2(len(answers)) if len(answers) > 1 else 0.0

    def spread(places: Sequence[int]) -> float | None:
        counts = Counter(answers[place] for place in places)
        return entropy(count / len(places) for count in counts.values()) if places else None

    def each(name: str, n: int, of: Callable[[Sequence[int]], float | None], about: str, most: float = 1.0) -> Measure:
        low, high = (interval(of, n, within=(0.0, most), seed=seed) if n > 1 else None) or (None, None)
        return Measure(name, of(range(n)) if n > 1 else None, low, high, about)

    equal_answers, equal_texts = table(answers, same), table(texts, same)
    shared = table(list(zip(bags, texts, strict=True)), _shared)
    n, read = len(draws), len(answers)
    return [
        each(
            "answer entropy",
            read,
            spread,
            f"bits; 0 is one answer, {top:.2f} as many as draws" if top else "bits",
            max(top, 1e-9),
        ),
        each("equal answers", read, lambda p: mean_over_pairs(equal_answers, p), "chance that two draws agree"),
        each(
            "equal texts",
            n,
            lambda p: mean_over_pairs(equal_texts, p),
            "chance that two draws are the same word for word",
        ),
        each("distinct-1", n, lambda p: distinct(ones[i] for i in p), "different words by all words"),
        each("distinct-2", n, lambda p: distinct(twos[i] for i in p), "different pairs of words by all pairs"),
        each("self-overlap", n, lambda p: mean_over_pairs(shared, p), "part of their word pairs that two draws share"),
    ]


def _shared(one: tuple[Counter[Gram], str], other: tuple[Counter[Gram], str]) -> float:
    """What two texts share of their word pairs; those of one word have none, and are equal or not."""
    return overlap(one[0], other[0]) if one[0] or other[0] else same(one[1], other[1])


def verdict(draws: Sequence[Drawn]) -> tuple[str, str]:
    """A word (`collapsed`, `agreeing`, `diverse`, `unclear`) and the sentence that says what it rests on."""
    n = len(draws)
    answers = Counter(draw.key for draw in draws if draw.key is not None)
    texts = Counter(" ".join(draw.text.split()) for draw in draws)
    if n < FEW:
        return "unclear", f"unclear: {n} draws show nothing; {FEW} are the fewest, 20 a beginning"
    same_text, low_text, high_text = _commonest(texts, n)
    if low_text > 0.5:
        return "collapsed", (
            f"collapsed: {same_text} of {n} draws are the same text word for word, and of further draws "
            f"{_percent(low_text, high_text)} would be (95 %)"
        )
    read = answers.total()
    said = answers if read >= n / 2 else texts
    what = "answer" if said is answers else "text"
    of = said.total()
    times, low, high = _commonest(said, of)
    if low > 0.5:
        return "agreeing", (
            f"agreeing: {times} of {of} draws have one answer, in {len(texts)} different texts; of further draws "
            f"{_percent(low, high)} would have it (95 %)"
        )
    told = (
        f"the commonest of {len(said)} {what}s has {times} of {of} draws, of further ones {_percent(low, high)} (95 %)"
    )
    if high < 0.5:
        return "diverse", f"diverse: {told}"
    return "unclear", f"unclear: {told}; more draws would tell"


def _commonest(counts: Counter[Any], n: int) -> tuple[int, float, float]:
    times = counts.most_common(1)[0][1] if counts else 0
    return (times, *wilson(times, n))


def _percent(low: float, high: float) -> str:
    return f"{100 * low:.0f} to {100 * high:.0f} %"
