"""Self-consistency: sample several chains of thought and take the answer most of them reach (arXiv:2203.11171)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from promptkit import prompts
from promptkit.algorithms.stopping.curtailment import next_batch, settled
from promptkit.algorithms.voting.tally import Tally, tally
from promptkit.announced import Forecast
from promptkit.errors import BadInput
from promptkit.events import Best, SampleRead, Stopped, VotesCounted, emit
from promptkit.exchange import Answer, formed, mended, put, read, reader_of, verified, world_of
from promptkit.sampling import Sample, hold, sample
from promptkit.types import Model, Outcome, Problem, World


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfConsistency:
    """Majority vote over n sampled chains of thought; ties are reported, not broken."""

    n: int = 10  # independent samples, at most
    temperature: float = 0.7  # above 0, or every vote is the same
    reply_tokens: int | None = None  # longest reply; default: the template's
    quorum: float = 0.5  # part of the samples that must come back

    def __post_init__(self) -> None:
        if self.n < 1:
            raise BadInput(f"--n must be at least 1, not {self.n}", hint="e.g. --n 10")
        if self.temperature <= 0:
            raise BadInput(
                f"sc at temperature {self.temperature:g} would count one answer {self.n} times",
                hint="e.g. --temperature 0.7, or one greedy chain: promptkit run cot",
            )
        if not 0 <= self.quorum <= 1:
            raise BadInput(f"--quorum must be between 0 and 1, not {self.quorum:g}", hint="e.g. --quorum 0.5")

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The majority answer. Sampling stops when no further sample could change it."""
        pack = prompts.pack(problem.pack)
        template = pack.template("cot")
        reader, world = reader_of(problem, pack, template), world_of(pack, problem)
        request = put(problem, template, temperature=self.temperature, max_tokens=self.reply_tokens)
        request = formed(request, problem, model, template)
        box = _BallotBox(self.n, reader)
        drawn: list[Sample] = []
        while more := next_batch(box.votes, self.n):
            draws = range(box.votes.seen, box.votes.seen + more)
            drawn += await sample(model, request, draws, where=f"samples-{draws.start}", each=box.cast, quorum=None)
            hold(drawn, self.quorum)
        if box.votes.seen < self.n:
            left = self.n - box.votes.seen
            emit(Stopped(f"{left} more sample{'s' if left > 1 else ''} could not change the vote"))
        replies = [got.completion for got in drawn if got.completion]
        if problem.output_schema is not None and not box.counts and replies:  # the first is asked to mend its reply
            answer, mend = await mended(request, replies[0], problem, model)
            emit(Best(answer.shown, text=mend.text))
            return replace(box.outcome(world, problem), answer=answer.shown, text=mend.text, status="done")
        return box.outcome(world, problem)

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes."""
        return Forecast(next_batch(Tally(()), self.n), None, self.n)


class _BallotBox:
    """The votes of one run as they come in."""

    def __init__(self, n: int, reader: str) -> None:
        self.votes = Tally(())
        self._n = n
        self._reader = reader
        self._read: list[Answer | None] = []
        self._failed = 0
        self._led = False  # whether one answer is ahead
        self._shown: dict[str, str] = {}  # canonical answer -> as the first sample wrote it
        self._texts: dict[str, str] = {}

    def cast(self, got: Sample) -> None:
        """Count a sample; tell the tally, and the leader when there is one."""
        if got.completion is None:
            self._failed += 1
            emit(SampleRead(got.index, None, "", str(got.error)))
        else:
            answer = read(self._reader, got.completion, got.index)
            self._read.append(answer)
            if answer:
                self._shown.setdefault(answer.key, answer.shown)
                self._texts.setdefault(answer.key, got.completion.text)
        self.votes = tally((answer.key if answer else None for answer in self._read), self._failed)
        votes = self.votes
        emit(
            VotesCounted(self.counts, votes.seen, self._n, votes.unread, votes.failed, settled(votes, self._n)),
        )
        if votes.winner:
            emit(Best(self._shown[votes.winner], score=votes.share, text=self._texts[votes.winner]))
        elif self._led:  # a moment ago; now the lead is shared, and nobody's answer
            emit(Best(None))
        self._led = votes.winner is not None

    @property
    def counts(self) -> tuple[tuple[str, int], ...]:
        """Answers as they were written, with their votes, best first."""
        return tuple((self._shown[key], n) for key, n in self.votes.counts)

    def outcome(self, world: World | None, problem: Problem) -> Outcome:
        """The winner; undecided when the lead is shared or nothing could be read."""
        votes = self.votes
        detail = {
            "votes": self.counts,
            "samples": votes.seen,
            "unread": votes.unread,
            "failed": votes.failed,
            "tied": [self._shown[key] for key in votes.tied] if len(votes.tied) > 1 else [],
        }
        if votes.winner is None:
            return Outcome(answer=None, status="undecided", detail=detail)
        answer = self._shown[votes.winner]
        detail["verified"] = verified(world, problem, answer)
        return Outcome(answer=answer, text=self._texts[votes.winner], confidence=votes.share, detail=detail)
