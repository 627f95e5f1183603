"""Stopping rules against exact figures: their tables, dynamic programming over all votes, scipy where there is one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from itertools import product
from math import comb, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.algorithms.stopping.beta import Beta, above_half
from promptkit.algorithms.stopping.certified import evidence
from promptkit.algorithms.stopping.consensus import Entropy, MajorityShare
from promptkit.algorithms.stopping.dirichlet import Dirichlet, largest
from promptkit.algorithms.stopping.esc import ESC
from promptkit.algorithms.stopping.lead import Lead
from promptkit.algorithms.stopping.ppr import PPR, ratio
from promptkit.algorithms.stopping.rule import StoppingRule
from promptkit.errors import BadInput

N = 40
FEW = settings(max_examples=40, deadline=None)


def needed(stops: Callable[[int, int], bool], seconds: int) -> list[int]:
    """The fewest votes of the first that stop against 0, 1, 2 … of the second."""
    return [next(v for v in range(second, 200) if stops(v, second)) for second in range(seconds)]


def votes(first: int, second: int) -> list[str | None]:
    return [*["a"] * first, *["b"] * second]


def stopped_on(rule: StoppingRule, p: float, n: int = N) -> tuple[float, float]:
    """The probabilities of stopping on either of two answers within n, over all sequences; for rules of counts."""
    a = b = 0.0
    going = {(0, 0): 1.0}
    for _ in range(n):
        reached: dict[tuple[int, int], float] = {}
        for (i, j), weight in going.items():
            for state, chance in (((i + 1, j), p), ((i, j + 1), 1 - p)):
                reached[state] = reached.get(state, 0.0) + weight * chance
        ended = {state: rule.check(votes(*state), n) for state in reached}
        a += sum(weight for state, weight in reached.items() if ended[state].answer == "a")
        b += sum(weight for state, weight in reached.items() if ended[state].answer == "b")
        going = {state: weight for state, weight in reached.items() if not ended[state].stop}
    return a, b


@pytest.mark.parametrize(("theta", "table"), [(0.95, [4, 6, 8, 9, 11, 12, 14]), (0.99, [6, 9, 11, 13, 14, 16, 18])])
def test_the_table_of_the_beta_rule(theta: float, table: list[int]) -> None:
    assert needed(lambda a, b: Beta(theta).check(votes(a, b), N).stop, 7) == table


def test_the_tables_of_the_certified_rules() -> None:
    assert needed(lambda a, b: PPR(0.05).check(votes(a, b), N).stop, 4) == [8, 11, 14, 16]
    assert needed(lambda a, b: evidence(a, b) >= 20, 4) == [7, 10, 12, 14]
    assert needed(lambda a, b: PPR(0.05, choices=5).check(votes(a, b), N).stop, 1) == [10], "(K - 1)/delta is 80"


def test_how_often_rules_stop_on_the_wrong_one_of_two_answers() -> None:
    """At p = 0.55, N = 40: "95 %" that is looked at after every sample is not 95 %."""
    assert round(stopped_on(Beta(0.95), 0.55)[1], 3) == 0.109
    assert round(stopped_on(Beta(0.99), 0.55)[1], 3) == 0.020
    assert round(stopped_on(PPR(0.05), 0.55)[1], 3) == 0.003
    assert round(sum(stopped_on(Beta(0.95), 0.5)), 2) == 0.42, "decided, and there is nothing to decide"


@pytest.mark.parametrize("p", [0.5, 0.51, 0.55, 0.7])
@pytest.mark.parametrize("delta", [0.05, 0.2])
def test_the_ratio_errs_with_at_most_delta(p: float, delta: float) -> None:
    assert stopped_on(PPR(delta), p)[1] <= delta
    if p == 0.5:
        assert sum(stopped_on(PPR(delta), p)) <= delta, "neither is the mode"


def test_an_even_lead_of_three_errs_as_gamblers_are_ruined() -> None:
    right, wrong = stopped_on(Lead(3), 0.6, n=200)
    assert wrong / (right + wrong) == pytest.approx(1 / (1 + (0.6 / 0.4) ** 3))
    assert right + wrong == pytest.approx(1, abs=1e-3)


def test_the_released_sprt_is_a_lead_of_three() -> None:
    """ConSol as released: shares 0.5001 against 0.5, alpha 0.05, beta 0.949976."""
    enough = log((1 - 0.949976) / 0.05)
    for a in range(N + 1):
        for b in range(a + 1):
            likelihood = a * log(0.5001 / 0.5) + b * log(0.4999 / 0.5)
            assert (likelihood >= enough) == Lead(3).check(votes(a, b), 2 * N).stop


@pytest.mark.parametrize("p", [(0.55, 0.45), (0.4, 0.3, 0.2, 0.1), (0.97, 0.03)])
def test_windows_are_counted_out(p: tuple[float, ...]) -> None:
    """ESC's expected samples against all outcomes of its windows; its error from the same."""
    esc, going, samples, first, other = ESC(5), 1.0, 0.0, 0.0, 0.0
    for window in range(N // 5):
        samples += 5 * going
        first += going * p[0] ** 5
        other += going * sum(q**5 for q in p[1:])
        going *= 1 - sum(q**5 for q in p)
        assert (window + 1) * 5 <= N
    assert esc.expected(p, N) == pytest.approx(samples)
    assert esc.expected((1.0,), N) == 5
    assert p != (0.55, 0.45) or round(other, 3) == 0.117


def test_esc_on_all_votes_of_six_in_windows_of_two() -> None:
    """What the class does, sample by sample, is what the formula says."""
    p, total = {"a": 0.6, "b": 0.3, "c": 0.1}, 0.0
    for drawn in product(p, repeat=6):
        chance = 1.0
        for answer in drawn:
            chance *= p[answer]
        total += chance * next((m for m in range(1, 6) if ESC(2).check(drawn[:m], 6).stop), 6)
    assert total == pytest.approx(ESC(2).expected(list(p.values()), 6))
    with pytest.raises(BadInput, match="do not fill"):
        ESC(5).expected([1.0], 12)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (1, 0), (3, 2), (7, 7), (12, 3), (30, 10)])
def test_the_posterior_is_the_incomplete_beta(first: int, second: int) -> None:
    numerator = sum(
        (-1) ** k * Fraction(comb(second, k), first + k + 1) * (1 - Fraction(1, 2 ** (first + k + 1)))
        for k in range(second + 1)
    )  # the integral of x^first (1-x)^second from 1/2 to 1, term by term
    whole = Fraction(1, (first + second + 1) * comb(first + second, first))
    assert above_half(first, second) == numerator / whole
    assert ratio(first, second) == whole * 2 ** (first + second)
    assert evidence(first, second) == 2 * above_half(first, second) * ratio(first, second)


@pytest.mark.parametrize("n", [1, 5, 12])
def test_the_evidence_is_worth_nothing_on_average_where_there_is_none(n: int) -> None:
    """E-values: expected 1 if both answers are equally likely, less if the target is rarer."""
    for process in (ratio, evidence):
        mean = sum(Fraction(comb(n, k), 2**n) * process(k, n - k) for k in range(n + 1))
        assert mean == 1
    rarer = sum(comb(n, k) * 0.4**k * 0.6 ** (n - k) * float(evidence(k, n - k)) for k in range(n + 1))
    assert rarer < 1


def test_scipy_agrees() -> None:
    special = pytest.importorskip("scipy.special", reason="scipy is not installed")
    for a, b in product(range(0, 30, 3), repeat=2):
        assert float(above_half(a, b)) == pytest.approx(1 - special.betainc(a + 1, b + 1, 0.5))
        assert float(ratio(a, b)) == pytest.approx(special.beta(a + 1, b + 1) * 2 ** (a + b))


def by_order(first: int, others: Sequence[int]) -> Fraction:
    """P(Gamma(first + 1) is the last of all to come) by the race of Poisson processes: whose event is next."""

    @cache
    def wins(left: int, rest: tuple[int, ...]) -> Fraction:
        if left == 0:
            return Fraction(not rest)
        if not rest:
            return Fraction(1)
        ways = [wins(left - 1, rest)]
        for at, other in enumerate(rest):
            ways.append(wins(left, (*rest[:at], *([other - 1] if other > 1 else []), *rest[at + 1 :])))
        return sum(ways, Fraction(0)) / len(ways)

    return wins(first + 1, tuple(other + 1 for other in others))


@given(st.integers(0, 7), st.lists(st.integers(0, 4), min_size=1, max_size=3))
@FEW
def test_the_dirichlet_posterior_is_that_of_racing_arrivals(first: int, others: list[int]) -> None:
    assert largest(first, tuple(others)) == by_order(first, others)


@given(st.lists(st.integers(0, 12), min_size=2, max_size=5))
@FEW
def test_somebody_is_the_largest(counts: list[int]) -> None:
    each = [largest(n, (*counts[:at], *counts[at + 1 :])) for at, n in enumerate(counts)]
    assert sum(each) == 1
    assert all(0 < one < 1 for one in each)


def test_with_two_answers_the_dirichlet_rule_is_the_beta_rule() -> None:
    for a, b in product(range(16), range(8)):
        assert largest(a, (b,)) == above_half(a, b)
        two, beta = Dirichlet().check(votes(a, b), N), Beta().check(votes(a, b), N)
        assert (two.stop, two.answer, two.level) == (beta.stop, beta.answer, beta.level)
    assert not Dirichlet().check([*votes(4, 0), "c", "d"], N).stop
    many = [*votes(9, 1), *"cdefgh"]
    assert Dirichlet(top=5).check(many, N).level == float(largest(9, (1, 1, 1, 1)))


def test_simple_rules_as_the_paper_has_them() -> None:
    def first(rule: StoppingRule) -> int:
        return next(m for m in range(1, N) if rule.check(votes(m, 0), N).stop)

    assert (first(MajorityShare()), first(Entropy()), first(Lead(3)), first(ESC())) == (2, 4, 3, 5)
    assert MajorityShare().check(["a", "a", "a", "a", "b"], N).stop
    assert not MajorityShare().check(["a", "a", "a", None], N).stop, "an unread sample agrees with nobody"
    assert not Entropy().check(["a", "b"], N).stop


def test_an_entropy_that_nobody_could_know_says_where_it_comes_from() -> None:
    """Of one answer alone it is 0; what is held against the rule is that with one vote for another answer."""
    told = Entropy().check(["a"] * 4, 9)
    assert told.stop
    assert told.reason == "entropy 0; against one vote for something else, normalised entropy 0.72 of 0.75"
    assert Entropy().check(["a", "a", "a", "a", "b"], 9).reason == "normalised entropy 0.72 of 0.75"
