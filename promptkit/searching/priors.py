"""How likely the generator finds each of its thoughts: what Levin search, PUCT and RAP go by.

The probability of a thought is that of its tokens, made to add up to 1 with its siblings', so that thoughts can be
compared that nobody would have written twice. A model without log-probabilities is asked how often instead: of k
samples that came, the part that said it. A list says every thought once, so its thoughts are equally likely. What is
sampled again word for word is no likelier for that where its probability is known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from promptkit.algorithms.search.nodes import Thought
from promptkit.types import Completion

WANTED = "the log-probabilities of proposals"
OFTEN = "how often a thought was sampled"
EQUAL = "equal shares of the thoughts in a list"


def log_probabilities(completion: Completion, thoughts: Sequence[str]) -> list[float | None]:
    """Of each of the thoughts, which stand in the reply in this order; None where the model did not say."""
    text = "".join(token.text for token in completion.logprobs)
    at = text.rfind(completion.text.strip())  # what a model thinks before it replies may say the same
    if at < 0:
        return [None] * len(thoughts)
    found: list[float | None] = []
    for thought in thoughts:
        begin = text.find(thought, at)  # behind the one before: a short line may be a part of an earlier one
        at = begin + len(thought) if begin >= 0 else at
        found.append(_between(completion, begin, at) if begin >= 0 and thought else None)
    return found


def _between(completion: Completion, begin: int, end: int) -> float:
    """The logs of the tokens that have a part there, added up."""
    total, at = 0.0, 0
    for token in completion.logprobs:
        if at < end and at + len(token.text) > begin:
            total += token.logprob
        at += len(token.text)
    return total


def shared(thoughts: Sequence[Thought], weights: Sequence[float | None]) -> list[Thought]:
    """The siblings with their priors, 1 in all; of equal ones the first has the share of all. A weight is a log."""
    if not thoughts:
        return []
    known = [weight for weight in weights if weight is not None]
    top = max(known, default=0.0)
    if not known or len(known) < len(weights) or not math.isfinite(top):
        weights, top = [0.0] * len(thoughts), 0.0
    shares: dict[str, float] = {}
    for thought, weight in zip(thoughts, weights, strict=True):
        shares[thought.key] = shares.get(thought.key, 0.0) + math.exp((weight or 0.0) - top)
    total = sum(shares.values())
    return [replace(thought, prior=shares.pop(thought.key, 0.0) / total) for thought in thoughts]
