"""Tables of next tokens in a scripted model's file: what they give, and what is wrong with a wrong one."""

from __future__ import annotations

import asyncio
from math import exp
from pathlib import Path

import pytest

from promptkit.errors import BadInput, Rejected
from promptkit.providers.scripted import open_scripted
from promptkit.types import Completion, Request, message

CAT = """
next:
  - after: cat
    tokens: {" is": 0.6, " sat": 0.3, "": 0.05}
    rest: 0.05
  - after: The cat
    tokens: {" sat": 0.3, " is": 0.7}
  - tokens: {" .": 1}
"""


def ask(path: Path, text: str, logprobs: int = 10, raw: bool = True) -> Completion:
    request = Request(messages=(message("user", text),), max_tokens=1, logprobs=logprobs, raw=() if raw else None)
    return asyncio.run(open_scripted(str(path), {}).complete(request))


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "cat.yaml"
    path.write_text(text)
    return path


def test_the_longest_ending_counts_and_the_likeliest_comes_first(tmp_path: Path) -> None:
    path = written(tmp_path, CAT)
    top = ask(path, "The cat").logprobs[0].top
    assert [(text, round(exp(p), 9)) for text, p in top] == [(" is", 0.7), (" sat", 0.3)]
    assert [text for text, _ in ask(path, "A cat").logprobs[0].top] == [" is", " sat", ""]
    assert ask(path, "A dog").text == " ."
    assert len(ask(path, "A cat", logprobs=1).logprobs[0].top) == 1
    assert ask(path, "A cat", raw=False).logprobs  # the first token of a reply, where somebody asks for it


def test_it_can_do_what_its_file_says(tmp_path: Path) -> None:
    has = open_scripted(str(written(tmp_path, CAT)), {}).capabilities
    assert (has.raw, has.logprobs) == (True, True)
    has = open_scripted(str(written(tmp_path, "replies: [{say: x}]")), {}).capabilities
    assert (has.raw, has.logprobs) == (False, False)


def test_replies_and_tables_stand_beside_each_other(tmp_path: Path) -> None:
    path = written(tmp_path, 'replies: [{say: "Hello"}]\nnext: [{after: cat, tokens: {" is": 1}}]')
    assert ask(path, "The cat").text == " is"
    assert ask(path, "The cat", logprobs=0, raw=False).text == "Hello"
    with pytest.raises(Rejected, match="no next token for a text that ends in 'The dog'"):
        ask(path, "The dog")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("next: []", "not a list of tables"),
        ("next: {a: 1}", "not a list of tables"),
        ("next: [{after: x}]", "table 1 of next is not of the form"),
        ("next: [{tokens: {a: 1}, when: x}]", "not of the form"),
        ("next: [{tokens: {}}]", "has no token"),
        ("next: [{after: 7, tokens: {a: 1}}]", "after must be text, not 7"),
        ("next: [{tokens: {7: 1}}]", "a token must be text, not 7"),
        ("next: [{tokens: {a: 0, b: 1}}]", "'a' must be above 0"),
        ("next: [{tokens: {a: 1.5}}]", "at most 1, not 1.5"),
        ("next: [{tokens: {a: true}}]", "not True"),
        ("next: [{tokens: {a: '1'}}]", "not '1'"),
        ("next: [{tokens: {a: 0.5, b: 0.4}}]", "add up to 0.9, not 1"),
        ("next: [{tokens: {a: 0.5, b: 0.4}, rest: 0.2}]", "add up to 1.1"),
        ("next: [{tokens: {a: 1}, rest: x}]", "rest must be a probability"),
        ("next: [{tokens: {a: 1}}, {tokens: {b: 1}}]", "two tables after ''"),
        ("following: [{tokens: {a: 1}}]", "not a scripted model"),
    ],
)
def test_a_wrong_table_is_refused_by_its_number(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(BadInput, match=fault) as raised:
        open_scripted(str(written(tmp_path, text)), {})
    assert "cat.yaml" in raised.value.message
    assert raised.value.hint
