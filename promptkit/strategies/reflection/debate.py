"""Multi-agent debate: agents answer, read what the others answered, and answer again (arXiv:2305.14325).

An agent goes on in its own conversation: the question, what it said, what the others said. All are one model, told
apart by their draws alone. At the same number of answers a plain vote has been found as good or better.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from promptkit import prompts
from promptkit.announced import About, Forecast, forecast, reply
from promptkit.composition import Of, inner
from promptkit.events import Stopped, emit
from promptkit.exchange import put
from promptkit.lazy import Lazy
from promptkit.ranges import at_least, warm
from promptkit.reflecting.drafts import Reply, drafted, drafting, lost
from promptkit.reflecting.forecasts import largest, rising
from promptkit.reflecting.votes import Votes, voted
from promptkit.sampling import fork
from promptkit.types import Message, Model, Outcome, Problem, message


@dataclass(frozen=True, slots=True, kw_only=True)
class Debate:
    """Several agents answer, see each other's last answers, answer again; the majority of the last round counts."""

    of: Of = field(default=None, metadata={"flag": str | None})  # strategy of the first answers; default: cot
    agents: int = 3  # that debate
    rounds: int = 2  # of answers, the first one included
    temperature: float = 0.7  # of the debate, and of the first answers where no strategy is named; above 0
    reply_tokens: int | None = None  # longest reply in the debate; default: the template's

    about: ClassVar[About] = About(
        calls="agents·of + agents·(rounds − 1)",
        helps="arithmetic and questions of fact, against a single answer (arXiv:2305.14325)",
        fails="against a vote of as many answers, which is as good or better (arXiv:2310.01798): compare with sc at "
        "n = agents·rounds",
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", inner(self.of))
        at_least(2, 3, agents=self.agents)
        at_least(1, 2, rounds=self.rounds)
        warm(self.temperature, "agents' answers")

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The majority of the last round; an agent whose reply is lost stays with what it said before."""
        first, votes = drafting(self.of, self.temperature), Votes(problem, self.agents, last=self.rounds == 1)
        tasks = Lazy(range(self.agents), lambda agent: (first, problem, fork(model, agent)))
        said = await drafted(tasks, where="round-1", each=votes.cast)
        outcome, failed, heard = votes.outcome(), sum(map(lost, said)), list[list[Message]]()
        heard = [_turn(problem.text, each) for each in said]
        for number in range(2, self.rounds + 1):
            if outcome.verified:
                votes.end()
                emit(Stopped("an answer was checked and is right"))
                break
            again = [self._again(said, agent, heard[agent]) for agent in range(self.agents)]
            further = [(each, problem, fork(model, agent)) for agent, each in enumerate(again)]
            fresh = await drafted(further, where=f"round-{number}", needed=False)
            for agent, (new, asked) in enumerate(zip(fresh, again, strict=True)):
                failed += lost(new)
                heard[agent] += _turn(_put(problem, asked), new)
            said = [old if lost(new) else new for old, new in zip(said, fresh, strict=True)]
            votes = voted(problem, said, last=number == self.rounds)
            outcome = votes.outcome()
        return replace(outcome, detail={**outcome.detail, "failed": failed})

    def _again(self, said: list[Outcome], agent: int, heard: list[Message]) -> Reply:
        """The agent's next turn: what the others said last, after all it has said and heard."""
        others = [text for at, each in enumerate(said) if at != agent and (text := each.text.strip())]
        return Reply("debate", {"others": others}, self.temperature, self.reply_tokens, tuple(heard))

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes; fewer only where rules find an answer right before the last round."""
        first = forecast(drafting(self.of, self.temperature), problem).times(self.agents)
        most = first + reply(problem).times(self.agents * (self.rounds - 1))
        return rising(first, most) if prompts.pack(problem.pack).world else most

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With fewer rounds, then with fewer agents."""
        sizes = [(a, r) for a in range(2, self.agents + 1) for r in range(1, self.rounds + 1)]
        made = [replace(self, agents=a, rounds=r) for a, r in sizes]
        return largest(made.__getitem__, problem, samples, range(len(made)))


def _turn(asked: str, said: Outcome) -> list[Message]:
    """A turn of the debate as the agent remembers it; nothing of a reply that was lost or empty."""
    return [message("user", asked), message("assistant", said.text)] if said.text.strip() else []


def _put(problem: Problem, asked: Reply) -> str:
    """What the agent was asked, as text."""
    plain = replace(problem, history=(), parts=())
    return put(plain, prompts.pack(problem.pack).template(asked.template), asked.inputs).messages[-1].text
