"""What a notebook shows of an outcome: answer, votes, tree and cost, and nothing that could run or be fetched."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from promptkit import api
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.types import Outcome

EVIL = "<script>alert(1)</script><img src=x onerror='x()'>\x1b[31m\" style=\"x"
VOID = {"br", "img", "hr", "input", "link", "meta"}


class Page(HTMLParser):
    """The tags of a page, whether they close, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def page(outcome: Outcome) -> Page:
    html = outcome._repr_html_()
    assert html is not None
    shown = Page(html)
    assert shown.open == []
    assert set(shown.tags) <= {"div", "span", "b", "details", "summary", "table", "tr", "td", "tbody"}
    assert set(shown.attributes) <= {"style", "class", "open"}
    assert not re.search(r"url\(|https?:|@import|javascript:", html)
    return shown


def test_a_vote_has_its_bars(journal: Journal) -> None:
    says = ["Answer: 7", "Answer: 8", "Answer: 7"]
    model = Scripted(lambda request: says[request.index % 3], name="voters")
    shown = page(api.run("sc", "which?", model=model, n=6, journal=journal))
    assert re.search(r"which\?.*7.*4/6.*8.*2/6", shown.text)
    assert "share of the vote" in shown.text
    assert "$0 local" in shown.text


def test_a_search_has_its_tree_and_says_verified() -> None:
    shown = page(api.run("tot", "1 4 9 11", pack="game24", journal="memory"))
    assert "details" in shown.tags
    assert re.search(r"\d+ thoughts, \d+ kept", shown.text)
    assert "verified by program" in shown.text
    assert "★" in shown.text


def test_everything_is_escaped(journal: Journal) -> None:
    model = Scripted(lambda _: f"Answer: {EVIL}", name="evil")
    for strategy in ("direct", "sc", "tot"):
        shown = page(api.run(strategy, f"which {EVIL}?", model=model, journal=journal))
        assert "script" not in shown.tags
        assert "<script>" in shown.text
        assert "\x1b" not in shown.text


def test_an_outcome_without_a_run_is_shown_too() -> None:
    assert "undecided" in page(Outcome(answer=None, status="undecided", detail={"reason": "nobody knows"})).text


def test_printed_it_is_its_answer() -> None:
    assert str(Outcome(answer="7")) == "7"
    assert str(Outcome(answer=None, status="undecided")) == "(undecided: no answer)"
