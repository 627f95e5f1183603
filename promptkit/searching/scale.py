"""What verdicts are worth: as the template says, or from 0 for its worst word to 1 for its best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from promptkit.errors import BadPrompt
from promptkit.prompts import Prompt


@dataclass(frozen=True, slots=True)
class Scale:
    """The words a judge may end in, with their scores; a verdict that cannot be read is worth 0."""

    scores: Mapping[str, float]
    unit: bool

    @classmethod
    def of(cls, template: Prompt, *, unit: bool) -> Scale:
        """The scale of a template; BadPrompt when it has none."""
        if not template.scores:
            raise BadPrompt(
                f"{template.path}:1: `scores` must give each verdict a number", hint="scores: {yes: 1, no: 0}"
            )
        return cls(template.scores, unit)

    @property
    def words(self) -> tuple[str, ...]:
        """The words."""
        return tuple(self.scores)

    def worth(self, word: str | None) -> float:
        """Of one verdict."""
        if word is None:
            return 0
        if not self.unit:
            return self.scores[word]
        low, high = min(self.scores.values()), max(self.scores.values())
        return (self.scores[word] - low) / (high - low) if high > low else 1.0

    def worst(self, n: int) -> float:
        """What n verdicts of the worst word come to."""
        low = min(map(self.worth, self.scores))
        return low if self.unit else sum([low] * n)
