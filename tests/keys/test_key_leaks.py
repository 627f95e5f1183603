"""A key that is in use never appears in what is shown, stored or handed on, whatever a server makes of it."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from echoing import FAULTS, echo

import promptkit as pk
from promptkit import keys
from promptkit.cli.app import start
from promptkit.errors import PromptkitError
from promptkit.events import Retrying, Warned, emit, watch
from promptkit.journal import Journal
from promptkit.redaction import keep_out, redacted
from promptkit.render.html import card

Capture = pytest.CaptureFixture[str]

KEYS = {
    "shaped": "sk-leak-0123456789abcdefLEAK",
    "of no known shape": "Xq7/leak+key=ofNoKnownShape~9",
    "with quotes": "leak\"key\\with'odd,signs{7}",
}


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMPTKIT_HOME", str(tmp_path))
    monkeypatch.setenv("PROMPTKIT_JOURNAL", str(tmp_path / "journal.db"))
    for variable in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "GROQ_API_KEY", "GROQ_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)


def traces(folder: Path) -> dict[str, bytes]:
    """What lies on disk after a run, the file of keys left out."""
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != keys.FILE}


@pytest.mark.usefixtures("instant_retries")
@pytest.mark.parametrize("shape", KEYS)
@pytest.mark.parametrize("provider", ["openai", "groq"])
def test_no_fault_of_a_server_brings_a_key_to_light(
    provider: str, shape: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    key = KEYS[shape]
    if shape == "shaped":
        keys.save(provider, key)
    else:
        monkeypatch.setenv(keys.variable_of(provider), key)
    said = ""
    with echo() as (address, seen):
        for fault in FAULTS:
            for way in ("--events", "--json", "--plain"):
                words = ["run", "cot", "2 + 2?", "-m", f"{provider}:{fault}", "-o", f"base_url={address}"]
                assert start([*words, way, "--max-calls", "2", "--journal", str(tmp_path / "journal.db")]) in (1, 4, 5)
                said += "".join(capsys.readouterr())
        assert set(seen) == {f"Bearer {key}"}, "the key was really sent"
        assert len(seen) >= 3 * len(FAULTS)
    with closing(Journal.open(tmp_path / "journal.db")) as journal:
        rows = journal.runs()
        assert len(rows) == 3 * len(FAULTS)
        for row in rows:
            happened, told = journal.events(row.id), row.outcome or {}
            said += json.dumps([happened, told, str(row)], ensure_ascii=False)
            outcome = pk.Outcome(answer=None, status="error", run=row.id, detail=told.get("detail") or {})
            said += card(outcome, happened)
        for verb in (["show", rows[0].id], ["show", rows[0].id, "--events"], ["export", rows[0].id], ["list"]):
            assert start(["runs", *verb]) == 0
            said += "".join(capsys.readouterr())
        stored = traces(tmp_path)
    assert "journal.db" in stored
    stored["what was shown"] = said.encode()
    for form in (key, json.dumps(key)[1:-1]):
        assert [name for name, text in stored.items() if form.encode() in text] == []
    assert "leak" not in said.lower(), "nor a part of it"


def test_a_key_given_as_an_option_or_a_name_is_refused_unrepeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    key = KEYS["of no known shape"]
    monkeypatch.setenv("OPENAI_API_KEY", key)
    other = "sk-other-0123456789abcdef"
    for model, option in [
        (f"openai:{key}", "timeout=9"),
        (f"openai:{other}", "timeout=9"),
        ("openai:m", f"base_url=http://127.0.0.1:9/{other}"),
        ("openai:m", f"api_key={key}"),
        (other, "timeout=9"),
    ]:
        assert start(["run", "cot", "2 + 2?", "-m", model, "-o", option, "--json"]) == 2
        said = "".join(capsys.readouterr())
        assert "error" in said
        assert key not in said
        assert other not in said
    assert all(key.encode() not in text for text in traces(tmp_path).values())


def test_a_trace_of_ours_has_no_key(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("GROQ_API_KEY", KEYS["with quotes"])
    keys.find("groq")
    found = f"Authorization: Bearer {KEYS['with quotes']}"

    def broken(*_: object) -> None:
        raise RuntimeError(found)

    monkeypatch.setattr("promptkit.cli.keys.columns", broken)
    assert start(["keys", "list"]) == 1
    said = capsys.readouterr().err
    assert "RuntimeError" in said
    assert KEYS["with quotes"] not in said


def test_an_error_or_event_that_quotes_a_key_is_made_without_it() -> None:
    keep_out(KEYS["of no known shape"])
    seen: list[pk.Record] = []
    with watch(seen.append):
        emit(Retrying(1, 0.0, f"no: {KEYS['of no known shape']}"))
        emit(Warned("mind", f"Bearer {KEYS['shaped']}"))
    error = PromptkitError(f"no: {KEYS['of no known shape']}", hint=f"not {KEYS['shaped']}")
    told = f"{[record.to_json() for record in seen]} {error!r} {error} {error.hint} {error.__notes__}"
    assert "leak" not in told.lower()
    assert "no: …" in told


@pytest.mark.parametrize(
    "text",
    [
        "promptkit keys set openai",
        "export OPENAI_API_KEY=…",
        "no option 'key_prefix_of_something'",
        "task-1234567890123456789 of desk-1234567890123456789",
        "sk-learn-and-other-words",
        "a Bearer of news",
        "-m ollama:qwen3:8b",
        "**** stars ****",
    ],
)
def test_what_is_no_key_stays_as_it_is(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "ollama")  # what local servers are sent: a word
    keys.find("openai")
    assert redacted(text) == text


def test_a_key_that_somebody_elses_code_reads_is_kept_out_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_API_KEY", "acme/leak of 9")
    monkeypatch.setenv("HF_TOKEN", "leaking-token")
    for form in ("acme/leak of 9", "acme%2Fleak%20of%209", "leaking-token"):
        assert str(PromptkitError(f"at {form}!")) == "at …!"


def test_what_a_server_says_loses_parts_of_keys_too() -> None:
    for text in ("sk-ab…", "sk-proj-****************cdef", "gsk_12345678", "Bearer abc", "AB****YZ"):
        assert redacted(f"not with {text} here", foreign=True) in ("not with … here", f"not with {text} here")
    assert "cdef" not in redacted("sk-proj-****************cdef", foreign=True)
