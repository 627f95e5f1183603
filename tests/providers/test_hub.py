"""`llamacpp:hf://…`: from the hub's cache, over the wire from a hub on loopback, and what is said without a network."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from importlib.util import find_spec
from pathlib import Path

import pytest
from wire_server import served

from promptkit.errors import BadInput
from promptkit.providers.llama.hub import HubFile, named

BUILTIN = Path(__file__).parents[2] / "promptkit" / "_data" / "builtin.gguf"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
NAME = "hf://somebody/tiny-model/q8/tiny.gguf"

installed = pytest.mark.skipif(find_spec("huggingface_hub") is None, reason="huggingface_hub is an extra")


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("hf://a/b/c.gguf", HubFile("a/b", "main", "c.gguf")),
        ("hf://a/b.c-d/sub/c.GGUF", HubFile("a/b.c-d", "main", "sub/c.GGUF")),
        ("hf://a/b@v1.0/c.gguf", HubFile("a/b", "v1.0", "c.gguf")),
    ],
)
def test_an_address_names_a_repository_a_revision_and_a_file(address: str, wanted: HubFile) -> None:
    assert named(address) == wanted


@pytest.mark.parametrize(
    "file",
    [
        *("", "a", "a/b", "a/b/", "/a/b/c.gguf", "a/b/../c.gguf", "../b/c.gguf", "a/../c.gguf", "a/b//c.gguf"),
        *("a/b/..\\c.gguf", "a/b/c.bin", "a/b@/c.gguf", "a/b@../c.gguf", "a/b c/d.gguf", "a/b/c:d.gguf"),
        "a/b/./c.gguf",
    ],
)
def test_what_names_no_file_or_leads_outside_is_refused(file: str) -> None:
    with pytest.raises(BadInput) as raised:
        named(f"hf://{file}")
    assert "hf://owner/repo/file.gguf" in raised.value.hint


def run(home: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """promptkit where nothing of the user's hub is in force."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TMPDIR") if name in os.environ}
    ours = {"HOME": str(home), "PROMPTKIT_HOME": str(home), "HF_HOME": str(home / "hf"), "PYTHONUTF8": "1"}
    words = ("-m", "promptkit", "run", "direct", "4 5 6 10", "-P", "game24", "-m", f"llamacpp:{NAME}", *words)
    return subprocess.run(
        [sys.executable, *words], cwd=home, env={**kept, **ours, **env}, capture_output=True, text=True, timeout=100
    )


def cached(home: Path) -> Path:
    """The built-in model's file in a cache of the documented layout; returns the file."""
    repo = home / "hf" / "hub" / "models--somebody--tiny-model"
    for folder in ("blobs", "refs", f"snapshots/{COMMIT}/q8"):
        (repo / folder).mkdir(parents=True)
    blob = repo / "blobs" / hashlib.sha256(BUILTIN.read_bytes()).hexdigest()
    blob.write_bytes(BUILTIN.read_bytes())
    (repo / "refs" / "main").write_text(COMMIT)
    file = repo / "snapshots" / COMMIT / "q8" / "tiny.gguf"
    file.symlink_to(blob)
    return file


@installed
@pytest.mark.skipif(sys.platform == "win32", reason="symlinks need a privilege")
def test_a_file_in_the_cache_needs_no_network(tmp_path: Path) -> None:
    cached(tmp_path)
    done = run(tmp_path, "--json", HF_ENDPOINT="http://127.0.0.1:9")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["model"] == f"llamacpp:{NAME}"


@installed
@pytest.mark.skipif(sys.platform == "win32", reason="symlinks need a privilege")
def test_a_link_in_the_cache_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    file = cached(tmp_path)
    file.unlink()
    file.symlink_to(BUILTIN)
    done = run(tmp_path)
    assert done.returncode == 2
    assert "leads out of the cache" in done.stderr


@installed
@pytest.mark.parametrize(
    ("env", "said"),
    [({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE is set"), ({"HF_ENDPOINT": "http://127.0.0.1:9"}, "cannot be reached")],
)
def test_without_a_network_the_error_says_what_is_missing(env: dict[str, str], said: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import time\ntime.sleep = lambda _: None"
    )  # the hub's five retries: 23 s
    done = run(tmp_path, PYTHONPATH=str(tmp_path), **env)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (error, *hints) = done.stderr.splitlines()
    assert error.startswith(f"error: {NAME} is not in the cache {tmp_path / 'hf' / 'hub'}, and ")
    assert said in error
    assert "any GGUF file you have: -m llamacpp:path/to/model.gguf" in hints[-1]


def test_without_the_library_the_extra_is_named(tmp_path: Path) -> None:
    (tmp_path / "huggingface_hub.py").write_text("raise ImportError('not here')")
    done = run(tmp_path, PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert 'pip install "promptkit[hub]"' in done.stderr


@contextmanager
def hub(files: dict[str, bytes]) -> Iterator[tuple[str, list[str]]]:
    """A hub that serves these files of one repository; the paths it was asked for their bytes."""
    fetched: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, body: bool) -> None:
            path, _, _ = self.path.partition("?")
            prefix, at, rest = path.partition("/resolve/main/")
            data = files.get(rest) if at and prefix == "/somebody/tiny-model" else None
            if data is None:
                code = "EntryNotFound" if prefix == "/somebody/tiny-model" else "RepoNotFound"
                self.send_response(404)
                self.send_header("x-error-code", code)
                self.send_header("content-length", "0")
                return self.end_headers()
            begin = int((self.headers.get("range") or "bytes=0-").removeprefix("bytes=").partition("-")[0] or 0)
            self.send_response(206 if begin else 200)
            self.send_header("etag", f'"{hashlib.sha256(data).hexdigest()}"')
            self.send_header("x-repo-commit", COMMIT)
            self.send_header("content-length", str(len(data) - begin))
            self.end_headers()
            if body:
                fetched.append(path)
                self.wfile.write(data[begin:])
            return None

        def do_HEAD(self) -> None:
            self.answer(False)

        def do_GET(self) -> None:
            self.answer(True)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with served(Handler) as address:
        yield address, fetched


@installed
def test_a_file_is_fetched_once(tmp_path: Path) -> None:
    with hub({"q8/tiny.gguf": BUILTIN.read_bytes()}) as (endpoint, fetched):
        first = run(tmp_path, "--json", HF_ENDPOINT=endpoint)
        assert first.returncode == 0, first.stderr
        assert "Traceback" not in first.stderr
        again = run(tmp_path, "--json", "--fresh", HF_ENDPOINT=endpoint)
        assert again.returncode == 0
    assert fetched == ["/somebody/tiny-model/resolve/main/q8/tiny.gguf"]


@installed
def test_what_the_hub_does_not_have(tmp_path: Path) -> None:
    with hub({"other.gguf": b"GGUF"}) as (endpoint, _):
        done = run(tmp_path, HF_ENDPOINT=endpoint)
    assert done.returncode == 1
    assert "somebody/tiny-model has no file q8/tiny.gguf" in done.stderr
    assert "Traceback" not in done.stderr
