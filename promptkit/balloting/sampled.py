"""Samples to be voted on: chains of thought of one template, or the answers of another strategy, each on a fork."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Protocol, TypeVar, cast

from promptkit import prompts
from promptkit.attachments import quoted, shown
from promptkit.errors import PromptkitError
from promptkit.events import Best, SampleRead, emit
from promptkit.exchange import Answer, formed, key_of, mended, put, read, reader_of, with_schema
from promptkit.lazy import Lazy
from promptkit.ranges import warm
from promptkit.sampling import Losing, Sample, ask_all, fork, hold, loss, solve_all
from promptkit.types import Completion, Message, Model, Outcome, Problem, Request, Strategy, Weak, message
from promptkit.weak import ended

Read = Callable[[Completion, int], Answer | None]
S = TypeVar("S", bound=Strategy)


@dataclass(frozen=True, slots=True)
class Sampled:
    """A sample as it came: what it says, or the error that is left of it."""

    index: int
    answer: Answer | None = None
    text: str = ""
    turns: tuple[Message, ...] = ()  # what it was asked
    request: Request | None = None  # of a chain; the answer of another strategy has none of its own …
    completion: Completion | None = None  # … nor a completion
    error: PromptkitError | None = None
    right: bool = False  # whether a program found the answer of another strategy right


Each = Callable[[Sampled], None]


class Source(Protocol):
    """Where samples come from."""

    async def draw(self, draws: range, each: Each) -> list[Sampled]:
        """The samples of these numbers, in one round; `each` sees them in order, as they come."""
        ...


def kept(drawn: Sequence[Sampled], quorum: float) -> None:
    """Raise when all samples failed, or so many that the quorum is lost."""
    hold([Sample(got.index, Request(messages=()), error=got.error) for got in drawn], quorum)


class Chains:
    """Chains of thought by a template of the problem's pack: with plain samples word for word what `sc` always asks."""

    def __init__(
        self,
        problem: Problem,
        model: Model,
        template: str = "cot",
        *,
        temperature: float | None,
        reply_tokens: int | None = None,
        logprobs: int = 0,
        ending: Callable[[int], Weak | None] | None = None,  # where a sample is ended before its end
        asked: Callable[[int], Problem] | None = None,  # the problem as a sample is asked it
        inputs: dict[str, Any] | None = None,
        reading: Read | None = None,
    ) -> None:
        self._model, self._problem = model, problem
        pack = prompts.pack(problem.pack)
        self._template = pack.template(template)
        self.problem = with_schema(problem, self._template)  # whose form a reply has that is to be mended
        reader = reader_of(problem, pack, self._template)
        self._read = reading or (lambda completion, index: read(reader, completion, index))
        self._decoding = {"temperature": temperature, "max_tokens": reply_tokens, "logprobs": logprobs or None}
        self._inputs = inputs or {}
        self._asked, self._ending = asked, ending
        self._same = None if asked else self._request(problem)

    async def draw(self, draws: range, each: Each) -> list[Sampled]:
        """The samples of these numbers."""
        drawn: list[Sampled] = []

        def came(got: Sample) -> None:
            drawn.append(self._sampled(got))
            each(drawn[-1])

        requests = Lazy(draws, self.request)
        await ask_all(self._model, requests, where=f"samples-{draws.start}", each=came, quorum=None, first=draws.start)
        return drawn

    async def mend(self, came: Sequence[Sampled], detail: Mapping[str, Any]) -> Outcome:
        """The outcome where no reply has the form that was asked for: the first of them is asked to mend itself."""
        for got in came:
            if got.request and got.completion:
                answer, again = await mended(got.request, got.completion, self.problem, self._model)
                emit(Best(answer.shown, text=again.text))
                return Outcome(answer=answer.shown, text=again.text, detail=detail)
        return Outcome(answer=None, status="undecided", detail=detail)

    def request(self, index: int = 0) -> Request:
        """What a sample asks."""
        request = (self._same or self._request(self._asked(index) if self._asked else self._problem)).at(index)
        weak = self._ending(index) if self._ending else None
        return replace(request, weak=weak) if weak else request

    def _request(self, problem: Problem) -> Request:
        request = put(problem, self._template, self._inputs, **self._decoding)
        return formed(request, problem, self._model, self._template)

    def _sampled(self, got: Sample) -> Sampled:
        turns = got.request.messages
        if got.completion is None:
            emit(SampleRead(got.index, None, "", str(got.error)))
            return Sampled(got.index, turns=turns, error=got.error)
        completion = ended(got.completion, got.request.weak)  # of a provider that cannot end it, it comes whole
        answer = self._read(completion, got.index)
        return Sampled(got.index, answer, completion.text, turns, got.request, completion)


class Answers:
    """The answers of another strategy, each on a fork of the model: its draws are its own."""

    def __init__(
        self, of: Strategy, problem: Problem, model: Model, *, asked: Callable[[int], Problem] | None = None
    ) -> None:
        self._of, self._model = of, model
        self._asked = asked or (lambda index: problem)
        pack = prompts.pack(problem.pack)
        self._reader = reader_of(problem, pack, pack.template("cot"))

    async def draw(self, draws: range, each: Each) -> list[Sampled]:
        """The samples of these numbers."""
        drawn: list[Sampled] = []

        def came(outcome: Outcome) -> None:
            drawn.append(self._sampled(draws.start + len(drawn), outcome))
            each(drawn[-1])

        held = Losing(self._of)
        tasks = Lazy(draws, lambda index: (held, self._asked(index), fork(self._model, index)))
        await solve_all(tasks, where=f"samples-{draws.start}", each=came)
        return drawn

    def _sampled(self, index: int, outcome: Outcome) -> Sampled:
        problem = self._asked(index)
        turns = asked(problem)
        if error := loss(outcome):
            emit(SampleRead(index, None, "", str(error)))
            return Sampled(index, turns=turns, error=error)
        answer = None if outcome.answer is None else Answer(key_of(self._reader, outcome.answer), outcome.answer)
        emit(SampleRead(index, answer.shown if answer else None, "of" if answer else "", _unread(outcome)))
        text, right = outcome.text or outcome.answer or "", bool(answer and outcome.verified)
        return Sampled(index, answer, text, turns, right=right)


def asked(problem: Problem) -> tuple[Message, ...]:
    """The conversation so far and the bare question, with what is attached to it, as a strategy inside has them."""
    question = quoted(problem.parts, problem.text) if problem.parts else problem.text
    return (*problem.history, *shown((message("user", question),), problem.parts))


def heated(strategy: S, temperature: float, samples: int) -> S:
    """The strategy, sampling at this temperature where it leaves that open; BadInput where all samples would be one.

    So do those inside it, whatever their fields are called; not one whose field says that it draws no answers.
    """
    kind: Any = strategy
    if not is_dataclass(kind):
        return strategy
    changes: dict[str, Any] = {}
    for each in fields(kind):
        value = getattr(strategy, each.name)
        if each.name == "temperature" and value is None:
            changes[each.name] = temperature
        elif each.name == "temperature" and value == 0 and samples > 1:
            hint = f'leave its temperature out: it is then sampled at {temperature:g}, e.g. --of "cot"'
            warm(0, "answers of the strategy inside", hint=hint)
        elif isinstance(value, Strategy) and each.metadata.get("draws", True):
            changes[each.name] = heated(value, temperature, samples)
    return cast(S, replace(cast(Any, strategy), **changes)) if changes else strategy


def _unread(outcome: Outcome) -> str:
    return "" if outcome.answer is not None else f"{outcome.status}: no answer"
