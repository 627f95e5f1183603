"""What the vendors' SDKs log by their own switches, on the command line: shown, and without the key."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from echoing import echo

from promptkit.cli.front import start
from promptkit.cli.logs import without_keys
from promptkit.redaction import keep_out

KEY = "Xq7/leak+key=ofNoKnownShape~9"


def command(home: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A process of its own: the SDKs read their switches when they are imported."""
    return subprocess.run(
        [sys.executable, "-m", "promptkit", *words],
        cwd=home,
        env={**os.environ, "PROMPTKIT_HOME": str(home), "PROMPTKIT_JOURNAL": str(home / "journal.db"), **env},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=100,
    )


@pytest.mark.parametrize("provider", ["openai", "groq"])
def test_an_sdk_that_logs_what_a_server_said_logs_no_key(provider: str, tmp_path: Path) -> None:
    switches = {f"{provider.upper()}_LOG": "debug", f"{provider.upper()}_API_KEY": KEY}
    with echo() as (address, seen):
        words = ["run", "cot", "2 + 2?", "-m", f"{provider}:refuses-key", "-o", f"base_url={address}"]
        said = command(tmp_path, *words, **switches)
        listed = command(tmp_path, "models", "list", provider, "-o", f"base_url={address}", **switches)
    assert said.returncode == 4, said.stderr
    assert seen == [f"Bearer {KEY}"], "the key was really sent, and came back"
    assert f"{provider}._base_client" in said.stderr, "the SDK did log"
    assert f"{provider}._base_client" in listed.stderr, "on the long way into the command line, too"
    for text in (said.stdout, said.stderr, listed.stderr):
        assert KEY not in text
        assert "leak" not in text.lower()


def test_a_logged_traceback_has_no_key_either(caplog: pytest.LogCaptureFixture) -> None:
    keep_out(KEY)
    logger = logging.getLogger("somebody")
    with without_keys(), caplog.at_level(logging.DEBUG, "somebody"):
        try:
            raise ValueError(f"not with {KEY}")
        except ValueError:
            logger.debug("%d went wrong with %s", 7, KEY, exc_info=True)
    assert "7 went wrong with …" in caplog.text
    assert "ValueError: not with …" in caplog.text
    assert KEY not in caplog.text


def test_logging_is_as_it_was_after_the_command() -> None:
    before = logging.getLogRecordFactory()
    assert start(["models", "list", "builtin"]) == 2
    assert logging.getLogRecordFactory() is before
