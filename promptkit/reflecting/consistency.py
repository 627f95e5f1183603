"""Mutual consistency: a line of reasoning counts where a second draw comes to its answer from a beginning of it.

The discriminator of rStar (arXiv:2408.06195), where it is a second model.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from promptkit.algorithms.voting.tally import even
from promptkit.events import Best, VotesCounted, emit
from promptkit.reflecting.actions import Actor, Line
from promptkit.reflecting.drafts import Reply, drafted
from promptkit.sampling import fork, rng
from promptkit.types import Outcome

COMPLETE, FORM = 1, 2  # branches of draws
MASKED = (0.2, 0.5)  # part of a line, from its end, that the second draw does not see


async def discriminated(actor: Actor, ended: Sequence[Line], masks: int, **told: Any) -> Outcome:
    """The answer with the most reward among consistent lines, or among all where none is; a tie is reported."""
    dice = rng(actor.problem, "mask")
    begun = [(line, _beginning(line, dice)) for line in ended for _ in range(masks)]
    again = await actor.completed(begun, COMPLETE, "discriminate")
    agreed = [found is not None and found.key == line.key for (line, _), found in zip(begun, again, strict=True)]
    kept = [line for i, line in enumerate(ended) if 2 * sum(agreed[i * masks : (i + 1) * masks]) > masks]
    counted = kept or ended
    rewards: dict[str, float] = {}
    for line in counted:
        rewards[line.key] = rewards.get(line.key, 0.0) + line.trust  # mean reward × frequency
    first = {line.key: line for line in reversed(counted)}
    votes = tuple((first[key].shown, n) for key, n in Counter(line.key for line in counted).most_common())
    emit(VotesCounted(votes, len(counted), len(counted), 0, 0, True))
    best = [first[key] for key, reward in rewards.items() if even(reward, max(rewards.values()))]
    detail = {"lines": len(ended), "consistent": len(kept), "failed": actor.failed, "votes": votes, **told}
    if len(best) != 1:
        return Outcome(answer=None, status="undecided", detail=detail | {"tied": [line.shown for line in best]})
    return await _formed(actor, best[0], detail | {"verified": None})


async def _formed(actor: Actor, line: Line, detail: dict[str, Any]) -> Outcome:
    """The line's answer; where an output is wanted, that output, drawn from the line."""
    outcome = Outcome(answer=line.shown, text=line.state)
    if actor.problem.output_schema is not None:
        task = (Reply("answer", {"state": line.state}), actor.problem, fork(actor.model, FORM))
        (outcome,) = await drafted([task], where="answer")
    if outcome.answer is not None:
        emit(Best(outcome.answer, text=outcome.text))
    return replace(outcome, detail=detail)


def _beginning(line: Line, dice: random.Random) -> str:
    """What is left of a line of reasoning when its end is masked."""
    written = [each for each in line.state.splitlines() if each.strip()]
    masked = max(1, round(len(written) * dice.uniform(*MASKED)))
    return "\n".join(written[:-masked])
