"""What may follow a text, asked of a model: one call for one token, with as many alternatives as it tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

from promptkit.algorithms.decoding.distribution import Distribution, ordered
from promptkit.errors import BadReply, CapabilityMissing
from promptkit.events import Warned, emit
from promptkit.sampling import ask_all
from promptkit.types import Completion, Model, Request, message

ROUNDING = 1e-3  # of thousands of probabilities added up
IN_A_REPLY = 20  # most alternatives of a reply's token that the APIs tell
TELLING = (
    "models that do: -m builtin, -m llamacpp:path/to/model.gguf, -m ollama:NAME; openai: and many compatible servers"
    " for the first token of a reply (promptkit next --chat)"
)
GOING_ON = (
    "models that do: -m builtin, -m llamacpp:path/to/model.gguf, -m ollama:NAME, "
    "-m openai-compatible:NAME -o raw=true -o logprobs=true\n"
    'the first token of its reply: promptkit next --chat "…"'
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A token that may come: its text, and its number where the model tells. One without any text ends the text."""

    text: str
    id: int | None = None

    @property
    def ends(self) -> bool:
        """Whether nothing comes after it: the text ends, or it is part of a character that no number names."""
        return self.text == "" or (self.id is None and any("\udc80" <= char <= "\udcff" for char in self.text))


Path = tuple[Choice, ...]


def spelled(path: Path) -> str:
    """The text of the tokens; bytes that make no character stand as the replacement character."""
    joined = "".join(choice.text for choice in path)
    return joined.encode("utf-8", "surrogateescape").decode("utf-8", "replace") if not joined.isascii() else joined


def refuse_untold(model: Model, *, chat: bool = False) -> None:
    """CapabilityMissing when the model tells no probabilities, or goes on with no bare text."""
    has = model.capabilities
    if not has.logprobs:
        raise CapabilityMissing(f"{model.id} does not tell log-probabilities", hint=TELLING)
    if not chat and not has.raw:
        raise CapabilityMissing(f"{model.id} cannot go on with a bare text: it takes messages only", hint=GOING_ON)


def warn_of_packs(model: Model, text: str) -> None:
    """Say that a model which was made for some packs only is looked at all the same, at a text of none of them."""
    if model.capabilities.packs is not None and not _arithmetic(text):
        emit(Warned(f"{model.id} knows arithmetic only: what it expects of any other text means little"))


def _arithmetic(text: str) -> bool:
    """Whether the text is, or begins, what such a model was trained on: numbers, or a word problem."""
    from promptkit.worlds.words.domain import begins  # loaded for the tiny model alone

    return begins(text)


async def following(model: Model, text: str, paths: Sequence[Path], *, where: str) -> dict[Path, Distribution[Choice]]:
    """What may come after the text and each path; one round of calls, a path asked for twice is one."""
    wanted = list(dict.fromkeys(paths))
    samples = await ask_all(model, [bare(model, text, path) for path in wanted], where=where, quorum=1.0)
    return {
        path: distribution(each.completion, each.request.logprobs)
        for path, each in zip(wanted, samples, strict=True)
        if each.completion
    }


def bare(model: Model, text: str, path: Path = ()) -> Request:
    """The request for the token after the text and the path: by their numbers where the model has told them."""
    ids = tuple(choice.id for choice in path if choice.id is not None)
    numbered = len(ids) == len(path)
    said = text if numbered else text + spelled(path)
    return Request(
        messages=(message("user", said),),
        temperature=0.0,
        max_tokens=1,
        logprobs=model.capabilities.alternatives,
        raw=ids if numbered else (),
    )


def opening(model: Model, text: str) -> Request:
    """The request for the first token of a reply to the text."""
    most = min(IN_A_REPLY, model.capabilities.alternatives)
    return Request(messages=(message("user", text),), temperature=0.0, max_tokens=1, logprobs=most)


def distribution(completion: Completion, asked: int) -> Distribution[Choice]:
    """What a completion tells of its first token, of which `asked` were wanted; BadReply when that is nothing."""
    token = next(iter(completion.logprobs), None)
    if token is None:
        why = "it thought before it wrote" if completion.reasoning else "its reply came without them"
        raise BadReply(f"{completion.model} told no log-probabilities: {why}", hint=TELLING)
    top = token.top or ((token.text, token.logprob),)
    ids: Sequence[int | None] = token.ids or [None] * len(top)
    chances = [(Choice(each, id), exp(logprob)) for (each, logprob), id in zip(top, ids, strict=True)]
    if token.top and not token.ids and token.text not in {text for text, _ in top}:
        chances.append((Choice(token.text), exp(token.logprob)))  # what was drawn is told beside the likeliest
    try:
        known = ordered(_apart(chances))
    except ValueError as error:
        raise BadReply(f"{completion.model} told no distribution: {error}", hint=TELLING) from error
    # Fewer than were asked for are all there are: what is missing to 1 is rounding in single precision.
    return Distribution(known.tokens) if len(top) < asked and known.rest < ROUNDING else known


def _apart(chances: Sequence[tuple[Choice, float]]) -> list[tuple[Choice, float]]:
    """Tokens that look the same as one: without numbers nobody can ask what follows either of them."""
    found: dict[Choice, float] = {}
    for choice, p in chances:
        found[choice] = found.get(choice, 0.0) + p
    return list(found.items())
