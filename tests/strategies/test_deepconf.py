"""DeepConf online: a warm-up sets what no window of a further trace may fall below; agreement ends the sampling."""

from __future__ import annotations

from typing import Any

import pytest

from promptkit import api
from promptkit.errors import BadInput, CapabilityMissing
from promptkit.providers.scripted import Scripted
from promptkit.strategies.voting.deepconf import DeepConf
from promptkit.types import Capabilities, Completion, Outcome, Problem, Request, Token, Usage, Weak
from promptkit.weak import ended

TELLS = Capabilities(seed=True, local=True, price=(0.0, 0.0), logprobs=True)


def trace(answer: str, *confidences: float) -> Completion:
    """A reply of so many tokens, each as confident as that; the answer is the last of them."""
    words = [*["so\n"] * (len(confidences) - 1), f"Answer: {answer}"]
    tokens = tuple(Token(word, -0.1, (("a", -2 * c), ("b", 0.0))) for word, c in zip(words, confidences, strict=True))
    usage = Usage(output_tokens=len(tokens))
    return Completion(text="".join(words), model="scripted", logprobs=tokens, usage=usage)


def run(traces: list[Completion], **how: Any) -> Outcome:
    model = Scripted(lambda request: traces[request.index], capabilities=TELLS)
    how = {"n": len(traces), "warmup": 2, "batch": 2, "window": 2, "keep": 1.0, "consensus": 1.0, **how}
    return api.run("deepconf", "Which?", model=model, journal="memory", **how)


def test_a_trace_that_grows_unsure_does_not_vote() -> None:
    """One weak stretch in the middle ends it, however sure the rest is."""
    weak = trace("b", 9.0, 1.0, 1.0, 9.0, 9.0)
    sure = trace("a", 5.0, 5.0, 5.0)
    outcome = run([sure, trace("c", 5.0, 5.0, 5.0), weak, weak, weak, sure])
    assert outcome.answer == "a"
    assert (outcome.detail["ended"], outcome.detail["aside"]) == (3, 3)
    assert outcome.detail["tokens_after_end"] == 3 * 2, "ended after its third token; this model writes it whole"


def test_where_to_end_a_trace_is_part_of_its_request() -> None:
    """The warm-up is whole; every further request carries the threshold, and a model may end its reply there."""
    asked: dict[int, Request] = {}

    def script(request: Request) -> Completion:
        asked[request.index] = request
        whole = trace("b", 9.0, 1.0, 1.0, 9.0) if request.index > 1 else trace("ac"[request.index], 5.0, 5.0, 5.0)
        return ended(whole, request.weak)

    model = Scripted(script, capabilities=TELLS)
    how: dict[str, Any] = {"n": 4, "warmup": 2, "batch": 2, "window": 2, "keep": 1.0, "consensus": 1.0}
    outcome = api.run("deepconf", "Which?", model=model, journal="memory", **how)
    assert [asked[index].weak for index in range(4)] == [None, None, Weak(5.0, 2), Weak(5.0, 2)]
    assert (outcome.detail["ended"], outcome.detail["aside"], outcome.answer) == (2, 2, None)
    assert asked[2].canonical() != asked[0].canonical(), "another call to the journal"
    assert asked[2].wire_seed == asked[0].wire_seed + 2, "and the same trace as far as it goes"


def test_the_weak_part_of_the_warm_up_does_not_vote_either() -> None:
    outcome = run([trace("b", 1.0, 1.0), trace("a", 5.0, 5.0)], keep=0.5)
    assert (outcome.answer, outcome.detail["aside"]) == ("a", 1)


def test_traces_that_agree_end_the_sampling() -> None:
    outcome = run([trace("a", 5.0, 5.0)] * 9, consensus=0.95)
    assert (outcome.answer, outcome.detail["samples"], outcome.detail["stopped"]) == ("a", 2, "the traces agree")
    split = run([trace("ab"[at % 2], 5.0, 5.0) for at in range(6)], consensus=0.95)
    assert (split.answer, split.detail["samples"], set(split.detail["tied"])) == (None, 6, {"a", "b"})


def test_a_surer_trace_weighs_more() -> None:
    outcome = run([trace("a", 2.0, 2.0), trace("b", 3.0, 3.0)])
    assert (outcome.answer, dict(outcome.detail["weights"])) == ("b", {"b": 3.0, "a": 2.0})


def test_a_reply_without_log_probabilities_is_set_aside() -> None:
    outcome = run([trace("a", 2.0, 2.0), Completion(text="Answer: b", model="scripted")], keep=0.5)
    assert (outcome.answer, outcome.detail["aside"]) == ("a", 1)


def test_a_model_without_log_probabilities_is_refused() -> None:
    model = Scripted(lambda request: "Answer: a", capabilities=Capabilities(local=True))
    with pytest.raises(CapabilityMissing, match="log-probabilities"):
        api.run("deepconf", "Which?", model=model, journal="memory")


@pytest.mark.parametrize(
    "wrong",
    [{"warmup": 0}, {"warmup": 41}, {"keep": 0.0}, {"window": 0}, {"consensus": 0.4}, {"temperature": 0}, {"batch": 0}],
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        DeepConf(**wrong)


def test_a_forecast_counts_the_traces() -> None:
    told = DeepConf(n=9, warmup=4).forecast(Problem(text="Which?"))
    assert (told.least, told.most) == (4, 9)
    smaller = DeepConf(n=9, warmup=4).within(Problem(text="Which?"), 3)
    assert smaller is not None
    assert (smaller.n, smaller.warmup) == (3, 3)


def test_a_request_asks_for_as_many_log_probabilities_as_the_paper() -> None:
    asked: list[Request] = []

    def script(request: Request) -> Completion:
        asked.append(request)
        return trace("a", 5.0, 5.0)

    api.run("deepconf", "Which?", model=Scripted(script, capabilities=TELLS), journal="memory", n=2, warmup=2)
    assert {request.logprobs for request in asked} == {20}
