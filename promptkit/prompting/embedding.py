"""Texts as the vectors of an embedding model: calls like any other, which the journal answers the second time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from promptkit.providers.remote.embedding import EMBEDDING, read
from promptkit.sampling import ask_all
from promptkit.types import Model, Request, message

AT_ONCE = 64  # texts in one call


async def embedded(model: Model, name: str, texts: Sequence[str], question: str) -> dict[str, tuple[float, ...]]:
    """The vector of each text, and of the question in a call of its own: the others answer the next question, too."""
    batches = [*_batches(list(dict.fromkeys(texts))), [question]]
    requests = [
        Request(messages=tuple(message("user", text) for text in batch), max_tokens=0, extra=((EMBEDDING, name),))
        for batch in batches
    ]
    came = await ask_all(model, requests, where="embed", quorum=1.0)
    return {
        text: vector
        for batch, sample in zip(batches, came, strict=True)
        if sample.completion
        for text, vector in zip(batch, read(sample.completion), strict=True)
    }


def _batches(texts: list[str]) -> Iterable[list[str]]:
    return (texts[at : at + AT_ONCE] for at in range(0, len(texts), AT_ONCE))


def calls(texts: int) -> int:
    """How many calls so many texts and a question take."""
    return -(-texts // AT_ONCE) + 1
