"""`parrot:WORDS`: a model that always says these words."""

from __future__ import annotations

from collections.abc import Mapping

from promptkit.errors import BadInput
from promptkit.types import Capabilities, Completion, Request, Usage


class Parrot:
    """Says one thing; `id`, `capabilities` and `complete()` are all a model needs."""

    def __init__(self, words: str) -> None:
        self.id = f"parrot:{words}"
        self.capabilities = Capabilities(local=True, price=(0.0, 0.0))
        self._words = words

    async def complete(self, request: Request, /) -> Completion:
        """The words."""
        usage = Usage(input_tokens=len(request.messages[-1].text.split()), output_tokens=len(self._words.split()))
        return Completion(text=self._words, model=self.id, usage=usage)


def open_parrot(name: str, options: Mapping[str, object]) -> Parrot:
    """The parrot that says `name`."""
    if not name or options:
        raise BadInput("a parrot takes words and no options", hint='-m parrot:"Answer: the second"')
    return Parrot(name)
