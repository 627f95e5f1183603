"""What is trained on, in which shares of the tokens."""

from __future__ import annotations

import random
from collections.abc import Callable

from training import game24, patterns, words
from training.lesson import Lesson

SHARES: dict[str, tuple[float, Callable[[random.Random], Lesson]]] = {
    "game24/direct": (0.03, game24.direct),
    "game24/cot": (0.07, game24.cot),
    "game24/propose": (0.27, game24.propose),
    "game24/value": (0.1, game24.value),
    "game24/vote": (0.015, game24.vote),
    "game24/critique": (0.03, game24.critique),
    "game24/refine": (0.04, game24.refine),
    "game24/few-shot": (0.02, game24.few_shot),
    "words/direct": (0.015, words.direct),
    "words/cot": (0.08, words.cot),
    "words/few-shot": (0.09, words.few_shot),
    "words/sample": (0.02, words.sample),
    "words/value": (0.015, words.value),
    "words/answer": (0.005, words.answer),
    "words/judge": (0.05, words.judge),
    "words/choose": (0.03, words.choose),
    "words/critique": (0.015, words.critique),
    "words/refine": (0.015, words.refine),
    "patterns": (0.2, patterns.pattern),
}
