"""Free texts by a template, in one round: what is read for no answer, but put into further prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from promptkit import prompts
from promptkit.exchange import put
from promptkit.sampling import ask_all
from promptkit.types import Completion, Model, Problem


async def texts(
    problem: Problem, model: Model, template: str, inputs: Sequence[Mapping[str, Any]], *, where: str, **decoding: Any
) -> list[Completion | None]:
    """A completion for each of the inputs, None where the call was lost; the first error is raised if all were."""
    known = prompts.pack(problem.pack).template(template)
    requests = [put(problem, known, dict(each), **decoding).at(index) for index, each in enumerate(inputs)]
    return [got.completion for got in await ask_all(model, requests, where=where)] if requests else []
