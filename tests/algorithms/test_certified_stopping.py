"""The certified rule: its error computed over all votes of two answers, drawn for more, and its rounds."""

from __future__ import annotations

import random
from collections import Counter
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.algorithms.stopping.certified import Certified, evidence
from promptkit.algorithms.stopping.futility import Futility
from promptkit.algorithms.stopping.rule import decide
from promptkit.errors import BadInput

N = 40
FEW = settings(max_examples=60, deadline=None)
State = tuple[int, int, int, int, int, int]  # votes of both answers, target, votes of both in this round, round


def stepped(state: State, vote: int, delta: float, pilot: int) -> State | None:
    """The state after a vote for answer 0 or 1, None when the target is certified: the definition, for two answers."""
    all0, all1, target, new0, new1, round = state
    votes = (all0 + (vote == 0), all1 + (vote == 1))
    if sum(votes) < pilot:
        return (*votes, -1, 0, 0, 0)
    if sum(votes) == pilot:
        return (*votes, int(votes[1] > votes[0]), 0, 0, 1)
    fresh = (new0 + (vote == 0), new1 + (vote == 1))
    if enough(fresh[target], fresh[1 - target], round, delta):
        return None
    if votes[1 - target] > votes[target]:
        return (*votes, 1 - target, 0, 0, round + 1)
    return (*votes, target, *fresh, round)


@cache
def enough(mine: int, other: int, round: int, delta: float) -> bool:
    return float(evidence(mine, other)) * delta >= 1 << round


@cache
def certificates(delta: float, pilot: int = 3, n: int = N) -> dict[tuple[int, int, int], int]:
    """How many sequences end with a certificate, by their votes for both answers and the answer certified."""
    ended: Counter[tuple[int, int, int]] = Counter()
    going: Counter[State] = Counter({(0, 0, -1, 0, 0, 0): 1})
    for _ in range(n):
        reached: Counter[State] = Counter()
        for state, ways in going.items():
            for vote in (0, 1):
                after = stepped(state, vote, delta, pilot)
                if after is None:
                    ended[state[0] + (vote == 0), state[1] + (vote == 1), state[2]] += ways
                else:
                    reached[after] += ways
        going = reached
    return dict(ended)


def probability(answer: int, p: float, delta: float) -> float:
    """Of a certificate for an answer within N samples, when answer 0 comes with probability p."""
    return sum(ways * p**a * (1 - p) ** b for (a, b, target), ways in certificates(delta).items() if target == answer)


@pytest.mark.parametrize("delta", [0.05, 0.2])
def test_over_all_votes_a_rarer_answer_is_certified_with_at_most_delta(delta: float) -> None:
    for p in (0.51, 0.55, 0.6, 0.75, 0.9):
        assert probability(1, p, delta) <= delta / 2
    assert probability(0, 0.5, delta) + probability(1, 0.5, delta) <= delta, "neither is the mode"
    assert probability(0, 0.9, delta) > 0.99, "it does certify"


def test_the_figures_at_five_percent() -> None:
    assert probability(0, 0.5, 0.05) + probability(1, 0.5, 0.05) == pytest.approx(0.0140, abs=5e-5)
    assert probability(1, 0.55, 0.05) == pytest.approx(0.00189, abs=5e-6)


@given(st.lists(st.sampled_from([0, 0, 0, 1, 1, None]), max_size=N), st.sampled_from([0.05, 0.3]), st.integers(1, 4))
@FEW
def test_what_is_computed_is_what_runs(drawn: list[int | None], delta: float, pilot: int) -> None:
    state: State | None = (0, 0, -1, 0, 0, 0)
    target, first = None, next((vote for vote in drawn if vote is not None), 0)
    for vote in drawn:
        if vote is not None and state is not None:
            target = state[2]
            state = stepped(state, vote ^ first, delta, pilot)  # of an even pilot the first seen is the target
    verdict = Certified(delta, pilot).check([None if vote is None else str(vote) for vote in drawn], N)
    assert verdict.stop == (state is None)
    assert verdict.answer == (str((target or 0) ^ first) if state is None else None)


@pytest.mark.parametrize("p", [(0.4, 0.4, 0.2), (0.35, 0.3, 0.2, 0.1, 0.05), (0.12,) * 8])
def test_with_many_answers_false_certificates_are_rarer_than_delta(p: tuple[float, ...]) -> None:
    rng, rule, false = random.Random(7), Certified(0.1), 0
    names, trials = [str(at) for at in range(len(p))], 300
    modes = [name for name, share in zip(names, p, strict=True) if share == max(p)]
    for _ in range(trials):
        verdict = rule.check(rng.choices(names, p, k=N), N)
        false += verdict.stop and (len(modes) > 1 or verdict.answer not in modes)
    assert false / trials <= 0.1


def test_the_pilot_is_no_evidence() -> None:
    needed = 8  # at delta / 2 = 1/40 against nothing
    assert not Certified().check(["a"] * (3 + needed - 1), N).stop
    done = Certified().check(["a"] * (3 + needed), N)
    assert (done.stop, done.answer, done.needed) == (True, "a", 40)
    assert "0.05" in done.guarantee
    assert "not the truth" in done.guarantee
    assert Certified().next_batch([], N) == 3 + needed


def test_another_leader_becomes_the_target_at_half_the_error() -> None:
    begun = ["a", "a", "b", "b", "b"]
    now = Certified().progress(begun)
    assert (now.target, now.round, now.fresh) == ("b", 2, ())
    assert Certified().check(begun, N).needed == 80
    assert Certified().check([*begun, *["b"] * 9], N).answer == "b"


def test_a_certificate_stands_whatever_the_rest_of_its_batch_says() -> None:
    certified = ["a"] * 11
    assert Certified().check([*certified, *["b"] * 20], N).answer == "a"


def test_what_cannot_be_read_is_no_evidence() -> None:
    silent = Certified().check([None] * 20, N)
    assert (silent.stop, silent.answer) == (False, None)
    assert Certified().check([None, "a"] * 11, N).answer == "a"


@given(st.lists(st.sampled_from(["a", "a", "b", "c", None]), max_size=24), st.integers(1, 7))
@FEW
def test_batches_of_any_size_certify_the_same_answer(drawn: list[str | None], size: int) -> None:
    rule = Certified(0.3)
    at_once = rule.check(drawn, N)
    seen: list[str | None] = []
    while len(seen) < len(drawn) and not rule.check(seen, N).stop:
        seen = drawn[: len(seen) + size]
    assert rule.check(seen, N).answer == at_once.answer


def test_hopeless_questions_end_undecided() -> None:
    torn: list[str | None] = ["a", "b"] * 8
    rule = Futility(Certified())
    verdict = decide(rule, torn, 20)
    assert (verdict.stop, verdict.answer) == (True, None)
    assert "not even 4 more equal answers" in verdict.reason
    assert "undecided" in verdict.guarantee
    assert not decide(Certified(), torn, 20).stop, "without futility it goes on to the majority"
    assert decide(rule, ["a"] * 12, 20).answer == "a"
    assert decide(rule, [*torn, "a", "a", "a", "a"], 20).answer is None, "a majority is no certificate"


@pytest.mark.parametrize("delta", [0.0, 1.0, -0.1, float("nan")])
def test_an_error_is_a_probability(delta: float) -> None:
    with pytest.raises(BadInput, match="probability of error"):
        Certified(delta)
