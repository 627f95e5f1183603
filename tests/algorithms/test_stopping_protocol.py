"""What every stopping rule keeps to, and how one is put to use: batches, curtailment, futility, what is said."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.algorithms.stopping.beta import Beta
from promptkit.algorithms.stopping.certified import Certified
from promptkit.algorithms.stopping.consensus import Entropy, MajorityShare
from promptkit.algorithms.stopping.dirichlet import Dirichlet
from promptkit.algorithms.stopping.esc import ESC
from promptkit.algorithms.stopping.futility import Futility
from promptkit.algorithms.stopping.lead import Lead
from promptkit.algorithms.stopping.ppr import PPR
from promptkit.algorithms.stopping.rule import StoppingRule, batch_size, decide
from promptkit.algorithms.voting.ballot import Ballot
from promptkit.algorithms.voting.tally import tally
from promptkit.algorithms.voting.weighted import Weighted
from promptkit.errors import BadInput

RULES: list[StoppingRule] = [
    Beta(),
    Beta(0.8),
    Dirichlet(0.8),
    ESC(2),
    ESC(3),
    Lead(2),
    MajorityShare(0.7),
    Entropy(0.7),
    PPR(0.3),
    Certified(0.6, pilot=2),
    Certified(0.9, pilot=1),
]
OF_COUNTS = [rule for rule in RULES if not isinstance(rule, ESC | Certified)]
ANSWERS = st.lists(st.sampled_from(["a", "a", "a", "b", "b", "c", None]), max_size=12)
FEW = settings(max_examples=12, deadline=None)


def named(rule: StoppingRule) -> str:
    return repr(rule)


def soonest(rule: StoppingRule, answers: list[str | None], n: int) -> int | None:
    """The fewest further samples after which a rule stops, by trying all there could be."""
    for more in range(n - len(answers) + 1):
        for rest in product(["a", "b", "c", "d", None], repeat=more):
            if rule.check([*answers, *rest], n).stop:
                return more
    return None


@pytest.mark.parametrize("rule", [*RULES, *map(Futility, RULES)], ids=named)
def test_no_smaller_batch_could_stop(rule: StoppingRule) -> None:
    begun: list[tuple[list[str | None], int]] = [
        ([], 4),
        (["a"], 5),
        (["a", "b", "a"], 7),
        (["a", "a", "b", "b"], 7),
        (["a", None, "b", "c"], 7),
        (["b", "a", "b", "b"], 7),
    ]
    for answers, n in begun:
        if not rule.check(answers, n).stop:
            assert rule.next_batch(answers, n) == soonest(rule, answers, n)


@pytest.mark.parametrize("rule", RULES, ids=named)
@given(answers=ANSWERS)
@FEW
def test_a_stopped_vote_has_an_answer_and_says_what_it_is_worth(rule: StoppingRule, answers: list[str | None]) -> None:
    verdict = rule.check(answers, 12)
    assert verdict.stop == (verdict.answer is not None)
    assert verdict.answer is None or verdict.answer in answers
    assert verdict.reason
    assert "no bound" in verdict.guarantee or "not the truth" in verdict.guarantee


@pytest.mark.parametrize("rule", OF_COUNTS, ids=named)
@given(answers=ANSWERS, rng=st.randoms(use_true_random=False))
@FEW
def test_rules_of_counts_do_not_look_at_the_order(
    rule: StoppingRule, answers: list[str | None], rng: random.Random
) -> None:
    shuffled = list(answers)
    rng.shuffle(shuffled)
    there, here = rule.check(answers, 20), rule.check(shuffled, 20)
    assert (there.stop, there.answer, there.level) == (here.stop, here.answer, here.level)
    assert rule.next_batch(answers, 20) == rule.next_batch(shuffled, 20)


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_what_cannot_be_read_never_stops_a_vote(rule: StoppingRule) -> None:
    assert not rule.check([None] * 10, 20).stop
    assert not rule.check([], 20).stop
    assert not rule.check(["a", "b"] * 4, 20).stop, "nor does a tie"


def test_windows_lie_end_to_end_whatever_the_batches() -> None:
    assert not ESC(3).check(["b", "a", "a", "a", "b"], 9).stop, "three in a row, in no window"
    late = ["a", "b", "b", "c", "c", "c", "a", "a", "a"]
    assert ESC(3).check(late, 9).answer == "c", "the first window that agrees, though a has more votes"
    assert [ESC(3).next_batch(late[:m], 9) for m in range(6)] == [3, 2, 4, 3, 2, 1]
    assert ESC(3).next_batch(["a", "b", "b", "c"], 6) == 2
    assert ESC(3).next_batch(["a", "b", "b", "c", "d"], 6) is None


def test_more_answers_than_are_possible_certify_nothing() -> None:
    seen: list[str | None] = [*["a"] * 30, "b", "c"]
    assert not PPR(0.05, choices=2).check(seen, 40).stop
    assert "3 answers came where 2 are possible" in PPR(choices=2).check(seen, 40).reason
    assert PPR(0.05, choices=4).check(seen, 40).answer == "a"


def test_curtailment_is_always_on() -> None:
    for rule in (None, Lead(9), PPR(0.001)):
        verdict = decide(rule, ["a"] * 4, 7)
        assert (verdict.stop, verdict.answer) == (True, "a")
        assert verdict.reason == "3 more samples could not change the vote"
        assert verdict.guarantee == "the winner is that of all n samples"
    assert decide(None, ["a", "b"], 2).answer is None, "a tie is nobody's"
    assert decide(None, ["a", "b"], 2).reason == "all samples are in"
    assert decide(None, ["a", "b", None], 3).stop
    assert (decide(None, [], 5).stop, decide(None, [], 5).batch) == (False, 3)


@given(st.lists(st.sampled_from(["a", "b", None]), min_size=9, max_size=9))
@settings(max_examples=60, deadline=None)
def test_with_batches_as_told_no_round_is_without_a_chance(answers: list[str | None]) -> None:
    seen = 0
    while not (now := decide(Lead(3), answers[:seen], 9)).stop:
        assert 1 <= now.batch <= 9 - seen
        assert not any(decide(Lead(3), [*answers[:seen], *["a"] * j], 9).stop for j in range(now.batch))
        assert not any(decide(Lead(3), [*answers[:seen], *["b"] * j], 9).stop for j in range(now.batch))
        seen += now.batch
    assert now.answer is None or now.answer in answers


def test_another_vote_is_settled_by_its_own_weights() -> None:
    ballots = [Ballot(answer="a", weight=1.0), *[Ballot(answer="b", weight=0.3)] * 2]
    answers = [ballot.answer for ballot in ballots]
    votes = Weighted(heaviest=1.0).count(ballots)
    assert decide(None, answers, 4).batch == 1
    assert not decide(None, answers, 4, votes).stop
    assert decide(None, answers, 3, votes).answer == "a"
    assert decide(None, answers, 3).answer == "b"


def test_a_batch_is_as_large_as_is_likely_to_do() -> None:
    assert batch_size(Beta(), [], 40) == 4, "less cannot stop it"
    assert batch_size(PPR(), [], 40, widest=4) == 8, "nor can 4 here: one round for what takes 8"
    assert batch_size(Beta(), ["a", "a", "a"], 40) == 1
    torn: list[str | None] = ["a", "b", "a", "b", "a"]
    assert decide(Lead(3), torn, 40).batch == 2
    assert batch_size(Lead(3), torn, 40, widest=4) == 4, "2 could, and probably will not"
    assert batch_size(Beta(), torn[:4], 6) == 2, "no more than are left"
    assert batch_size(None, [], 9) == 5


@pytest.mark.parametrize("rule", RULES, ids=named)
@given(answers=ANSWERS)
@settings(max_examples=8, deadline=None)
def test_a_batch_never_reaches_past_the_last_sample(rule: StoppingRule, answers: list[str | None]) -> None:
    if not decide(rule, answers, 13).stop:
        assert 1 <= batch_size(rule, answers, 13, widest=3) <= 13 - len(answers)


def test_futility_leaves_what_can_still_be_decided_alone() -> None:
    rule = Futility(Beta())
    assert not rule.check(["a", "b"], 10).stop
    assert rule.check(["a"] * 4, 10).answer == "a"
    hopeless = rule.check(["a", "b", "a", "b"], 6)
    assert (hopeless.stop, hopeless.answer) == (True, None)
    assert rule.next_batch(["a", "b", "a", "b"], 6) == 0


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda: Beta(0.5), "posterior"),
        (lambda: Beta(1.0), "posterior"),
        (lambda: Dirichlet(float("nan")), "posterior"),
        (lambda: Dirichlet(top=1), "compared"),
        (lambda: ESC(1), "always agrees"),
        (lambda: Lead(0), "at least 1"),
        (lambda: MajorityShare(0.5), "share"),
        (lambda: Entropy(1.0), "entropy"),
        (lambda: PPR(0), "probability of error"),
        (lambda: PPR(choices=1), "possible answers"),
        (lambda: Certified(pilot=0), "pilot"),
    ],
)
def test_parameters_that_mean_nothing_are_refused(make: Callable[[], StoppingRule], fault: str) -> None:
    with pytest.raises(BadInput, match=fault) as refused:
        make()
    assert refused.value.hint


def test_the_tally_that_is_settled_is_the_vote_of_all() -> None:
    """Curtailment in all votes of six: the winner is that of the whole vote."""
    for drawn in product(["a", "b", None], repeat=6):
        seen = next(m for m in range(7) if decide(None, drawn[:m], 6).stop)
        assert decide(None, drawn[:seen], 6).answer == tally(drawn).winner
