"""What a model that was trained for a few packs can be asked, said before it is asked anything."""

from __future__ import annotations

from promptkit import registry
from promptkit.errors import BadInput
from promptkit.events import PromptUsed, Record, Warned, emit
from promptkit.types import Outcome, Problem, Provider

REAL_MODELS = """a real model answers any question; get one of these, then name it with -m:
  ollama pull qwen3:8b        then  -m ollama:qwen3:8b
  export GROQ_API_KEY=…       then  -m groq:llama-3.3-70b-versatile
  export OPENAI_API_KEY=…     then  -m openai:gpt-4.1-mini
  any GGUF file you have      then  -m llamacpp:path/to/model.gguf"""


def decline(problem: Problem, provider: Provider) -> Outcome | None:
    """An undecided outcome when the model was not made for the pack; nothing is asked of it.

    In a pack it was made for, a question of another kind is asked all the same, after a warning.
    """
    packs = provider.capabilities.packs
    if packs is None:
        return None
    if problem.pack in packs:
        if problem.pack == "words" and (fault := _not_arithmetic(problem.text)):
            noise = f"{provider.id} was trained on arithmetic word problems only, and {fault}: expect noise"
            emit(Warned(noise, REAL_MODELS))
        return None
    known = ", ".join(f"-P {pack}" for pack in packs)
    reason = f"{provider.id} is a tiny model that only knows {known}; it would answer this with noise"
    fitting = _fitting(problem.text)
    if problem.pack == "general" and fitting in packs:
        reason = (
            f"{provider.id} is a tiny model that reads such a question as one of the pack {fitting}: add -P {fitting}"
        )
        emit(Warned(reason))
    else:
        emit(Warned(reason, REAL_MODELS))
    return Outcome(answer=None, status="undecided", detail={"reason": reason})


class Foreign:
    """The sink that says once when a model made for a few packs is put a template that none of them has."""

    deltas = False

    def __init__(self, provider: Provider) -> None:
        self._provider, self._told = provider, False

    def __call__(self, record: Record) -> None:
        used, packs = record.event, self._provider.capabilities.packs
        if isinstance(used, PromptUsed) and used.lacking in (packs or ()) and not self._told:
            self._told = True
            own = f"its own prompts, which cot, sc and tot ask in: promptkit prompts list -P {used.lacking}"
            said = f"{self._provider.id} was not trained on the prompt {used.id}: expect noise"
            emit(Warned(said, f"{own}\na real model takes any prompt: -m ollama:qwen3:8b"))


def _fitting(question: str) -> str | None:
    """The pack that a question was meant for, if that can be told from its text."""
    try:
        registry.load("world", "game24")().start(question)
        return "game24"
    except BadInput:
        return None if _not_arithmetic(question) else "words"


def _not_arithmetic(question: str) -> str | None:
    from promptkit.worlds.words.domain import fault  # loaded for the tiny model alone

    return fault(question)
