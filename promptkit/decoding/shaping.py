"""How the next token is drawn: which are kept, at what temperature, and in which order the two are done."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

from promptkit.algorithms.decoding.distribution import Distribution, T
from promptkit.algorithms.decoding.temperature import heated
from promptkit.algorithms.decoding.truncation import Cut, truncated
from promptkit.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The rules in force; None is no such rule."""

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    heat_first: bool = False

    def __post_init__(self) -> None:
        check(self.temperature, self.top_k, self.top_p, self.min_p)

    @property
    def plain(self) -> bool:
        """Whether tokens are drawn as probable as they are."""
        return self.temperature == 1 and self.top_k is None and self.top_p is None and self.min_p is None

    def of(self, distribution: Distribution[T]) -> tuple[Distribution[T], dict[str, Cut]]:
        """What tokens are drawn from, and what each rule kept."""
        rules: dict[str, Any] = {"k": self.top_k, "p": self.top_p, "m": self.min_p}
        if self.heat_first:
            return truncated(heated(distribution, self.temperature), **rules)
        left, cuts = truncated(distribution, **rules)
        return heated(left, self.temperature), cuts

    def told(self) -> str:
        """The rules in the order they are applied, in words."""
        cuts = [("top-k", self.top_k), ("top-p", self.top_p), ("min-p", self.min_p)]
        words = [f"{name} {value:g}" for name, value in cuts if value is not None]
        heat = [f"temperature {self.temperature:g}"] if self.temperature != 1 else []
        return ", then ".join([*heat, *words] if self.heat_first else [*words, *heat]) or "as it is"


def check(temperature: float, top_k: int | None, top_p: float | None, min_p: float | None) -> None:
    """BadInput for rules that no distribution can be put under."""
    if not (isfinite(temperature) and temperature >= 0):
        raise BadInput(f"--temperature must be 0 or more, not {temperature:g}", hint="e.g. --temperature 0.7")
    if top_k is not None and top_k < 0:
        raise BadInput(f"--top-k must be 0 (all) or more, not {top_k}", hint="e.g. --top-k 40")
    if top_p is not None and not 0 < top_p <= 1:
        raise BadInput(f"--top-p must be above 0 and at most 1, not {top_p:g}", hint="e.g. --top-p 0.9")
    if min_p is not None and not 0 <= min_p <= 1:
        raise BadInput(f"--min-p must be between 0 and 1, not {min_p:g}", hint="e.g. --min-p 0.05")
