"""How likely a thought is, where the model tells log-probabilities: each by its own tokens, and once."""

from __future__ import annotations

import math

import pytest

from promptkit import api
from promptkit.composition import inner
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.searching.priors import log_probabilities
from promptkit.types import Capabilities, Completion, Request, Token


def reply(*tokens: tuple[str, float], text: str | None = None) -> Completion:
    """What a model said, token by token; `text` is what is left of it when its thinking is set aside."""
    said = "".join(word for word, _ in tokens)
    return Completion(
        text=said if text is None else text,
        model="m",
        logprobs=tuple(Token(word, logprob) for word, logprob in tokens),
    )


def test_a_line_that_is_a_part_of_an_earlier_one_has_its_own_probability() -> None:
    got = reply(("go", -1.0), (" left", -2.0), (" twice\n", -4.0), ("go left", -8.0), ("\n", -16.0), ("go", -32.0))
    assert log_probabilities(got, ["go left twice", "go left", "go"]) == [-7.0, -8.0, -32.0]


def test_what_was_thought_before_does_not_count() -> None:
    got = reply(
        ("<think>left or\nright", -1.0), ("</think>", -2.0), ("left", -4.0), ("\nright", -8.0), text="left\nright"
    )
    assert log_probabilities(got, ["left", "right"]) == [-4.0, -8.0]


@pytest.mark.parametrize("got", [Completion(text="left", model="m"), reply(("right", -1.0), text="left")])
def test_where_the_model_did_not_say_it_is_not_known(got: Completion) -> None:
    assert log_probabilities(got, ["left"]) == [None]


def test_the_same_words_sampled_again_are_no_likelier() -> None:
    drawn = [("left", 0.3), ("left", 0.3), ("right", 0.5)]

    def say(request: Request) -> Completion:
        if "next step" in request.messages[-1].text:
            word, chance = drawn[request.index]
            return reply((word, math.log(chance)))
        return Completion(text="Answer: 42", model="m")

    levin = inner("levin(expansions=1, generate=sample, k=3, depth=1)")
    assert levin
    model = Scripted(say, capabilities=Capabilities(seed=True, logprobs=True, local=True, price=(0.0, 0.0)))
    with Journal.open(None) as journal:
        outcome = api.run(levin, "Where?", model=model, journal=journal)
    assert outcome.detail["path"] == (2,), "right, which is likelier, though left was sampled twice"
