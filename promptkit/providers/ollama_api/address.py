"""Where an Ollama is, as OLLAMA_HOST writes it, and its models' names as it compares them."""

from __future__ import annotations

import os

from promptkit.providers.remote.options import url

PORT = 11434


def host(value: object) -> str:
    """An address in full: its scheme and port may be missing."""
    text = str(value).strip().rstrip("/")
    if "://" not in text:
        name, colon, port = text.rpartition(":")
        bare = text.endswith("]") or not colon or (text.count(":") > 1 and not text.startswith("["))
        text = f"http://{text}:{PORT}" if bare else f"http://{name or '127.0.0.1'}:{port}"
    return url(text.replace("://0.0.0.0", "://127.0.0.1"))  # what it listens on is no place to call


def default_host() -> str:
    """OLLAMA_HOST, or where Ollama listens by itself."""
    return os.environ.get("OLLAMA_HOST", "").strip() or f"127.0.0.1:{PORT}"


def hosted(name: str, host: str) -> bool:
    """Whether the model of that name answers from Ollama's cloud, and not on a machine of one's own."""
    return name.endswith(("-cloud", ":cloud")) or host.endswith("ollama.com")


def full_name(name: str) -> str:
    """The name with its tag and without what Ollama leaves out of its lists."""
    short = name.casefold().removeprefix("registry.ollama.ai/").removeprefix("library/")
    return short if ":" in short.rpartition("/")[2] else f"{short}:latest"
