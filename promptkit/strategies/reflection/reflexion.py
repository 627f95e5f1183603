"""Reflexion: try, and after a failure reflect in words on why, and try again with that in mind (arXiv:2303.11366).

What tells a failure must be declared, since the gains of the paper come with it: a program of tests, the pack's rules,
a judge, which is the model itself, or an oracle that is given the answer, which is flagged: it measures nothing that
could be had without the answer. Only a failure is reflected on, and no memory outlives a run.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Literal, Self

from promptkit import composition, prompts
from promptkit.announced import ONE, VERDICT, About, Forecast, forecast
from promptkit.composition import Of, inner
from promptkit.errors import BadInput
from promptkit.events import Stopped, Warned, emit
from promptkit.executing import sandboxed
from promptkit.ranges import at_least, warm
from promptkit.reflecting import evaluators
from promptkit.reflecting.drafts import amended, drafted, drafting, lost
from promptkit.reflecting.evaluators import Judged
from promptkit.reflecting.forecasts import largest, rising
from promptkit.reflecting.kept import Kept
from promptkit.reflecting.memory import reflected, remembered
from promptkit.sampling import fork
from promptkit.searching.hearing import Hearing
from promptkit.types import Message, Model, Outcome, Problem, Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Reflexion:
    """Several trials; after each that the evaluator fails, a reflection that the next ones remember."""

    evaluator: evaluators.Name  # what tells a failure: tests, judge, world (the pack's rules) or oracle
    of: Of = field(default=None, metadata={"flag": str | None})  # strategy of a trial; default: cot, with tests direct
    trials: int = 3  # at most
    memory: int = 3  # reflections remembered, the last ones
    recall: Literal["none", "last-attempt", "reflexion", "both"] = "reflexion"  # what a new trial is told of the old
    tests: str | None = None  # a Python file that imports `solution`, the code of a reply, and fails where it is wrong
    gold: str | None = None  # the right answer, for the oracle
    temperature: float = 0.7  # of trials where no strategy is named for them
    reply_tokens: int | None = None  # longest reflection; default: the template's

    about: ClassVar[About] = About(
        calls="trials·(of + 1 with a judge) + (trials − 1) reflections, fewer when a trial passes",
        helps="code with tests: HumanEval 91 % against 80 % of GPT-4; agents with an environment (arXiv:2303.11366)",
        fails="MBPP in Python 77.1 against 80.1 without (arXiv:2303.11366), where its own tests misled; with the model "
        "as its own judge answers grow worse (arXiv:2310.01798)",
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", inner(self.of))
        at_least(1, 3, trials=self.trials, memory=self.memory)
        if self.recall == "none" and self.of is None and self.trials > 1:
            warm(self.temperature, "trials")
        for needs, name, like in (("tests", "tests", "tests.py"), ("oracle", "gold", "42")):
            if self.evaluator == needs and getattr(self, name) is None:
                raise BadInput(f"the evaluator {needs} needs --{name}", hint=f"e.g. --{name} {like}")
            if self.evaluator != needs and getattr(self, name) is not None:
                raise BadInput(f"--{name} is for --evaluator {needs} alone", hint=f"--evaluator {needs}")

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer of the first trial that passes, else of the last that could be read."""
        await self._ready(problem)
        with (hearing := Hearing()).told():
            return await self._tried(problem, model, hearing)

    async def _tried(self, problem: Problem, model: Model, hearing: Hearing) -> Outcome:
        tests = self.resolved(problem).tests
        kept, reflections, told, failed = Kept(), list[str](), list[dict[str, object]](), 0
        before: tuple[Message, ...] = ()
        for number in range(1, self.trials + 1):
            branch, where = fork(model, number), f"trial-{number}"
            task = (self._actor(), amended(problem, before), branch)
            (attempt,) = await drafted([task], where=f"{where}/attempt", needed=number == 1)
            if lost(attempt):
                failed += 1
                break
            if tests is not None:
                attempt = replace(attempt, answer=evaluators.code_of(attempt.text) or None)
            judged = await self._judged(problem, branch, attempt, tests, hearing, where)
            if tests is not None:
                attempt = replace(attempt, detail={**attempt.detail, "verified": judged.passed})
            kept.better(attempt, {True: 1.0, None: 0.5, False: 0.0}[judged.passed], number, or_equal=True)
            told.append({"answer": attempt.answer, "passed": judged.passed})
            if judged.passed:
                emit(Stopped(f"trial {number} passed"))
                break
            if number < self.trials and judged.passed is False and self.recall in ("reflexion", "both"):
                said = await reflected(
                    problem, branch, attempt.text, judged.told, where=f"{where}/reflect", reply_tokens=self.reply_tokens
                )
                failed += not said
                reflections = [*reflections, *([said] if said else [])][-self.memory :]
            last = attempt.text if self.recall in ("last-attempt", "both") else ""
            before = remembered(problem, last, reflections)
        how = {"evaluator": self.evaluator, "oracle": self.evaluator == "oracle", **hearing.detail}
        return kept.outcome(**how, trials=tuple(told), failed=failed)

    async def _ready(self, problem: Problem) -> None:
        """Refuse, before anything is asked, what could not be evaluated; say it when the gold answer is used."""
        if self.evaluator == "tests":
            await sandboxed()
        if self.evaluator == "world" and prompts.pack(problem.pack).world is None:
            raise BadInput(f"the pack {problem.pack} has no rules to check by", hint="--evaluator judge, or -P game24")
        if self.evaluator == "oracle":
            emit(Warned("the gold answer decides when a trial fails: what comes out is no measure of the model"))

    def _actor(self) -> Strategy:
        if self.of is None and self.evaluator == "tests":
            return composition.made("direct", {"temperature": self.temperature})
        return drafting(self.of, self.temperature)

    async def _judged(
        self, problem: Problem, model: Model, attempt: Outcome, tests: str | None, hearing: Hearing, where: str
    ) -> Judged:
        if attempt.answer is None:
            return Judged(False, "No answer could be read from it.")
        if tests is not None:
            return await evaluators.tested(attempt.answer, tests)
        if self.evaluator == "oracle":
            return evaluators.matched(problem, attempt, self.gold or "")
        if self.evaluator == "world":
            return evaluators.ruled(attempt)
        return (await evaluators.judged(problem, model, [attempt], hearing, where=f"{where}/judge"))[0]

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes: from one trial that passes, or a last one that cannot be read, up to all of them."""
        attempt = forecast(self._actor(), problem)
        trial = attempt + (VERDICT if self.evaluator == "judge" else Forecast(0, 0, 0))
        reflects = self.recall in ("reflexion", "both")
        most = trial.times(self.trials) + ONE.times(self.trials - 1 if reflects else 0)
        return rising(trial if self.trials > 1 else attempt, most)

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With as many trials as fit."""
        return largest(lambda n: replace(self, trials=n), problem, samples, range(1, self.trials + 1))

    def resolved(self, problem: Problem) -> Self:
        """With the tests themselves in place of their file: a run can be made again when the file has changed."""
        if self.tests is None or "\n" in self.tests:
            return self
        try:
            return replace(self, tests=Path(self.tests).expanduser().read_text("utf-8").rstrip("\n") + "\n")
        except (OSError, ValueError) as error:
            raise BadInput(f"the tests {self.tests} cannot be read: {error}", hint="--tests tests.py") from error
