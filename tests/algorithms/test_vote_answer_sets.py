"""Votes on answers as models write them, ties that are shown, and a real log of 100 × 100 samples."""

from __future__ import annotations

import json
from itertools import accumulate
from pathlib import Path

import pytest

from promptkit.algorithms.stopping.beta import Beta
from promptkit.algorithms.stopping.certified import Certified
from promptkit.algorithms.stopping.esc import ESC
from promptkit.algorithms.stopping.ppr import PPR
from promptkit.algorithms.stopping.rule import StoppingRule, decide
from promptkit.algorithms.voting.ballot import Ballot, Majority
from promptkit.algorithms.voting.tally import tally
from promptkit.algorithms.voting.ties import broken
from promptkit.answers import Reading, read

LOG = Path(__file__).parents[3] / "shared" / "data" / "tot" / "game24_cot_100.json"


def canonical(*replies: str, reader: str = "number") -> list[str | None]:
    found = [read(reader, reply) for reply in replies]
    return [each.answer if isinstance(each, Reading) else None for each in found]


def test_one_number_in_many_dresses_is_one_answer() -> None:
    replies = ["The answer is 18.", "The answer is 18.0", "The answer is $18", "#### 18", r"So \boxed{18.00}"]
    votes = tally(canonical(*replies, "The answer is 1,8", "The answer is 180"))
    assert votes.counts[0] == ("18", 5)
    assert votes.winner == "18"


def test_a_reply_without_an_answer_votes_for_nothing() -> None:
    votes = tally(canonical("I cannot tell.", "", "The answer is 7.", "Error: rate limit reached"), failed=2)
    assert (votes.winner, votes.unread, votes.failed, votes.seen) == ("7", 3, 2, 6)
    assert votes.share == pytest.approx(1 / 6), "and it is one of six, not one of one"
    assert votes.interval()[1] < 0.6


def test_nothing_readable_is_undecided() -> None:
    votes = tally(canonical("Hm.", "No idea.", "…"), failed=1)
    assert (votes.winner, votes.tied, votes.margin, votes.seen) == (None, (), 0.0, 4)
    assert decide(Beta(), [None] * 4, 4).answer is None


def test_letters_and_their_texts() -> None:
    assert tally(canonical("(B)", "The answer is B.", "**B**", "Answer: A", reader="choice")).winner == "B"


def test_a_tie_is_broken_on_request_only_and_says_how() -> None:
    drawn = [Ballot(answer=a, logprobs=(p,)) for a, p in (("a", -2.0), ("b", -0.5), ("b", -3.0), ("a", -1.0))]
    votes = Majority().count(drawn)
    assert (votes.winner, votes.tied) == (None, ("a", "b"))
    assert broken(votes, drawn) == ("b", "the likeliest sample")
    silent = [Ballot(answer=ballot.answer) for ballot in drawn]
    assert broken(votes, silent) == ("a", "the first sample drawn")
    assert broken(votes, silent[::-1]) == ("a", "the first sample drawn")
    assert broken(Majority().count(drawn[:3]), drawn[:3]) == ("b", "")
    assert broken(tally([None]), [Ballot()]) == (None, "")
    alike = [Ballot(answer=a, logprobs=(-1.0,)) for a in ("z", "y")]
    assert broken(Majority().count(alike), alike) == ("z", "the first sample drawn")


@pytest.fixture(scope="module")
def log() -> list[tuple[list[str], dict[str, int]]]:
    """GPT-4's 100 chains for each of 100 puzzles: last lines, and which of them are right."""
    if not LOG.exists():
        pytest.skip("no ../shared/data/tot beside the checkout")
    rows = json.loads(LOG.read_text("utf-8"))
    lines = [[text.strip().split("\n")[-1] for text in row["ys"]] for row in rows]
    return [
        (drawn, {line: info["r"] for line, info in zip(drawn, row["infos"], strict=True)})
        for drawn, row in zip(lines, rows, strict=True)
    ]


def test_self_consistency_on_the_game_of_24(log: list[tuple[list[str], dict[str, int]]]) -> None:
    """9 of 100 where ties go to the first, as the paper has it; 10 puzzles are such ties."""
    votes = [tally(drawn) for drawn, _ in log]
    first = [broken(each, [Ballot(answer=a) for a in drawn])[0] for each, (drawn, _) in zip(votes, log, strict=True)]
    assert sum(right[answer or ""] for answer, (_, right) in zip(first, log, strict=True)) == 9
    assert sum(len(each.tied) > 1 for each in votes) == 10


def test_stopping_early_on_the_log(log: list[tuple[list[str], dict[str, int]]]) -> None:
    """Curtailment changes no answer; the others keep to what they promise of the 100 samples' mode."""
    spent, wrong = dict.fromkeys(["none", "beta", "esc", "ppr", "certified"], 0), 0
    rules: dict[str, StoppingRule | None] = {"none": None, "beta": Beta(), "esc": ESC(), "ppr": PPR(choices=40)}
    for drawn, _ in log[::5]:
        whole = tally(drawn)
        for name, rule in (rules | {"certified": Certified()}).items():
            batches = accumulate([4] * 25)
            end = next(m for m in batches if decide(rule, drawn[:m], 100).stop)
            verdict = decide(rule, drawn[:end], 100)
            spent[name] += end
            if name == "none":
                assert verdict.answer == whole.winner
            if name == "certified" and "wrong with probability" in verdict.guarantee:
                wrong += verdict.answer not in whole.tied
    assert spent["beta"] < spent["none"] <= 2000
    assert wrong <= 1
