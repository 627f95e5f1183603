"""The calls of the strategies in strategies/voting, of every way to vote and of every stopping rule."""

from __future__ import annotations

from dataclasses import replace

from call_graph import SCRIPTED, Case, prompt_of

from promptkit.strategies.voting.best_of_n import BestOfN
from promptkit.strategies.voting.deepconf import DeepConf
from promptkit.strategies.voting.sc import SelfConsistency
from promptkit.types import Completion, Problem, Request, Token

DRAWN = ("42", "41", "42", "forty", "42")  # what the samples say, by the innermost draw
TELLS = replace(SCRIPTED, logprobs=True, grammar=True)
CHOICE = Problem(text="What is six times seven?\nA) 41\nB) 42\nC) 36")


def voting(request: Request) -> str:
    """Says 42 three times in five."""
    return f"Let me see.\nAnswer: {DRAWN[request.index % len(DRAWN)]}"


def telling(request: Request) -> str | Completion:
    """Says the same, with log-probabilities where they are asked for; sure of its 42 only."""
    if "write 1, otherwise 0" in prompt_of(request):
        return tokens("1", -0.2 if "Answer: 42" in prompt_of(request) else -2.0)
    return tokens(voting(request), -0.1 if "42" in voting(request) else -1.5) if request.logprobs else voting(request)


def tokens(text: str, logprob: float) -> Completion:
    """A reply whose tokens all have this log-probability."""
    top = (("1", logprob), ("0", -1.0))
    words = tuple(Token(word, logprob, (*top, ("x", -6.0))) for word in text.split())
    return Completion(text=text, model="scripted:graph", logprobs=words)


def judging(request: Request) -> str:
    """Says the same, judges only 42 to be right, and finds that two answers never mean the same."""
    asked = prompt_of(request)
    if "Proposed answer" in asked:
        return "yes" if "Proposed answer: 42" in asked else "no"
    if "entail" in asked:
        return "They differ.\nno"
    if "most consistent" in asked:
        return f"The most consistent response is Response {1 if asked.index('42') < asked.index('41') else 5}"
    return "Ranking: 42 > 41 > forty" if "Ranking:" in asked else voting(request)


def choosing(request: Request) -> str:
    """Finds the option 42 wherever it stands."""
    line = next(line for line in prompt_of(request).splitlines() if line.endswith(") 42"))
    return f"Answer: {line[0]}"


def _voted(vote: str, **how: object) -> Case:
    return Case(strategy=SelfConsistency(n=5, vote=vote), **{"reply": judging, **how})  # type: ignore[arg-type]


def _stopped(stop: str, n: int = 20) -> Case:
    return Case(strategy=SelfConsistency(n=n, stop=stop), reply=lambda request: "Answer: 42")


CASES = {
    "sc": Case(strategy=SelfConsistency(n=5), reply=voting),
    "sc-settled-early": Case(strategy=SelfConsistency(n=6), reply=lambda request: "Answer: 42"),
    "sc-of-cot": Case(strategy=SelfConsistency(n=5, of="cot"), reply=voting),
    "sc-of-sc": Case(strategy=SelfConsistency(n=3, of="sc(n=3)"), reply=voting),
    "sc-majority": _voted("majority"),
    "sc-weighted": _voted("weighted", reply=telling, capabilities=TELLS),
    "sc-cisc": _voted("cisc", reply=telling, capabilities=TELLS),
    "sc-complexity": _voted("complexity"),
    "sc-cluster": _voted("cluster"),
    "sc-universal": _voted("universal"),
    "sc-borda": _voted("borda"),
    "sc-deepconf": _voted("deepconf", reply=telling, capabilities=TELLS),
    "sc-choice-shuffle": _voted("choice-shuffle", reply=choosing, problem=CHOICE),
    "sc-stop-none": _stopped("none", n=6),
    "sc-stop-beta": _stopped("beta"),
    "sc-stop-dirichlet": _stopped("dirichlet"),
    "sc-stop-esc": _stopped("esc"),
    "sc-stop-entropy": _stopped("entropy"),
    "sc-stop-majority-share": _stopped("majority-share"),
    "sc-stop-lead": _stopped("lead"),
    "sc-stop-ppr": _stopped("ppr"),
    "sc-stop-certified": _stopped("certified", n=40),
    "sc-stop-futility": Case(strategy=SelfConsistency(n=8, stop="futility(beta(0.99))"), reply=voting),
    "best-of-n": Case(strategy=BestOfN(n=5), reply=judging),
    "best-of-n-verified": Case(
        strategy=BestOfN(n=6, batch=3),
        reply=lambda request: f"Answer: {('4 * 6', '8 * 3 * 1 * 1', '(8 - 1 - 1) * 4', '8 + 16')[request.index % 4]}",
        problem=Problem(text="1 1 4 8", pack="game24"),
    ),
    "deepconf": Case(strategy=DeepConf(n=6, warmup=3, batch=2, window=2), reply=telling, capabilities=TELLS),
}
