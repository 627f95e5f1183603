"""Mixture of agents: layers of proposers, each of which sees all answers of the layer before (arXiv:2406.04692).

The paper mixes several models. A strategy here has one model, so all agents are independent draws of it: the paper's
"single-proposer" setting, which it finds behind the mixed one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar, Self

from promptkit import prompts
from promptkit.announced import About, Forecast, forecast, reply
from promptkit.composition import Of, inner
from promptkit.events import Best, Stopped, emit
from promptkit.lazy import Lazy
from promptkit.ranges import at_least, warm
from promptkit.reflecting.drafts import Reply, Task, drafted, drafting, lost
from promptkit.reflecting.forecasts import largest
from promptkit.sampling import fork
from promptkit.types import Model, Outcome, Problem, Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class MixtureOfAgents:
    """Several answers, each rewritten in the light of all, layer by layer; one aggregator writes the last."""

    of: Of = field(default=None, metadata={"flag": str | None})  # strategy of the first layer; default: cot
    layers: int = 3  # the aggregator's, the last one, included
    proposers: int = 6  # answers in each layer but the last
    temperature: float = 0.7  # of all layers; of the first one where no strategy is named for it; above 0
    reply_tokens: int | None = None  # longest reply from the second layer on; default: the template's

    about: ClassVar[About] = About(
        calls="proposers·of + proposers·(layers − 2) + 1",
        helps="open instructions judged by preference, with several different models (arXiv:2406.04692)",
        fails="with one model, as here, it is weaker than with several (arXiv:2406.04692); where answers can be "
        "counted, compare with sc at the same number of samples",
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", inner(self.of))
        at_least(2, 3, layers=self.layers, proposers=self.proposers)
        warm(self.temperature, "agents' answers")

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The aggregator's answer; an answer that rules find right on the way ends it."""
        first, failed, unread = drafting(self.of, self.temperature), 0, 0
        said: list[Outcome] = []
        for layer in range(1, self.layers + 1):
            size = self.proposers if layer < self.layers else 1
            shown = [text for each in said if (text := each.text.strip())]
            if layer > 1 and not shown:
                emit(Stopped(f"none of {len(said)} agents said anything"))
                detail = {"layers": layer - 1, "failed": failed, "unread": unread}
                return Outcome(answer=None, status="undecided", detail=detail)
            again = Reply("synthesise", {"candidates": shown}, self.temperature, self.reply_tokens)
            agent, branch = again if layer > 1 else first, fork(model, layer)
            tasks = Lazy(range(size), partial(_task, agent, problem, branch))
            said = await drafted(tasks, where=f"layer-{layer}")
            failed += sum(map(lost, said))
            unread += sum(each.answer is None and not lost(each) for each in said)
            right = next((each for each in said if each.verified), None)
            if best := right or next((each for each in said if each.answer is not None), None):
                emit(Best(best.answer, text=best.text, verified=bool(right)))
            if right and layer < self.layers:
                emit(Stopped("an answer was checked and is right"))
                said = [right]
                break
        (last,) = said
        told = {"layers": layer, "failed": failed, "unread": unread}
        return replace(last, status="done" if last.answer is not None else "undecided", detail={**last.detail, **told})

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes; fewer where an answer is checked and right, or nobody says a word, on the way."""
        first = forecast(drafting(self.of, self.temperature), problem).times(self.proposers)
        most = first + reply(problem).times(self.proposers * (self.layers - 2) + 1)
        return Forecast(first.least, None if prompts.pack(problem.pack).world else most.expected, most.most)

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With fewer proposers, then with fewer layers."""
        sizes = [(layers, n) for layers in range(2, self.layers + 1) for n in range(2, self.proposers + 1)]
        made = [replace(self, layers=layers, proposers=n) for layers, n in sizes]
        return largest(made.__getitem__, problem, samples, range(len(made)))


def _task(agent: Strategy, problem: Problem, branch: Model, draw: int) -> Task:
    return agent, problem, fork(branch, draw)
