"""rStar: Monte-Carlo tree search over five reasoning actions, then mutual consistency (arXiv:2408.06195).

The search is algorithms/search/mcts.py with the paper's rules: a random simulation to an answer, whose reward is its
self-consistency. Then a second draw completes each line of reasoning from a beginning of it; a line is consistent
where it comes to the same answer, and the answer with the most reward among consistent lines wins. The paper completes
with another model: a strategy here has one, so its own draws stand in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from promptkit import prompts
from promptkit.algorithms.search.mcts import RSTAR, mcts
from promptkit.algorithms.search.nodes import Evaluate, Expand, Node, Path, Thought, Turn
from promptkit.announced import About, Forecast, reply
from promptkit.errors import BadInput
from promptkit.events import Best, NodeAdded, NodeValued, emit
from promptkit.ranges import at_least, warm
from promptkit.reflecting.actions import Actor, Line
from promptkit.reflecting.consistency import discriminated
from promptkit.reflecting.forecasts import largest
from promptkit.searching.driving import played
from promptkit.types import Model, Outcome, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class RStar:
    """Search over reasoning actions; then keep the lines whose end a second draw finds again."""

    rollouts: int = 8  # the paper: 32, its code 16
    depth: int = 5  # actions of a line at most
    votes: int = 4  # draws behind an answer, and behind that to a sub-question; the paper's code: 10
    masks: int = 1  # completions of each line; most of them must agree. The paper's code: 4
    temperature: float = 0.7  # of all calls; above 0
    reply_tokens: int | None = None  # longest reply; default: the template's

    about: ClassVar[About] = About(
        calls="at most rollouts·depth·(3·votes + 3) + masks a line found",
        helps="small models on arithmetic: GSM8K 12.5 to 63.9 for LLaMA2-7B, 36.5 to 81.9 for Mistral-7B "
        "(arXiv:2408.06195)",
        fails="where calls count: its paper says 166 a question at 32 rollouts, users counted 600 at 8; compare with "
        "sc at the same number of samples",
    )

    def __post_init__(self) -> None:
        at_least(1, 4, rollouts=self.rollouts, depth=self.depth, votes=self.votes, masks=self.masks)
        warm(self.temperature, "votes")

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer with the most reward among the lines that are found again."""
        if prompts.pack(problem.pack).world is not None:
            what = f"rstar reasons in free text, and the steps of the pack {problem.pack} have rules"
            raise BadInput(what, hint=f"promptkit run mcts -P {problem.pack} …, or lats: they search by the rules")
        return await _Search(self, problem, model).run()

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes: nobody knows how long the lines are and how often they meet."""
        least = 3 + self.votes if self.depth > 1 else self.votes  # the first expansion
        form = 0 if problem.output_schema is None else reply(problem).most or 0
        most = self.rollouts * self.depth * (3 * self.votes + 3) + self.rollouts * self.masks + form
        return Forecast(least, None, most)

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With as many rollouts as fit, then with fewer votes."""
        sizes = [(v, r) for v in range(1, self.votes + 1) for r in range(1, self.rollouts + 1)]
        made = [replace(self, votes=v, rollouts=r) for v, r in sizes]
        return largest(made.__getitem__, problem, samples, range(len(made)))


class _Search:
    """One run: the lines of reasoning by their place in the tree."""

    def __init__(self, how: RStar, problem: Problem, model: Model) -> None:
        self.how, self.problem = how, problem
        self.actor = Actor(problem, model, how.votes, temperature=how.temperature, max_tokens=how.reply_tokens)
        self.lines: dict[Path, Line] = {(): Line(problem.text)}
        self.turns = 0

    async def run(self) -> Outcome:
        """Search, then discriminate."""
        emit(NodeAdded((), "", self.problem.text))
        rules = replace(RSTAR, iterations=self.how.rollouts, depth=self.how.depth)
        search = mcts(Thought("", "", ""), rules=rules, seed=self.problem.seed)
        found, _ = await played(search, self._answered)
        ended = [line for node in found if (line := self.lines[node.path]).answer]
        return await discriminated(self.actor, ended, self.how.masks, turns=self.turns)

    async def _answered(self, step: Any) -> Any:
        match step:
            case Expand():
                self.turns += 1
                return [await self._expanded(node) for node in step.nodes]
            case Evaluate():  # only what has come to an answer is worth anything
                return [0.0] * len(step.nodes)
            case Turn(best=Node() as best) if (line := self.lines[best.path]).answer:
                emit(Best(line.answer.shown, line.trust, line.state, node=best.path))
        return None

    async def _expanded(self, node: Node) -> list[Thought]:
        line = self.lines[node.path]
        after = await self.actor.taken(line, self.how.depth - node.depth, f"turn-{self.turns}")
        thoughts = []
        for i, each in enumerate(after):
            path = (*node.path, i)
            self.lines[path] = each
            ended = each.answer is not None
            shown = each.steps[-1] if each.last != "A5" else each.question
            key, worth = f"{each.question}\n{each.state}", each.trust if ended else None
            thoughts.append(Thought(f"{each.last}: {shown}", each.state, key, terminal=ended, value=worth))
            emit(NodeAdded(path, thoughts[-1].text, each.state))
            if ended:
                emit(NodeValued(path, each.trust, (f"{each.trust:g} of the votes",)))
        return thoughts
