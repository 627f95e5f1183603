"""`promptkit doctor` beyond its own process: an Ollama here, keys, certificates, and the APIs with --online."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from spoken import Said, command
from wire_server import served

KEY = "sk-0123456789abcdefghijklmnop"
CARDS = {"object": "list", "data": [{"id": "one"}, {"id": "two"}]}
OLLAMA: dict[str, Any] = {
    "/api/version": {"version": "0.12.1"},
    "/api/tags": {"models": [{"name": "qwen3:8b", "model": "qwen3:8b", "digest": "abc"}]},
    "/api/ps": {"models": []},
    "/api/show": {"modelfile": "", "details": {}, "model_info": {"qwen3.context_length": 40960}, "capabilities": []},
}


@contextmanager
def serving(answers: dict[str, Any], key: str = "") -> Iterator[tuple[str, list[str]]]:
    """A server of fixed answers; the paths it was asked. With a key it refuses every other one."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers.get("content-length") or 0))
            status, body = (200, answers[self.path]) if self.path in answers else (404, {"error": "no such path"})
            if key and self.headers.get("authorization") != f"Bearer {key}":
                status, body = 401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with served(Handler) as address:
        yield address, asked


def line(said: Said, start: str) -> str:
    """The line that begins so behind its mark, with what mends it."""
    lines = said.out.splitlines()
    at = next(number for number, each in enumerate(lines) if each[4:].startswith(start))
    below = lines[at + 1 : at + 2]
    return lines[at] + (f" {below[0].strip()}" if below and below[0].startswith("      ") else "")


def doctor(home: Path, *words: str, **env: str) -> Said:
    return command(home, "doctor", *words, **{"OLLAMA_HOST": "127.0.0.1:9", **env})


def test_an_ollama_on_this_machine(tmp_path: Path) -> None:
    with serving(OLLAMA) as (address, _):
        said = doctor(tmp_path, OLLAMA_HOST=address)
        assert said.code == 0
        assert line(said, "ollama 0.12.1 at 127.0.0.1").startswith("  ✓ ")
        assert "1 model: qwen3:8b" in said.out
        missing = doctor(tmp_path, OLLAMA_HOST=address, PROMPTKIT_MODEL="ollama:qwen3:8b")
        assert missing.code == 0


def test_a_context_that_is_too_small_for_a_pack(tmp_path: Path) -> None:
    folder = tmp_path / "prompts" / "mine"
    folder.mkdir(parents=True)
    (folder / "pack.md").write_text("---\ntitle: Mine\n---\n")
    (folder / "solve.md").write_text(f"---\ninputs: [question]\n---\n{'many words ' * 2000}{{{{ question }}}}\n")
    with serving(OLLAMA) as (address, _):
        said = doctor(tmp_path, OLLAMA_HOST=address)
    assert said.code == 0
    warned = line(said, "ollama gives qwen3:8b a context of 4,096 tokens, and mine/solve may need")
    assert warned.startswith("  ! ")
    assert warned.endswith("-o num_ctx=8192")


def test_no_ollama_is_broken_only_where_it_is_the_default(tmp_path: Path) -> None:
    said = doctor(tmp_path)
    assert (said.code, line(said, "no ollama")[:4]) == (0, "  · ")
    said = doctor(tmp_path, PROMPTKIT_MODEL="ollama:qwen3:8b")
    assert (said.code, line(said, "no ollama")[:4]) == (1, "  ✗ ")


def test_an_ollama_elsewhere_and_the_apis_are_left_alone(tmp_path: Path) -> None:
    with serving(OLLAMA) as (_, asked), serving({"/v1/models": CARDS}, KEY) as (api, tried):
        env = {"OLLAMA_HOST": "ollama.invalid:1", "OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{api}/v1"}
        said = doctor(tmp_path, **env)
        assert (asked, tried) == ([], [])
    assert "is not on this machine" in said.out
    assert "openai key from OPENAI_API_KEY (…mnop), not tried" in said.out
    assert KEY not in said.out + said.err
    assert said.code == 0


def test_online_tries_the_keys(tmp_path: Path) -> None:
    with serving({"/v1/models": CARDS}, KEY) as (api, tried):
        env = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{api}/v1"}
        said = doctor(tmp_path, "--online", **env)
        assert "(…mnop), accepted, " in line(said, "openai key")
        assert line(said, "openai key").endswith("2 models")
        assert tried == ["/v1/models"]
        wrong = doctor(tmp_path, "--online", **{**env, "OPENAI_API_KEY": "sk-wrong-wrong-wrong-wrong"})
    assert wrong.code == 1
    assert line(wrong, "openai key").startswith("  ✗ ")
    assert line(wrong, "openai key").endswith("promptkit keys set openai")
    assert "sk-wrong" not in wrong.out


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_that_are_not_there(variable: str, tmp_path: Path) -> None:
    said = doctor(tmp_path, **{variable: "/no/such/certificates.pem"})
    assert said.code == 1
    assert line(said, variable).endswith(f"unset {variable}")
