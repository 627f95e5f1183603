"""Few-shot prompting: worked examples before the question (arXiv:2005.14165; with rationales arXiv:2201.11903).

Every example is a turn of the user and a turn of the model. Its question goes through the very template of the real
question, so the two cannot drift apart; what the model "said" to it is the pack's template `example`. An example that
asks the question itself would give the answer away: it is left out, and the next one of the file takes its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from promptkit import examples as shelf
from promptkit import prompts
from promptkit.announced import About, Forecast, reply
from promptkit.errors import BadInput
from promptkit.events import Warned, emit
from promptkit.examples import Example, Given
from promptkit.exchange import answer_to, put, world_of
from promptkit.prompts import Prompt
from promptkit.types import Message, Model, Outcome, Problem, Request, message

MOST = 8  # examples shown when nobody says how many: what the paper on chains of thought shows


@dataclass(frozen=True, slots=True, kw_only=True)
class FewShot:
    """Show worked examples, then ask; with none it asks what `direct` asks, or `cot` where rationales are wanted."""

    about: ClassVar[About] = About(
        calls="1",
        helps="answers of a form that is easier shown than said; with --rationale the reasoning steps of the paper, on "
        "arithmetic, common sense and symbols (arXiv:2201.11903)",
        fails="small models, whose chains read well and are wrong (arXiv:2201.11903); examples of another kind than "
        "the question mislead, and every call pays for them",
    )

    examples: Given = field(default=None, metadata={"flag": str | None})  # .yaml, .jsonl or .csv; default: the pack's
    n: int | None = None  # how many of them, the first of the file; default: all, at most 8
    rationale: bool = False  # show how each answer is reached, and ask for the same
    temperature: float | None = None  # sampling temperature; default: the template's
    reply_tokens: int | None = None  # longest reply; default: the template's

    def __post_init__(self) -> None:
        if self.n is not None and self.n < 0:
            raise BadInput(f"--n must be 0 or more, not {self.n}", hint="e.g. --n 4, or --n 0 for none")

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer read from one reply; an example that was left out is told."""
        held, n = self._held(problem)
        shown, left_out = _parted(held, n, problem)
        for each in left_out:
            emit(Warned(f"{each.origin} asks the question itself and is left out"))
        template = prompts.pack(problem.pack).template("cot" if self.rationale else "solve")
        outcome = await answer_to(self._request(problem, template, shown), problem, model, template)
        return replace(outcome, detail={**outcome.detail, "examples": len(shown), "left_out": len(left_out)})

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes."""
        return reply(problem)

    def resolved(self, problem: Problem) -> FewShot:
        """With the examples themselves in place of their file: a run can be made again when the file has changed."""
        held, n = self._held(problem)
        shown, left_out = _parted(held, n, problem)
        if self.rationale and (bare := next((each for each in shown if not each.rationale), None)):
            raise BadInput(f"{bare.origin}: no rationale", hint="add one to the example, or leave out --rationale")
        return replace(self, examples=held[: len(shown) + len(left_out)], n=n)

    def _held(self, problem: Problem) -> tuple[tuple[Example, ...], int]:
        """All examples there are, and how many of them are wanted."""
        if self.n == 0:
            return (), 0
        if self.examples is None:
            held = shelf.of_pack(problem.pack)
        elif isinstance(self.examples, (str, Path)):
            held = shelf.read(self.examples)
        else:
            held = shelf.listed(self.examples)
        n = min(len(held), MOST) if self.n is None else self.n
        if n > len(held):
            raise BadInput(f"--n {n} wants more examples than the {len(held)} at hand", hint=f"--n {len(held)}")
        return held, n

    def _request(self, problem: Problem, template: Prompt, shown: Sequence[Example]) -> Request:
        """What the template says first, then the examples, the conversation so far, and the question."""
        asked = put(replace(problem, history=()), template, temperature=self.temperature, max_tokens=self.reply_tokens)
        head, question = _apart(asked.messages)
        turns = [turn for each in shown for turn in _example(problem, template, each, self.rationale)]
        return replace(asked, messages=(*head, *turns, *problem.history, *question))


def _parted(held: Sequence[Example], n: int, problem: Problem) -> tuple[list[Example], list[Example]]:
    """The first n that may be shown, and those met on the way that give the answer away."""
    world = world_of(prompts.pack(problem.pack), problem)

    def key(question: str) -> str:
        return world.key(world.start(question)) if world else shelf.same(question)

    shown: list[Example] = []
    left_out: list[Example] = []
    for each in held:
        if len(shown) == n:
            break
        try:
            (left_out if key(each.question) == key(problem.text) else shown).append(each)
        except BadInput as error:  # no puzzle of the pack's world
            raise BadInput(f"{each.origin}: {error.message}", hint=error.hint) from error
    return shown, left_out


def _example(problem: Problem, template: Prompt, each: Example, rationale: bool) -> Sequence[Message]:
    """The question as the template asks it, and the reply as the pack writes it."""
    _, asked = _apart(put(replace(problem, text=each.question, parts=(), history=()), template).messages)
    texts = {"question": each.question, "answer": each.answer, "rationale": each.rationale if rationale else ""}
    form = prompts.pack(problem.pack).template("example").request(texts)
    said = "\n".join(turn.text for turn in (*asked[1:], *form.messages))  # a template may begin the reply itself
    return *asked[:1], message("assistant", said)


def _apart(turns: Sequence[Message]) -> tuple[Sequence[Message], Sequence[Message]]:
    """The turns before the last one of the user, and the rest."""
    last = max((at for at, turn in enumerate(turns) if turn.role == "user"), default=0)
    return turns[:last], turns[last:]
