"""Optimising on scripted models: a planted version is found, none where there is none, and the figures hold."""

from __future__ import annotations

from typing import Any

import pytest
from planted import BASELINE, Knowing, items, optimization, solved

from promptkit.algorithms.stats.paired import paired_difference
from promptkit.errors import BadInput, Unavailable
from promptkit.optimizing.optimization import Optimization
from promptkit.optimizing.proposing import instruction_in
from promptkit.types import Problem, Request

VARIANTS = ("Be very brief.", "Answer at once.", "Count on your fingers.", "Say it in one word.")
PLANTED = "Count on your fingers."


def test_a_planted_instruction_is_found_within_the_budget() -> None:
    found, spent = 0, []
    for seed in range(10):
        model = Knowing({PLANTED: 0.85}, 0.45, seed)
        report = solved(optimization(instructions=VARIANTS), model, seed).detail
        found += report["verdict"] == "better" and report["chosen"] == "instruction 3"
        spent.append(report["spent"]["calls"])
        assert report["spent"]["calls"] == len(model.asked) <= 400
    assert found >= 9
    assert max(spent) < 5 * 48 + 2 * 64, "the race is cheaper than asking everybody everything"


def test_where_nothing_is_better_no_difference_is_found() -> None:
    verdicts = [
        solved(optimization(instructions=VARIANTS), Knowing({}, 0.5, seed), seed).detail["verdict"]
        for seed in range(10, 20)
    ]
    assert verdicts.count("none") >= 9


def test_the_figure_is_that_of_the_held_out_questions_alone() -> None:
    """A version that is right on all it is trained on, and no better elsewhere, is no better."""

    class Overfit(Knowing):
        def __call__(self, request: Request) -> str:
            asked = super().__call__(request)
            text = request.messages[-1].text
            trained = any(each.question in text for each in items(100, 48))
            return (
                next(e.answer or "" for e in items(100, 48) if e.question in text)
                if trained and PLANTED in text
                else asked
            )

    report = solved(optimization(instructions=VARIANTS), Overfit({}, 0.5)).detail
    assert report["chosen"] == "instruction 3"
    best = next(each for each in report["training"]["candidates"] if each["name"] == "instruction 3")
    assert best["training_right"] == 1.0
    assert report["verdict"] == "none"
    assert report["held_out"]["right"] < 0.75
    assert "100" not in report["sentence"], "the training score is not the result"


def test_the_report_to_the_digit() -> None:
    class Exact(Knowing):
        """The baseline is right on every other question, the planted version on all."""

        def __call__(self, request: Request) -> str:
            self.asked.append(request)
            text = request.messages[-1].text
            at = int(text.split()[2])
            return str(2 * at + 1) if PLANTED in text or at % 2 else "no idea"

    report = solved(optimization(instructions=(PLANTED,)), Exact({}, 0)).detail
    held = report["held_out"]
    assert (held["n"], held["failed"], held["right"], held["baseline"], held["difference"]) == (64, 0, 1.0, 0.5, 0.5)
    gap = paired_difference([1.0] * 64, [0.0, 1.0] * 32)
    assert (held["low"], held["high"], held["p"]) == (gap.low, gap.high, gap.p)
    told = f"{100 * gap.low:+.1f} to {100 * gap.high:+.1f}), p < 0.001"
    assert report["sentence"] == (
        f"instruction 1 is better than the baseline: +50.0 points (95 % interval {told} on 64 held-out questions"
    )
    assert report["prompt"].endswith(f"{{{{ question }}}}\n\n{PLANTED}\n")
    assert report["training"]["candidates"][0]["instruction"] == BASELINE


def test_a_version_that_is_hopeless_is_dropped_long_before_the_end() -> None:
    model = Knowing({"Be very brief.": 0.05}, 0.95)
    report = solved(optimization(instructions=("Be very brief.",)), model).detail
    dropped = report["training"]["candidates"][1]
    assert dropped["left"].startswith("hopeless after")
    assert dropped["n"] <= 16
    assert (report["verdict"], report["chosen"], report["held_out"]) == ("none", None, None)
    assert report["sentence"].startswith("no better prompt found: in the race no candidate kept a chance")
    held_out = [each.question for each in items(200, 64)]
    assert not any(question in request.messages[-1].text for request in model.asked for question in held_out)


def test_it_is_the_same_again() -> None:
    what = optimization(instructions=VARIANTS, shown=2, worked=items(0, 8))
    one, two = (solved(what, Knowing({PLANTED: 0.8}, 0.5)).detail for _ in range(2))
    assert one == two


def test_examples_are_chains_that_were_right_and_turn_into_a_candidate() -> None:
    class Shown(Knowing):
        """Right on everything once it has seen two examples; by itself on every third question."""

        def __call__(self, request: Request) -> str:
            self.asked.append(request)
            at = int(request.messages[-1].text.split()[2])
            return str(2 * at + 1) if len(request.messages) == 5 or at % 3 == 0 else "no idea"

    model = Shown({}, 0)
    report = solved(optimization(shown=2, worked=items(0, 8)), model).detail
    assert (report["verdict"], report["chosen"]) == ("better", "2 examples")
    shown = next(request for request in model.asked if len(request.messages) == 5)
    assert [turn.text for turn in shown.messages[1:4:2]] == ["1", "7"], "0 plus 1 and 3 plus 4 were answered right"
    assert [turn.role for turn in shown.messages] == ["user", "assistant"] * 2 + ["user"]
    assert report["prompt"].count("[[assistant]]") == 2


def test_examples_that_ask_nearly_what_is_measured_are_left_out() -> None:
    what = optimization(shown=1, worked=(*items(200, 1), *items(3, 1)))
    report = solved(what, Knowing({}, 1.0)).detail
    assert "What is 200 plus 201?" not in report["prompt"]
    assert "What is 3 plus 4?" in report["prompt"]


def test_no_right_chain_means_no_examples() -> None:
    report = solved(optimization(shown=2, worked=items(0, 8), instructions=(PLANTED,)), Knowing({}, 0.0)).detail
    assert [each["name"] for each in report["training"]["candidates"]] == ["baseline", "instruction 1"]


class Proposing(Knowing):
    """Writes instructions, too: numbered ones, the third of which is the planted one."""

    def __call__(self, request: Request) -> str:
        text = request.messages[-1].text
        if "<INS>" not in text:
            return super().__call__(request)
        self.asked.append(request)
        said = {2: PLANTED, 3: "{{ secret }} {% include 'general/cot' %}", 5: "Version 4."}
        return f"Well.\n<INS>{said.get(request.index, f'Version {request.index}.')}</INS>"


def test_the_model_proposes_and_sees_what_earlier_ones_were_worth() -> None:
    model = Proposing({PLANTED: 0.9}, 0.4)
    report = solved(optimization(propose=6), model).detail
    assert (report["verdict"], report["chosen"]) == ("better", "proposal 3")
    asked = [request.messages[-1].text for request in model.asked if "<INS>" in request.messages[-1].text]
    assert len(asked) == 6
    assert asked[0] == asked[3] != asked[4]
    assert BASELINE in asked[0]
    assert PLANTED not in asked[0]
    scores = [int(line) for line in asked[4].splitlines() if line.isdigit() and len(line) < 3]
    tried = asked[4].partition("Below are some of the questions")[0]
    assert tried.rindex(PLANTED) > tried.rindex(BASELINE), "ascending order"
    assert scores[:5] == sorted(scores[:5])
    assert not any(each.question in asked[4] for each in items(200, 64)), "nothing held out is told"
    names = [each["name"] for each in report["training"]["candidates"]]
    assert names == ["baseline", *(f"proposal {n}" for n in range(1, 6))], "the second Version 4 is the first"
    sent = [request.messages[-1].text for request in model.asked]
    assert any(text.endswith("{{ secret }} {% include 'general/cot' %}") for text in sent), "what it wrote is text"


def test_no_usable_proposal_is_told_as_that() -> None:
    class Silent(Knowing):
        def __call__(self, request: Request) -> str:
            return "" if "<INS>" in request.messages[-1].text else super().__call__(request)

    report = solved(optimization(propose=2), Silent({}, 0.5)).detail
    assert (report["verdict"], report["held_out"]) == ("unmeasured", None)
    assert report["sentence"] == "nothing was measured: there was no candidate to measure"


@pytest.mark.parametrize(
    ("reply", "instruction"),
    [
        ("<INS>Be brief.</INS>", "Be brief."),
        ("So: <ins>\nBe brief.\n</ins> Good?", "Be brief."),
        ("Be brief.", "Be brief."),
        ("Here it is.\n\nBe brief.\n\nGood?", ""),
        ("", ""),
        (f"<INS>{'x' * 2000}</INS>", ""),
    ],
)
def test_what_is_an_instruction_in_a_reply(reply: str, instruction: str) -> None:
    assert instruction_in(reply) == instruction


def test_the_budget_is_never_exceeded_and_held_out_questions_come_first() -> None:
    for calls in (190, 205):
        model = Knowing({PLANTED: 0.9}, 0.4)
        report = solved(optimization(instructions=VARIANTS, calls=calls), model).detail
        assert len(model.asked) <= calls
        assert report["budget"]["reached"]
        assert report["held_out"]["n"] == 64
        assert report["verdict"] == "better"
    model = Knowing({}, 0.5)
    report = solved(optimization(instructions=VARIANTS, calls=10), model).detail
    assert (report["verdict"], report["held_out"], len(model.asked)) == ("unmeasured", None, 0)


def test_tokens_are_a_budget_too() -> None:
    whole = solved(optimization(instructions=VARIANTS, calls=None), Knowing({PLANTED: 0.9}, 0.4)).detail
    tokens = int(0.85 * whole["spent"]["tokens"])
    report = solved(optimization(instructions=VARIANTS, calls=None, tokens=tokens), Knowing({PLANTED: 0.9}, 0.4)).detail
    assert report["spent"]["tokens"] <= tokens
    assert report["budget"]["reached"]


def test_a_call_that_fails_loses_its_pair_and_is_told() -> None:
    class Failing(Knowing):
        def __call__(self, request: Request) -> str:
            if "plus 206?" in request.messages[-1].text or "plus 103?" in request.messages[-1].text:
                raise Unavailable("down")
            return super().__call__(request)

    report = solved(optimization(instructions=(PLANTED,)), Failing({PLANTED: 0.9}, 0.4)).detail
    assert (report["held_out"]["n"], report["held_out"]["failed"]) == (63, 1)
    assert [each["failed"] for each in report["training"]["candidates"]] == [1, 1]


def test_a_template_the_strategy_never_asks_with_is_told() -> None:
    with pytest.raises(BadInput, match="never asks with general/solve"):
        solved(optimization(of="cot", instructions=VARIANTS), Knowing({}, 0.5))


def test_the_forecast_holds() -> None:
    what: Optimization = optimization(instructions=VARIANTS, calls=None)
    said = what.forecast(Problem(text="optimize"))
    for seed in range(3):
        for shares in ({}, {PLANTED: 0.9}):
            model = Knowing(shares, 0.4, seed)
            solved(what, model)
            assert said.least <= len(model.asked) <= (said.most or 0)
    assert said.expected is not None
    assert said.least < said.expected < (said.most or 0)
    capped: Any = optimization(instructions=VARIANTS, calls=200).forecast(Problem(text="optimize"))
    assert capped.most == 200
