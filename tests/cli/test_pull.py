"""`promptkit models pull`: lines into a pipe, bars on a terminal, and what goes wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from ollama_stub import OllamaStub, StubModel, ollama

SCRIPT = """
import sys
from promptkit.cli.pull import pull
from promptkit.cli.speak import complain
from promptkit.errors import PromptkitError
try:
    sys.exit(pull(sys.argv[1]))
except PromptkitError as error:
    sys.exit(complain(error))
"""


def start(server: OllamaStub, name: str) -> subprocess.Popen[str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith("OLLAMA_")}
    env["OLLAMA_HOST"] = server.address
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, name], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def pulled(server: OllamaStub, name: str) -> tuple[int, str, str]:
    with start(server, name) as process:
        said, told = process.communicate(timeout=60)
    return process.returncode, said, told


def test_into_a_pipe_it_says_what_it_does_line_by_line() -> None:
    with ollama(library={"qwen3:8b": StubModel(digest="c" * 64)}) as server:
        code, said, told = pulled(server, "ollama:qwen3:8b")
        assert "qwen3:8b" in server.models
    assert (code, said) == (0, "")
    lines = told.splitlines()
    assert lines[0] == "pulling manifest"
    assert "pulling 000000000000  0 % of 3 kB" in lines
    assert "pulling 000000000000  100 % of 3 kB" in lines
    assert lines[-3:] == [
        "success",
        "ollama:qwen3:8b is there",
        '  promptkit run direct "your question" -m ollama:qwen3:8b',
    ]
    assert "\x1b" not in told


def test_on_a_terminal_there_are_bars(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from promptkit.cli import pull

    with ollama(library={"qwen3:8b": StubModel()}) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.address)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        assert pull.pull("ollama:qwen3:8b") == 0
    told = capsys.readouterr().err
    assert "━" in told
    assert "pulling 000000000001" in told


def test_what_is_not_in_the_library() -> None:
    with ollama() as server:
        code, _, told = pulled(server, "ollama:nosuch")
    assert code == 1
    assert "there is no 'nosuch' to pull" in told
    assert "https://ollama.com/library" in told


def test_another_providers_models_are_not_pulled() -> None:
    with ollama() as server:
        code, _, told = pulled(server, "openai:gpt-4.1-mini")
        assert server.seen == []
    assert code == 2
    assert "promptkit models pull ollama:qwen3:8b" in told


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to a child alone")
def test_ctrl_c_stops_it_and_the_server_hears_of_it() -> None:
    with ollama(library={"qwen3:8b": StubModel()}, layers=(1000,) * 400, pause=0.05) as server:
        with start(server, "ollama:qwen3:8b") as process:
            assert process.stderr
            assert process.stderr.readline() == "pulling manifest\n"
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=30)
        assert process.returncode == 130
        assert server.gone.wait(5)
    assert "what was fetched is kept: promptkit models pull ollama:qwen3:8b" in told
    assert "Traceback" not in told
