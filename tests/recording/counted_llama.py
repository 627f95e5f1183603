"""llama.cpp's own server with the built-in model on loopback, which counts what it generates itself."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from wire_server import BUILTIN

SERVER = """
import os, sys, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.api_prefix, params.endpoint_metrics = sys.argv[1], "/openai", True
params.n_parallel, params.n_ctx, params.kv_unified, params.verbosity = 4, 4 * 512, False, -1
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()  # until whoever started it closes the pipe, or dies
os._exit(0)
"""


@contextmanager
def counted_llama() -> Iterator[str]:
    """The server's address; /openai/v1 is below it, where Groq's SDK looks, too."""
    command = [sys.executable, "-c", SERVER, str(BUILTIN)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        yield process.stdout.readline().strip()
        process.stdin.close()


def generated(address: str) -> int:
    """The tokens the server has written since it was started, by its own count."""
    with urllib.request.urlopen(f"{address}/openai/metrics", timeout=30) as reply:
        found = re.search(r"^llamacpp:tokens_predicted_total (\d+)", reply.read().decode(), re.MULTILINE)
    assert found
    return int(found[1])
