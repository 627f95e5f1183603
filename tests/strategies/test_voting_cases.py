"""Every way to vote and every stopping rule has its calls written down, and is named where a user looks for it."""

from __future__ import annotations

import pytest
from call_graphs.voting import CASES

from promptkit.balloting.stops import NONE, STOPS, stopping
from promptkit.balloting.votes import VOTES, voting
from promptkit.cli.fields import field_help
from promptkit.errors import BadInput, UnknownName
from promptkit.strategies.voting.sc import SelfConsistency


def test_every_way_to_vote_has_a_case() -> None:
    shown = {case.strategy.vote for case in CASES.values() if isinstance(case.strategy, SelfConsistency)}
    assert set(VOTES) - {vote.partition("(")[0] for vote in shown} == set()


def test_every_stopping_rule_has_a_case() -> None:
    shown = {case.strategy.stop for case in CASES.values() if isinstance(case.strategy, SelfConsistency)}
    assert {NONE, *STOPS} - {stop.partition("(")[0] for stop in shown} == set()


def test_the_help_names_them_all() -> None:
    helps = field_help(SelfConsistency)
    assert [name for name in VOTES if name not in f"{helps['vote']} {SelfConsistency().vote}"] == []
    assert [name for name in STOPS if name not in helps["stop"]] == []


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("bta", "did you mean beta?"),
        ("Beta(0.9)", "did you mean beta?"),
        ("majority_shares", "did you mean majority-share?"),
    ],
)
def test_an_unknown_rule_offers_the_nearest(word: str, hint: str) -> None:
    with pytest.raises(UnknownName) as caught:
        stopping(word)
    assert hint in caught.value.hint
    assert "promptkit strategies sc" in caught.value.hint, "where all of them are"


def test_what_cannot_be_read_is_shown_how_it_is_written() -> None:
    for kind, example, read in (("stop", "beta(0.95)", stopping), ("vote", "cisc(0.5)", voting)):
        with pytest.raises(BadInput) as caught:
            read("beta(")
        assert f'--{kind} "{example}"' in caught.value.hint
        read(example)  # what is offered can be typed


@pytest.mark.parametrize(
    "word",
    [
        "beta(", "beta(0.9, 0.8)", "beta(theta=0.9, theta=0.8)", "beta(thta=0.9)", "beta('x')", "beta(2)", "lead(0)",
        "1", "", "beta(*x)", "beta(**x)", "futility(none)", "futility(futility(beta))", "ppr(choices=1)",
        "beta(0.9); exit()", "beta(__import__('os'))", "lead(2.5)", "beta().x", "none(3)",
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused(word: str) -> None:
    with pytest.raises((BadInput, UnknownName)):
        stopping(word)


@pytest.mark.parametrize("word", ["cisc(0)", "deepconf(1.5)", "deepconf(measure=best)", "complexity(0)", "borda(1)"])
def test_a_vote_that_cannot_be_is_refused(word: str) -> None:
    with pytest.raises(BadInput):
        voting(word)


def test_words_carry_their_parameters() -> None:
    assert str(stopping("futility(ppr(0.1, choices=4))")) == "Futility(of=PPR(delta=0.1, choices=4))"
    assert str(voting("cisc(0.5, ask=p-true)")) == "ByBelief(temperature=0.5, ask='p-true')"
    assert stopping(" none ") is None


@pytest.mark.parametrize("vote", ["weighted", "cisc", "complexity", "universal", "borda", "deepconf"])
@pytest.mark.parametrize("stop", ["beta", "esc", "certified", "futility(ppr)"])
def test_a_rule_that_counts_heads_does_not_stop_a_vote_that_weighs(vote: str, stop: str) -> None:
    with pytest.raises(BadInput, match="counts heads"):
        SelfConsistency(vote=vote, stop=stop)


def test_answers_that_are_joined_later_are_not_certified() -> None:
    SelfConsistency(vote="cluster", stop="beta")
    for stop in ("certified", "ppr", "futility(certified)"):
        with pytest.raises(BadInput, match="certifies nothing"):
            SelfConsistency(vote="cluster", stop=stop, n=40)
