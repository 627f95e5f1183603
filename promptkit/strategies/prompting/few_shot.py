"""Few-shot prompting: worked examples before the question (arXiv:2005.14165; with rationales arXiv:2201.11903).

Every example is a turn of the user and a turn of the model. Its question goes through the very template of the real
question, so the two cannot drift apart; what the model "said" to it is the pack's template `example`. An example that
asks the question itself, or nearly, would give the answer away: it is left out, and the next one takes its place.
Which ones are shown can be left to chance, to likeness (arXiv:2101.06804) or to likeness and variety; the nearest ones
with rationales the model wrote itself, and got right, are those of Medprompt (arXiv:2311.16452).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Self

from promptkit import examples as shelf
from promptkit import prompts
from promptkit.announced import About, Forecast, reply
from promptkit.errors import BadInput
from promptkit.events import Warned, emit
from promptkit.examples import Example, Given, Leakage, Order, Policy
from promptkit.exchange import answer_to
from promptkit.prompting import choosing
from promptkit.prompting.shots import Form, behind
from promptkit.ranges import at_least, fraction
from promptkit.types import Model, Outcome, Problem

STORE = 256  # of a larger store so many are kept with a run, and chosen from
DIVERSE = {"when": ("select", "diverse")}  # what a parameter needs to have an effect
MOST = 8  # examples shown when nobody says how many: what the paper on chains of thought shows


@dataclass(frozen=True, slots=True, kw_only=True)
class FewShot:
    """Show worked examples, then ask; with none it asks what `direct` asks, or `cot` where rationales are wanted."""

    about: ClassVar[About] = About(
        calls="1; with --generate 1 + up to 2n, which are in the journal for the next question",
        helps="answers of a form that is easier shown than said; with --rationale the reasoning steps of the paper, on "
        "arithmetic, common sense and symbols (arXiv:2201.11903)",
        fails="small models, whose chains read well and are wrong (arXiv:2201.11903); examples of another kind than "
        "the question mislead, and every call pays for them",
    )

    examples: Given = field(default=None, metadata={"flag": str | None})  # .yaml, .jsonl or .csv; default: the pack's
    n: int | None = None  # how many of them; default: all, at most 8, or with --example-tokens all that fit
    select: Policy = "fixed"  # fixed: the first; random; balanced: by label; else those like the question
    order: Order | None = None  # default: the likest last, labels in turns for balanced, else that of the file
    example_tokens: int | None = None  # as many as fit into so many tokens; a token is taken for 4 bytes of UTF-8
    embed: str | None = None  # what likeness is by: provider:model; default: words (BM25 for similar, else TF-IDF)
    variety: float = field(default=0.5, metadata=DIVERSE)  # of diverse: what unlikeness to those before counts, 0 to 1
    leakage: Leakage = "leave-out"  # what becomes of an example that asks the question, or nearly; refuse: an error
    rationale: bool = False  # show how each answer is reached, and ask for the same
    generate: bool = False  # let the model write missing rationales; those that end in the right answer are shown
    form: Form = "chat"  # chat: turns; document: one text "Q: … A: …"; raw: that without a chat template
    temperature: float | None = None  # sampling temperature; default: the template's
    reply_tokens: int | None = None  # longest reply; default: the template's

    def __post_init__(self) -> None:
        if self.n is not None and self.n < 0:
            raise BadInput(f"--n must be 0 or more, not {self.n}", hint="e.g. --n 4, or --n 0 for none")
        at_least(1, 1000, example_tokens=self.example_tokens)
        fraction(0.5, variety=self.variety)
        if self.embed is not None and self.select not in shelf.LIKENESS:
            hint = "e.g. --select similar, or leave --embed out"
            raise BadInput(f"--select {self.select} looks at no likeness: there is nothing to embed", hint=hint)
        object.__setattr__(self, "rationale", self.rationale or self.generate)

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer read from one reply; an example that was left out is told."""
        held, choice = self._held(problem)
        decoding = {"temperature": self.temperature, "max_tokens": self.reply_tokens}
        shown = await choosing.shown(choice, held, problem, model, decoding=decoding)
        for each in shown.left_out:
            emit(Warned(f"{each.origin} {shelf.asks(each, problem.text)} and is left out"))
        template = prompts.pack(problem.pack).template("cot" if self.rationale else "solve")
        request = behind(shown.examples, problem, template, rationale=self.rationale, form=self.form, **decoding)
        outcome = await answer_to(request, problem, model, template)
        return replace(outcome, detail={**outcome.detail, **shown.told()})

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes; none for rationales that an earlier run has asked for."""
        if not self.generate and self.embed is None:
            return reply(problem)
        held, choice = self._held(problem)
        return Forecast(0, None, choosing.most(choice, held)) + reply(problem)

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With fewer examples, where the model writes their rationales."""
        if not self.generate or self.embed is not None:
            return None
        left = samples - 1 - (problem.output_schema is not None)
        return replace(self, n=left // choosing.ROUNDS) if left >= 0 else None

    def resolved(self, problem: Problem) -> FewShot:
        """With the examples themselves in place of their file: a run can be made again when the file has changed."""
        held, choice = self._held(problem)
        if self.select == "fixed" and not self.generate:
            shown, left_out = choosing.picked(choice, held, problem)
            choosing.refuse_bare(choice, shown)
            held = held[: len(shown) + len(left_out)]
        return replace(self, examples=held, n=choice.n)

    def _held(self, problem: Problem) -> tuple[tuple[Example, ...], choosing.Choice]:
        """The examples to choose from, and how that is done."""
        held: tuple[Example, ...] = ()
        if self.n != 0:
            given = self.examples
            if given is None:
                held = shelf.of_pack(problem.pack)
            else:
                held = shelf.read(given) if isinstance(given, (str, Path)) else shelf.listed(given)
        usual = len(held) if self.example_tokens else min(len(held), MOST)
        n = usual if self.n is None else self.n
        if n > len(held):
            raise BadInput(f"--n {n} wants more examples than the {len(held)} at hand", hint=f"--n {len(held)}")
        held = shelf.narrowed(self.select, held, problem.text, max(STORE, 2 * n if self.n is not None else 0))
        return held, choosing.Choice(
            n=min(n, len(held)),
            select=self.select,
            order=self.order,
            tokens=self.example_tokens,
            embed=self.embed,
            variety=self.variety,
            leakage=self.leakage,
            rationale=self.rationale,
            generate=self.generate,
        )
