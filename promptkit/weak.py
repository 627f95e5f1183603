"""Where a reply grows unsure of itself, by the log-probabilities of its tokens alone (arXiv:2508.15260, section 3.2).

A pure function of the tokens, so that a stream that is ended there and a whole reply that is read up to there are the
same reply, however it came in pieces.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from math import fsum, inf, isfinite

from promptkit.errors import BadInput
from promptkit.types import Completion, Token, Weak

NEVER = -9999.0  # the log-probability of what cannot be, to OpenAI as to us: JSON has no infinity


def token_confidence(top: Sequence[float]) -> float:
    """Minus the mean of a token's top log-probabilities, in nats (section 2, C_i); higher is surer."""
    if not top or not all(isfinite(logprob) for logprob in top):
        raise BadInput(
            "a token's confidence needs its top log-probabilities, all of them finite", hint="e.g. the top 20"
        )
    return -fsum(top) / len(top)


def confidence(token: Token) -> float | None:
    """How sure the model was of a token, in nats; None where nothing finite is told beside it, or it spells nothing.

    An end of text, and a part of a character, are tokens to some servers and not to others. What a form forbids comes
    with NEVER: a mean with it would outweigh the whole trace, and a token left alone by it was no choice of the model.
    """
    if not token.text:
        return None
    top = tuple(logprob for _, logprob in token.top if NEVER < logprob < inf)
    return token_confidence(top) if len(top) > 1 or len(top) == len(token.top) == 1 else None


class Trace:
    """A trace as its tokens come: `add` says whether to end it (section 3.2, online)."""

    def __init__(self, least: float, window: int) -> None:
        self._least = least
        self._recent: deque[float] = deque()
        self._window = window
        self._sum = 0.0  # kept up: a whole window would be added anew for every token
        self.lowest = inf  # of the whole groups so far

    def add(self, confidence: float) -> bool:
        """Whether the group that ends in this token is below the threshold; never before there is a whole group."""
        self._recent.append(confidence)
        self._sum += confidence
        if len(self._recent) > self._window:
            self._sum -= self._recent.popleft()
        if len(self._recent) == self._window:
            self.lowest = min(self.lowest, self._sum / self._window)
        return self.lowest < self._least


class Watch:
    """Looks at the tokens of one reply as they come: `end` is how many there are up to where it grows too weak."""

    def __init__(self, weak: Weak) -> None:
        self._trace = Trace(weak.below, weak.window)
        self._seen = 0
        self.end: int | None = None

    def look(self, tokens: Sequence[Token]) -> bool:
        """Whether the reply is to be ended; `tokens` are all of it so far."""
        while self.end is None and self._seen < len(tokens):
            sure = confidence(tokens[self._seen])
            self._seen += 1
            if sure is not None and self._trace.add(sure):
                self.end = self._seen
        return self.end is not None


def ended(completion: Completion, weak: Weak | None) -> Completion:
    """The reply as far as it may go: up to the token at which it grows too weak, or all of it.

    Its text is what the tokens up to there spell; with reasoning kept apart they spell both, and all is reasoning.
    """
    if weak is None:
        return completion
    watch = Watch(weak)
    if not watch.look(completion.logprobs):
        return completion
    kept = completion.logprobs[: watch.end]
    spelled = "".join(token.text for token in kept)
    if completion.finish == "stop" and spelled != completion.text and spelled.startswith(completion.text):
        return completion  # it had come to its end: what follows is the mark that ended it
    if completion.reasoning is not None:
        return replace(completion, text="", reasoning=spelled, calls=(), logprobs=kept, finish="weak")
    return replace(completion, text=_begun(completion.text, spelled), calls=(), logprobs=kept, finish="weak")


def _begun(text: str, spelled: str) -> str:
    """What is spelled, up to where it differs from what was written: part of a character is no text."""
    if spelled.startswith(text) or text.startswith(spelled):
        return spelled  # a stream may hold its last words back
    same = (at for at, (one, other) in enumerate(zip(text, spelled, strict=False)) if one != other)
    return spelled[: next(same)]
