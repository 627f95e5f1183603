"""Auto-CoT: the model makes its own worked examples, of questions that differ (arXiv:2210.03493).

Questions, without answers, are clustered; of each cluster the one nearest the centre is answered by zero-shot chain of
thought, and becomes an example when it passes the paper's filters: a question of at most 60 words, a rationale of at
most 5 steps, and an answer. When it does not, the next one of its cluster is asked. Then the question is put behind
these examples as `few-shot` puts it. The paper embeds sentences; here a text is the vector of its words by TF-IDF.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Self

from promptkit import prompts
from promptkit.algorithms.clustering.kmeans import kmeans
from promptkit.algorithms.clustering.tfidf import vectors, words
from promptkit.announced import About, Forecast, reply
from promptkit.composition import made
from promptkit.events import Warned, emit
from promptkit.examples import same
from promptkit.exchange import handed_on, world_of
from promptkit.prompting import questions
from promptkit.prompting.demonstrations import chains, demonstration
from promptkit.ranges import at_least
from promptkit.sampling import Sample, hold, rng, solve_one
from promptkit.types import Model, Outcome, Problem

WORDS = 60  # the paper's filter on a question

Given = str | Path | Sequence[str] | None  # a file, the questions themselves, or the pack's


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoCoT:
    """Make worked examples of questions that differ, by zero-shot chain of thought, and show them before asking."""

    about: ClassVar[About] = About(
        calls="1, and k to k·tries for its examples, but never more than there are questions; the journal has them for "
        "the next one",
        helps="where there are many questions of a kind and no worked examples: GSM8K 47.9, with examples written by "
        "hand 46.9 (arXiv:2210.03493)",
        fails="questions the model mostly gets wrong: so are its examples, which nobody checks; a single question",
    )

    questions: Given = field(
        default=None, metadata={"flag": str | None}
    )  # .txt, .yaml, .jsonl, .csv; default: the pack's
    k: int = 8  # clusters, and so examples, at most
    tries: int = 3  # questions of a cluster that are asked until one passes
    temperature: float | None = None  # sampling temperature; default: the template's
    reply_tokens: int | None = None  # longest reply; default: the template's

    def __post_init__(self) -> None:
        at_least(1, 3, k=self.k, tries=self.tries)

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The answer read from one reply, behind the examples that passed."""
        others = [each for each in self._held(problem) if same(each) != same(problem.text)]
        short = [each for each in others if len(words(each)) <= WORDS]
        clusters = kmeans(vectors(short), self.k, rng(problem, "clusters")) if short else []
        waiting = [[short[i] for i in cluster.members][: self.tries] for cluster in clusters]
        shown: dict[int, dict[str, str]] = {}
        asked: list[Sample] = []
        for attempt in range(self.tries):
            left = [at for at, cluster in enumerate(waiting) if at not in shown and attempt < len(cluster)]
            if not left:
                break
            texts = [waiting[at][attempt] for at in left]
            got = await chains(
                problem,
                texts,
                model,
                where=f"examples-{attempt}",
                temperature=self.temperature,
                max_tokens=self.reply_tokens,
            )
            asked += got
            for at, text, chain in zip(left, texts, got, strict=True):
                if example := demonstration(problem, text, chain):
                    shown[at] = {name: getattr(example, name) for name in ("question", "answer", "rationale")}
        if asked:
            hold(asked, 0.0)
        if missing := len(clusters) - len(shown):
            emit(Warned(f"{missing} of {len(clusters)} clusters have no question that makes an example"))
        examples = [shown[at] for at in sorted(shown)]
        decoding = {"temperature": self.temperature, "reply_tokens": self.reply_tokens}
        few_shot = made("few-shot", {"examples": examples, "n": len(examples), "rationale": True, **decoding})
        outcome = await solve_one(few_shot, problem, model, where="few-shot")
        failed = sum(each.error is not None for each in asked)
        return handed_on(outcome, {"demonstrations": examples, "asked": len(asked), "failed": failed})

    def resolved(self, problem: Problem) -> Self:
        """With the questions themselves in place of their file: a run can be made again when the file has changed."""
        return replace(self, questions=self._held(problem))

    def _held(self, problem: Problem) -> tuple[str, ...]:
        if self.questions is None:
            held = questions.of_pack(problem.pack)
        elif isinstance(self.questions, (str, Path)):
            held = questions.read(self.questions)
        else:
            held = questions.distinct(self.questions)
        for each in held:
            world_of(prompts.pack(problem.pack), replace(problem, text=each, parts=()))  # refused before it is asked
        return held

    def forecast(self, problem: Problem) -> Forecast:
        """The samples it takes; none for examples that an earlier run has asked for."""
        held = len(self._held(problem))
        k = min(self.k, held)
        return Forecast(0, None, min(held, k * self.tries)) + reply(problem)

    def within(self, problem: Problem, samples: int) -> Self | None:
        """With fewer tries, then with fewer examples."""
        left = samples - 1 - (problem.output_schema is not None)
        tries = max(1, min(self.tries, left // self.k))
        fewer = min(self.k, left // tries)
        return replace(self, k=fewer, tries=tries) if fewer > 0 else None
