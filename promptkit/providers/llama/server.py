"""One llama.cpp server in this process: built, spoken to and taken down without its traps."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptkit.errors import ProviderError, Rejected
from promptkit.providers.llama.build import build, library
from promptkit.providers.llama.private_socket import private_socket, remove_socket
from promptkit.providers.llama.tokenizing import pieces

Chunk = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a server decodes; all of it changes texts."""

    batch: int = 4  # samples decoded together
    context: int = 4096  # tokens of each sample, prompt and reply
    threads: int = 1  # more than the free cores makes OpenMP spin: six times slower when measured
    n_gpu_layers: int = -1  # all that fit
    prefill: int = 512  # prompt tokens a step; between steps a call can be cancelled


def version() -> str:
    """Of the binding; its last part is llama.cpp's build number."""
    return build().version


def gpu() -> str | None:
    """The GPU this build of llama.cpp sees, or None."""
    return build().gpu


def cpu() -> str:
    """The CPU it runs on."""
    return build().cpu


def instructions() -> str:
    """The instruction sets this build of llama.cpp uses."""
    return build().instructions


class LlamaServer:
    """A loaded model answering one call at a time."""

    def __init__(self, path: Path, layout: Layout) -> None:
        xllamacpp = library()
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_parallel = layout.batch
        params.n_ctx = layout.batch * layout.context
        params.kv_unified = False  # a unified cache does not give the same texts again
        params.n_batch = layout.prefill
        params.n_gpu_layers = layout.n_gpu_layers
        params.cpuparams.n_threads = layout.threads
        params.cpuparams_batch.n_threads = layout.threads
        params.cache_ram_mib = 0  # no prompt cache: it changes texts, and takes 8 GiB by default
        params.prefill_assistant = False  # a last assistant turn is history, as with every other provider
        params.endpoint_metrics = True
        params.endpoint_slots = params.ui = False
        params.verbosity = -1
        # llama.cpp always listens: on a TCP port that answers any web page, unless told otherwise.
        self._socket = private_socket()
        self._key = secrets.token_hex() if self._socket is None else None
        if self._key is not None:
            params.api_keys = [self._key]
        else:
            params.hostnames = [str(self._socket)]
        self._turn = threading.Lock()
        self._closing = threading.Event()
        self._server: Any = None
        try:
            self._server = xllamacpp.Server(params)
            # A server deleted right after construction hangs for ever; one that has answered once does not.
            self._server.handle_completions({"prompt": [0], "max_tokens": 1, "cache_prompt": False})
        except Exception as error:
            self.close()
            hint = "it may need a newer llama.cpp, or less memory: try a smaller context or batch"
            raise ProviderError(f"llama.cpp could not load {path}", hint=hint) from error

    @property
    def address(self) -> str:
        """Where llama.cpp's own HTTP server listens."""
        return str(self._server.listening_address)

    def metrics(self) -> str:
        """llama.cpp's own counters, in Prometheus' text format."""
        return str(self._server.handle_metrics())

    def stream(self, body: dict[str, Any], on_chunk: Callable[[Chunk], bool]) -> None:
        """Hand each chunk of a call to `on_chunk` until the end, or until it returns True or raises.

        The call is a chat, a text to go on with (`prompt`), or a text to be cut into tokens (`tokenize`).
        """
        raised: list[BaseException] = []
        listener = [on_chunk]  # emptied below: the library keeps the last callback, and must not keep its caller

        def callback(chunk: Chunk) -> bool:
            # The library swallows what a callback raises and generates on: keep it, stop, raise it below.
            if raised or not listener or self._closing.is_set():
                return True
            try:
                return listener[0](chunk)
            except BaseException as error:
                raised.append(error)
                return True

        with self._turn:
            if self._server is None or self._closing.is_set():
                raise ProviderError("this model has been closed")
            if "tokenize" in body:
                on_chunk({"pieces": pieces(self.address, self._key, body["tokenize"])})
                return
            chat, bare = self._server.handle_chat_completions, self._server.handle_completions
            try:
                answer = (bare if "prompt" in body else chat)({**body, "stream": True}, callback)
            except (ValueError, TypeError, RuntimeError) as error:  # a template or a parameter it cannot use
                raise Rejected(f"llama.cpp refused the request: {error}") from error
            finally:
                listener.clear()
        if raised:
            raise raised.pop()
        if isinstance(answer, dict):  # an error can be returned instead of streamed
            on_chunk(answer)

    def close(self) -> None:
        """Stop a call in flight, free the model, remove the socket; safe to call twice."""
        self._closing.set()
        with self._turn:  # deleting it under a running call would wait for the callback with the GIL held
            self._server = None
        if self._socket is not None:
            remove_socket(self._socket)
