"""What a call costs: who is asked, in which order, and that nobody's guess is ever 0."""

from __future__ import annotations

import importlib.util
import json
import socket
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import promptkit as pk
from promptkit import prices
from promptkit.cli.app import start
from promptkit.errors import BadInput
from promptkit.journal import Journal
from promptkit.prices import Price, price_of
from promptkit.types import Capabilities, Completion, Usage

OFFICIAL = json.dumps({"api": "openai", "model": "gpt-4.1-mini", "base_url": "https://api.openai.com/v1"})
REMOTE, LOCAL, PRICED = Capabilities(), Capabilities(local=True), Capabilities(price=(1.0, 2.0))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()


def write(folder: str, text: str) -> Path:
    file = Path(folder) / "prices.toml"
    file.write_text(text, "utf-8")
    return file


def rates(model: str, capabilities: Capabilities = REMOTE, identity: str = "") -> tuple[float, float] | None:
    found = price_of(model, capabilities, identity)
    return (found.input, found.output) if found else None


def test_who_is_asked_in_which_order(tmp_path: Path) -> None:
    assert rates("openai:gpt-4.1-mini") == (0.4, 1.6)
    assert rates("acme:large", PRICED) == (1.0, 2.0)
    assert rates("acme:large", LOCAL) == (0.0, 0.0)
    assert rates("acme:large") is None
    write("home", '["openai:gpt-4.1-mini"]\ninput = 5\noutput = 6.5\n["acme:large"]\ninput = 0\noutput = 0\n')
    assert rates("openai:gpt-4.1-mini") == (5.0, 6.5)
    assert rates("acme:large", PRICED) == (0.0, 0.0), "who says so may say that it is free"
    (tmp_path / "promptkit.toml").touch()
    project = write(".", '["openai:gpt-4.1-mini"]\ninput = 7\noutput = 8\n')
    found = price_of("openai:gpt-4.1-mini", REMOTE)
    assert found
    assert (found.input, found.where) == (7.0, str(project.resolve()))
    assert rates("acme:large") == (0.0, 0.0), "the user's file is still read"


def test_a_price_is_that_of_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rates("openai:gpt-4.1-mini", identity=OFFICIAL) == (0.4, 1.6)
    for address in ("http://127.0.0.1:8080/v1", "https://models.example.org/v1"):
        assert rates("openai:gpt-4.1-mini", identity=json.dumps({"base_url": address})) is None
    assert rates("openai-compatible:gpt-4.1-mini") is None
    assert rates("scripted:gpt-4.1-mini") is None
    assert rates("openai:no-such-model") is None


def test_without_the_package_only_its_prices_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    prices._listed.cache_clear()
    try:
        assert rates("openai:gpt-4.1-mini") is None
        assert rates("acme:large", PRICED) == (1.0, 2.0)
    finally:
        prices._listed.cache_clear()


def test_no_price_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("it went to the network")

    monkeypatch.setattr(socket.socket, "connect", never)
    prices._listed.cache_clear()
    assert rates("groq:llama-3.3-70b-versatile") == (0.59, 0.79)


def test_long_prompts_cost_what_the_vendor_says() -> None:
    found = price_of("google:gemini-2.5-pro", REMOTE)
    assert found
    assert found.of(1_000_000, 0) == pytest.approx(2.5)
    assert found.of(100_000, 100_000) == pytest.approx(0.125 + 1.0)
    assert price_of("perplexity:sonar-pro", REMOTE) is None, "a fee for every call is no price of tokens"


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**5), st.integers(0, 10**5))
def test_a_reservation_by_more_tokens_is_never_less(given: int, more: int, written: int, rest: int) -> None:
    price = Price(1.25, 10.0, "", ((200_000, 2.5, 15.0), (400_000, 3.0, 15.0)))
    assert price.of(given, written) <= price.of(given + more, written + rest)


FAULTS = [
    ('["openai:m"]\ninput = 1\n', 1, "has no output"),
    ('# mine\n\n["openai:m"]\n', 3, "has no input and no output"),
    ('["a:b"]\ninput = 1\noutput = 1\n["openai:m"]\ninput = -1\noutput = 1\n', 4, "input must be"),
    ('["openai:m"]\ninput = "0.4"\noutput = 1\n', 1, "input must be"),
    ('["openai:m"]\ninput = true\noutput = 1\n', 1, "input must be"),
    ('["openai:m"]\ninput = nan\noutput = 1\n', 1, "input must be"),
    ('["openai:m"]\ninput = 1\noutput = inf\n', 1, "output must be"),
    ('["openai:m"]\ninput = 1\noutput = 1\ncached = 1\n', 1, "has no field 'cached'"),
    ('"openai:m" = 3\n', 1, "must be a table"),
]


@pytest.mark.parametrize(("text", "line", "fault"), FAULTS)
def test_a_fault_is_named_with_file_and_line(text: str, line: int, fault: str) -> None:
    file = write("home", text)
    with pytest.raises(BadInput) as raised:
        price_of("some:other", REMOTE)
    assert raised.value.message.startswith(f"{file.resolve()}:{line}: openai:m {fault}")
    assert "input = 0.40" in raised.value.hint


@pytest.mark.parametrize("text", ["[openai:m]\n", "x", '["a"]\n["a"]\n', "a = " + "[" * 5000])
def test_a_file_that_is_no_toml_is_named(text: str) -> None:
    file = write("home", text)
    with pytest.raises(BadInput) as raised:
        price_of("some:other", REMOTE)
    assert raised.value.message.startswith(str(file.resolve()))
    assert raised.value.hint


amounts = st.floats(0, 1e9, allow_nan=False) | st.integers(0, 10**9)
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@settings(deadline=None)
@given(st.dictionaries(names, st.tuples(amounts, amounts), max_size=5))
def test_what_is_written_is_read(found: dict[str, tuple[float, float]]) -> None:
    tables = [
        f"[{json.dumps(name, ensure_ascii=False)}]\ninput = {a!r}\noutput = {b!r}\n" for name, (a, b) in found.items()
    ]
    text = "".join(tables).replace("\x7f", "\\u007f")
    prices._read.cache_clear()
    write("home", text)
    for name, (a, b) in found.items():
        assert rates(name) == (float(a), float(b))


@settings(deadline=None)
@given(st.text() | st.binary())
def test_any_file_is_read_or_refused(found: str | bytes) -> None:
    raw = found if isinstance(found, bytes) else found.encode("utf-8", "replace")
    prices._read.cache_clear()
    (prices.files()[-1]).write_bytes(raw)
    told: Price | BadInput | None
    try:
        told = price_of("openai:m", REMOTE)
    except BadInput as error:
        told = error
    assert told is None or (isinstance(told, BadInput) and "prices.toml" in told.message)


# Runs.


def reasoned(request: pk.Request) -> Completion:
    usage = Usage(input_tokens=1_000, output_tokens=2_000, reasoning_tokens=1_500)
    return Completion(text="Answer: 4", model="x", usage=usage)


class Paid:
    """A model of a vendor that is in the price list, at its own address or at another."""

    def __init__(self, id: str, address: str = "") -> None:
        self.id, self.capabilities = id, REMOTE
        self.identity = json.dumps({"base_url": address}) if address else id

    async def complete(self, request: pk.Request, /) -> Completion:
        return reasoned(request)


def test_a_run_costs_what_the_price_makes_of_its_tokens(journal: Journal) -> None:
    listed = pk.run("cot", "2 + 2?", model=Paid("openai:gpt-4.1-mini"), journal=journal, max_cost=1.0)
    assert listed.cost_usd == pytest.approx((1_000 * 0.4 + 2_000 * 1.6) / 1e6), "what was reasoned is output already"
    unknown = pk.run("cot", "2 + 3?", model=Paid("acme:large"), journal=journal)
    assert unknown.cost_usd is None
    write("home", '["acme:large"]\ninput = 10\noutput = 20\n')
    known = pk.run("cot", "2 + 4?", model=Paid("acme:large"), journal=journal, max_cost=1.0)
    assert known.cost_usd == pytest.approx(0.05)


def test_a_cap_without_a_price_says_how_to_give_one(journal: Journal) -> None:
    for model in (Paid("acme:large"), [Paid("openai:gpt-4.1-mini"), Paid("acme:large")]):
        with pytest.raises(BadInput, match="acme:large has none") as raised:
            pk.run("cot", "2 + 2?", model=model, journal=journal, max_cost=1.0)
        assert f'{prices.files()[-1]}: ["acme:large"] input = ' in raised.value.hint
        assert ("promptkit[prices]" in raised.value.hint) is (importlib.util.find_spec("genai_prices") is None)
    assert journal.runs() == []


def test_every_model_of_a_list_with_a_price_can_be_capped(journal: Journal) -> None:
    models = [Paid("openai:gpt-4.1-mini"), Paid("groq:llama-3.3-70b-versatile")]
    outcome = pk.run("cot", "2 + 2?", model=models, journal=journal, max_cost=1.0)
    assert outcome.cost_usd == pytest.approx((1_000 * 0.4 + 2_000 * 1.6) / 1e6)


def test_the_hint_names_the_package_where_it_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("promptkit.runtime.budgeted.listing", lambda: False)
    assert start(["run", "cot", "2 + 2?", "-m", "groq:no-such-model", "--max-cost", "1"]) == 2
    said = capsys.readouterr().err
    assert "pip install 'promptkit[prices]'" in said
    assert "prices.toml" in said
