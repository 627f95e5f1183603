"""promptkit as one more peer of a client-overhead kit: its adapter file, with the journal on, in a file.

Copied into the kit's peers/, it is named in peers.json by
{"venv": "promptkit", "module": "kit_peer", "import": "promptkit", "dists": ["promptkit", "openai"]}.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promptkit as pk
from promptkit.errors import PromptkitError
from promptkit.journal import Journal
from promptkit.sampling import ask_all
from promptkit.types import Model, Outcome, Problem, Request, message


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Every prompt once, a failed one as null."""

    prompts: list[str]

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The replies as a JSON list, errors as objects."""
        requests = [Request(messages=(message("user", prompt),)) for prompt in self.prompts]
        samples = await ask_all(model, requests, where="asked", quorum=None, losing=PromptkitError)
        return Outcome(
            answer=json.dumps([got.text if got.completion else {"error": str(got.error)} for got in samples])
        )


@dataclass(frozen=True, slots=True)
class Client:
    """What the kit hands back for every batch."""

    journal: Journal
    how: dict[str, Any]


async def open_client(env: Any) -> Client:
    """A journal in the kit's folder; `env` is the kit's."""
    journal = pk.open_journal(Path(env.workdir) / "journal.db")
    options = {"base_url": env.base_url}
    how = {"model": f"openai:{env.model}", "model_options": options, "concurrency": env.concurrency}
    return Client(journal, how)


async def call_many(client: Client, prompts: Sequence[str], env: Any) -> list[Any]:
    """The reply to each prompt, or the kit's own mark of a failure."""
    outcome = await pk.arun(Asked(prompts=list(prompts)), "kit", journal=client.journal, **client.how)
    said = json.loads(outcome.answer or "[]")
    return [each if isinstance(each, str) else env.failed(RuntimeError(each["error"])) for each in said]


async def close(client: Client) -> None:
    """Commit and close."""
    client.journal.close()
