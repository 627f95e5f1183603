"""A better version of a prompt, looked for on one split of the questions and measured on another.

Candidates are instructions that a user gave, instructions that the model proposes from the scores of earlier ones
(OPRO, arXiv:2309.03409), and worked examples whose chains were found right (as in MIPRO, arXiv:2406.11695). They race
each other and the prompt in force on the training questions; the one that is left is asked the held-out questions,
which nothing has seen, and so is the prompt in force. What is told is that difference, with its interval.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, cast

from promptkit import prompts
from promptkit.algorithms.selection.near import near
from promptkit.announced import About, Forecast
from promptkit.composition import Of, inner
from promptkit.errors import BadInput, BadPrompt
from promptkit.events import Best, Warned, emit
from promptkit.optimizing import report
from promptkit.optimizing.asking import Asking, Counted, Purse, forecast
from promptkit.optimizing.proposing import TOGETHER, proposed
from promptkit.optimizing.questions import Item, Items, recorded
from promptkit.optimizing.racing import WIDTH, Race, Runner, first_rung
from promptkit.optimizing.rewording import instruction_of, reworded, with_examples
from promptkit.prompts import Prompt
from promptkit.render.amounts import many
from promptkit.sampling import rng
from promptkit.types import Model, Outcome, Problem, Strategy

TRIES = 4  # questions that are worked for each example wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimization:
    """Find a better version of a prompt, and say what it is worth on questions nothing has seen."""

    about: ClassVar[About] = About(
        calls="at most its budget",
        helps="the same model, another instruction: GSM8K 71.8 → 80.2 % with PaLM 2-L (arXiv:2309.03409)",
        fails="prompts that are good already, and differences too small for the questions at hand: it says so then",
    )
    bare: ClassVar[bool] = True  # its own question is none that a model is asked

    pack: str
    prompt: str  # the template's name in the pack
    text: str  # the template's file as it was
    of: Of = field(default="cot", metadata={"flag": str | None})  # strategy that asks with it
    instructions: Any = ()  # texts to stand in for the template's own
    propose: int = 0  # more of them, written by the model
    shown: int = 0  # worked examples in a prompt
    sets: int = 1  # of examples, different ones
    worked: Any = ()  # questions that examples are made of
    train: Any = ()  # questions that candidates are chosen by
    held_out: Any = ()  # questions that the chosen one is measured on
    calls: int | None = None  # completions it may take, nominal
    tokens: int | None = None  # and their tokens
    recipe: str = ""  # sha256 of the recipe it is from

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", inner(self.of))
        object.__setattr__(self, "instructions", tuple(self.instructions))
        for name in ("worked", "train", "held_out"):
            object.__setattr__(self, name, recorded(getattr(self, name)))

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """What came of it, in words; `detail` is the report."""
        return await _Search(self, problem, model).outcome()

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes: the fewest, about how many, and its budget at most."""
        each, held = self.each(problem), 2 * len(self.held_out)  # which nobody is asked if all are hopeless at once
        candidates = len(self.instructions) + self.propose + 2 * self.sets * bool(self.shown)
        train, rung, running = len(self.train), first_rung(len(self.train)), candidates
        least = self.propose + each.least * 2 * min(WIDTH, train)
        usual = (1 + candidates) * rung + len(self.worked)  # all on the first rung, then the better half on each
        while rung < train:
            running, before, rung = -(-running // 2), rung, min(2 * rung, train)
            usual += (1 + running) * (rung - before)
        whole = held + len(self.worked) + (1 + candidates) * train
        most = None if each.most is None else self.propose + each.most * whole
        if self.calls is not None:
            most = self.calls if most is None else min(self.calls, most)
        about = None if each.expected is None else self.propose + each.expected * (held + usual)
        if most is None:
            return Forecast(least, about, most)
        return Forecast(min(least, most), about if about is None else min(about, most), most)

    def needed(self, problem: Problem) -> float:
        """The samples that a budget must have room for: a first look at all candidates, and what is held out."""
        each = self.each(problem)
        dearest = float(each.most or each.expected or each.least)
        looked = (1 + max(1, len(self.instructions))) * min(WIDTH, len(self.train))
        return self.propose + dearest * (looked + 2 * len(self.held_out))

    def each(self, problem: Problem) -> Forecast:
        """The samples that one question takes."""
        return forecast(cast(Strategy, self.of), replace(problem, pack=self.pack), self.train)

    def candidates(self) -> tuple[Prompt, list[Prompt]]:
        """The prompt in force, and what the instructions make of it; BadInput names one that cannot be used."""
        base = prompts.worded(prompts.find(self.pack, self.prompt), self.text)
        made = []
        for text in self.instructions:
            try:
                made.append(reworded(base, text))
            except BadPrompt as error:
                raise BadInput(
                    f"the instruction {text[:60]!r} cannot be used: {error.message}", hint=error.hint
                ) from error
        return base, made


class _Search:
    """One optimisation under way."""

    def __init__(self, what: Optimization, problem: Problem, model: Model) -> None:
        self.what, self.model, self.problem = what, model, replace(problem, pack=what.pack)
        each = what.each(problem)
        dearest = float(each.most or each.expected or each.least)
        self.purse = Purse(what.calls, what.tokens, dearest_calls=dearest)
        self.base, self.given = what.candidates()
        self.asking = Asking(cast(Strategy, what.of), self.problem, model, self.purse)
        self.baseline = Runner("baseline", self.base, instruction_of(self.base))
        self.race = Race(self.asking, self.baseline, what.train, kept=2 * len(what.held_out))

    async def outcome(self) -> Outcome:
        """The report, once everything is asked."""
        race = self.race
        texts = zip(self.given, self.what.instructions, strict=True)
        given = [Runner(f"instruction {n}", made, text) for n, (made, text) in enumerate(texts, start=1)]
        await race.join(self._new(given))
        await self._propose()
        await self._exemplify()
        self._refuse_unused()
        await race.halve()
        leader = race.leader()
        held = await self._held_out(leader) if leader else None
        told = report.told(race, leader, held, self.purse, self.base)
        answer = told["sentence"]
        emit(Best(answer, text=answer))
        return Outcome(answer=answer, text=answer, detail=told)

    def _new(self, runners: list[Runner]) -> list[Runner]:
        """Those that say something that none before them says."""
        known = {each.prompt.digest for each in (self.baseline, *self.race.runners)}
        return [each for each in runners if each.prompt.digest not in known]

    async def _propose(self) -> None:
        """Rounds of proposals, each of which sees what those before it are worth."""
        made = 0
        while made < self.what.propose and not self.race.cut:
            n = min(TOGETHER, self.what.propose - made)
            counted = Counted(self.model)
            tried = [self.baseline, *self.race.runners]
            texts = await proposed(self.problem, counted, tried, self.what.train, n, made)
            self.purse.spent_calls += counted.calls
            self.purse.spent_tokens += counted.tokens
            made += n
            runners: list[Runner] = []
            for text in texts:
                number = sum(each.name.startswith("proposal") for each in self.race.runners) + len(runners) + 1
                try:
                    runners.append(Runner(f"proposal {number}", reworded(self.base, text, literal=True), text))
                except BadPrompt as error:
                    emit(Warned(f"a proposal cannot be used: {error.message}"))
            await self.race.join(self._new(runners))

    async def _exemplify(self) -> None:
        """The prompt in force and the best instruction, each with worked examples that were found right."""
        if not self.what.shown or self.race.cut:
            return
        best = max([self.baseline, *self.race.running], key=lambda each: each.rank)
        chains = await self._chains(best.prompt)
        if not chains:
            emit(Warned("no question for examples was answered right: no candidate has examples"))
            return
        joining: list[Runner] = []
        dice = rng(self.problem, "examples")
        for number in range(self.what.sets):
            chosen = dice.sample(chains, min(self.what.shown, len(chains))) if number else chains[: self.what.shown]
            for each in dict.fromkeys((self.baseline, best)):
                named = many(len(chosen), "example") + (f", set {number + 1}" if self.what.sets > 1 else "")
                name = named if each is self.baseline else f"{each.name} + {named}"
                try:
                    made = with_examples(each.prompt, chosen)
                except BadPrompt as error:
                    emit(Warned(f"{name}: {error.message}"))
                    continue
                joining.append(Runner(name, made, each.instruction))
        await self.race.join(self._new(joining))

    async def _chains(self, prompt: Prompt) -> list[tuple[str, str]]:
        """Questions with replies whose answer was right; none of them asks nearly what is measured."""
        wanted, found = self.what.shown * self.what.sets, list[tuple[str, str]]()
        asked = [*self.what.train, *self.what.held_out]
        for start in range(0, len(self.what.worked), WIDTH):
            items = self.what.worked[start : start + WIDTH]
            if len(found) >= wanted or not self.purse.holds(len(items), 2 * len(self.what.held_out)):
                break
            replies = await self.asking.replies([(prompt, item) for item in items], where=f"work {start + 1}")
            found += [
                (item.question, reply.text.strip())
                for item, reply in zip(items, replies, strict=True)
                if reply.right == 1 and reply.text.strip() and not self._leaks(item, asked)
            ]
        return found[:wanted]

    def _leaks(self, item: Item, asked: list[Item]) -> bool:
        """Whether a worked question is, nearly, one that is asked."""
        return any(near(item.question, each.question) for each in asked)

    def _refuse_unused(self) -> None:
        """BadInput where every candidate asks word for word what the prompt in force asks."""
        asked = [each.replies[0].asked for each in self.race.runners if each.replies]
        if asked and self.baseline.replies and all(each == self.baseline.replies[0].asked for each in asked):
            told = f"the strategy never asks with {self.base.id}: every candidate sends the same"
            raise BadInput(told, hint="direct asks with solve, cot with cot: see --dry-run of promptkit run")

    async def _held_out(self, leader: Runner) -> tuple[list[float], list[float], int]:
        """What the leader and the baseline get on the held-out questions, pair by pair, and how many calls failed."""
        ours, theirs, failed = list[float](), list[float](), 0
        items: Items = self.what.held_out
        for start in range(0, len(items), WIDTH):
            block = items[start : start + WIDTH]
            if not self.purse.holds(2 * len(block)):
                self.race.cut = True
                break
            pairs = [(each.prompt, item) for item in block for each in (leader, self.baseline)]
            replies = await self.asking.replies(pairs, where=f"held out {start + 1}-{start + len(block)}")
            for own, other in zip(replies[::2], replies[1::2], strict=True):
                if own.right is None or other.right is None:
                    failed += 1
                else:
                    ours.append(own.right)
                    theirs.append(other.right)
        return ours, theirs, failed
