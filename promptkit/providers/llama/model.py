"""A GGUF file as a provider: reproducible batches, queued from any event loop."""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import json
import os
import threading
import weakref
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property, partial

from promptkit.errors import ProviderError
from promptkit.events import Delta, Warned, emit
from promptkit.providers.llama import server
from promptkit.providers.llama.gguf_file import GgufFile
from promptkit.providers.llama.pool import Job, Pool
from promptkit.providers.llama.server import Chunk, Layout, LlamaServer
from promptkit.providers.llama.wire import (
    ALTERNATIVES,
    DECODING,
    MAX_TOKENS,
    Reply,
    Sample,
    body,
    check,
    encodable,
    temperature,
)
from promptkit.types import Capabilities, Completion, Piece, Request, Usage
from promptkit.weak import Watch, ended

GPU_BUILD = "pip install xllamacpp --force-reinstall --index-url https://xorbitsai.github.io/xllamacpp/whl/cu128"


class LlamaModel:
    """A local model. Texts depend on the request and on `identity`, never on what else is being answered."""

    def __init__(
        self,
        id: str,
        file: GgufFile,
        layout: Layout,
        *,
        replicas: int | None = None,  # copies of the model at work; None: a core each, as memory allows
        packs: tuple[str, ...] | None = None,
    ) -> None:
        self._id, self._file, self._layout, self._replicas = id, file, layout, replicas
        self._capabilities = Capabilities(
            native_n=layout.batch,
            batch=layout.batch,
            seed=True,
            logprobs=True,
            alternatives=ALTERNATIVES,
            raw=True,
            json_schema=True,
            grammar=True,
            reasoning=None if packs is None else False,  # a file does not tell
            context=layout.context,
            local=True,
            packs=packs,
        )
        self._lock = threading.Lock()
        self._pool: Pool | None = None
        self._closed = False

    @property
    def id(self) -> str:
        """`provider:name`."""
        return self._id

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return self._capabilities

    @property
    def device(self) -> str:
        """Where it really runs, in words."""
        if self._layout.n_gpu_layers != 0 and (gpu := server.gpu()):
            return f"GPU: {gpu}"
        return f"CPU: {server.cpu()}"

    @cached_property
    def identity(self) -> str:
        """Everything beside the request that changes its texts, as JSON. Reads the whole file once."""
        layout, on_gpu = self._layout, self.device.startswith("GPU")
        return json.dumps(
            {
                "gguf": self._file.sha256,
                "template": hashlib.sha256((self._file.chat_template or "").encode()).hexdigest(),
                "xllamacpp": server.version(),
                "device": self.device,
                "instructions": server.instructions(),
                "n_gpu_layers": layout.n_gpu_layers if on_gpu else 0,
                "batch": layout.batch,
                "context": layout.context,
                "threads": layout.threads,
                "prefill": layout.prefill,
                "kv_unified": False,
                "decoding": {**DECODING, "max_tokens": MAX_TOKENS},
            },
            sort_keys=True,
        )

    async def complete(self, request: Request, /) -> Completion:
        """One completion. Above temperature 0 its whole batch is generated: a lone draw would have another text.

        One that may be ended early has no batch: the others of it would have to be written on.
        """
        return (await self.complete_many((request,)))[0]

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        """One completion a request; they differ only in consecutive innermost draws."""
        if not requests:
            return ()
        first = requests[0]
        if any(request != first.at(first.index + step) for step, request in enumerate(requests)):
            raise ValueError("complete_many takes consecutive draws of one request")
        check(first)
        pool = self._open()
        size = self._layout.batch if temperature(first) > 0 and first.weak is None else 1
        start, end = first.index // size * size, first.index + len(requests)
        calls = [_Call(self, first.at(at), size, range(first.index, end)) for at in range(start, end, size)]
        try:
            for call in calls:
                pool.submit(call.job)
            return [completion for call in calls for completion in await call.future]
        finally:
            for call in calls:
                if not call.future.done() or call.future.cancelled():
                    pool.cancel(call.job)
                    call.future.cancel()
                elif call.future.exception() is not None:
                    pass  # asked for, so that asyncio does not report it a second time

    async def tokens(self, text: str, /) -> tuple[Piece, ...]:
        """The tokens of the text, as llama.cpp cuts it before the model reads it."""
        encodable("the text", text)
        loop = asyncio.get_running_loop()
        told: list[Piece] = []
        done: asyncio.Future[None] = loop.create_future()

        def settle(failure: BaseException | None) -> None:
            if not done.done():
                done.set_exception(failure) if failure else done.set_result(None)

        def finish(_: float, failure: BaseException | None) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, failure)

        job = Job({"tokenize": text}, lambda chunk: told.extend(chunk["pieces"]), finish)
        pool = self._open()
        pool.submit(job)
        try:
            await done
        finally:
            if not done.done() or done.cancelled():
                pool.cancel(job)
        return tuple(told)

    async def aclose(self) -> None:
        """Stop and free every copy of the model; safe to call twice."""
        with self._lock:
            self._closed = True
            pool = self._pool
        if pool is not None:
            pool.stop()
            await asyncio.to_thread(pool.join)

    def _open(self) -> Pool:
        with self._lock:
            if self._closed:
                raise ProviderError("this model has been closed")
            if self._pool is not None:
                return self._pool
            self._pool = Pool(partial(LlamaServer, self._file.path, self._layout), self._most())
        weakref.finalize(self, self._pool.stop).atexit = False  # forgotten models free their memory too
        if self._layout.n_gpu_layers > 0 and not self.device.startswith("GPU"):
            wanted = f"{self._layout.n_gpu_layers} GPU layers were asked for"
            emit(Warned(f"{wanted}, but this build of llama.cpp sees no GPU: running on {self.device}", hint=GPU_BUILD))
        return self._pool

    def _most(self) -> int:
        if self._replicas is not None:
            return self._replicas
        if self.device.startswith("GPU"):
            return 1  # its memory is the scarce thing
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        if not hasattr(os, "sysconf"):
            return cores
        half: int = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
        return max(1, min(cores, half // self._file.size))


class _Call:
    """One batch on its way: chunks come in a thread of the pool, events and the result go to the caller's loop."""

    def __init__(self, model: LlamaModel, request: Request, size: int, wanted: range) -> None:
        self.model, self.request = model, request
        self.wanted = [at for at in range(size) if request.index + at in wanted]
        self.reply = Reply([Sample() for _ in range(size)])
        self.loop = asyncio.get_running_loop()
        self.context = contextvars.copy_context()  # the caller's sinks and span
        self.future: asyncio.Future[list[Completion]] = self.loop.create_future()
        self.watch = Watch(request.weak) if request.weak else None
        self.job = Job(body(request, size), self.on_chunk, self.finish)

    def on_chunk(self, chunk: Chunk) -> bool:
        for at, text, reasoning in self.reply.read(chunk):
            if at in self.wanted:
                draw = self.request.at(self.request.index + at).draw
                self.loop.call_soon_threadsafe(emit, Delta(draw, text, reasoning), context=self.context)
        return self.watch is not None and self.reply.weakened(self.watch)

    def finish(self, seconds: float, failure: BaseException | None) -> None:
        failure = failure or self.reply.failure(self.model._layout.context, self.model._file.context)
        breaches = (self.reply.samples[at].breach(self.request.schema) for at in self.wanted)
        failure = failure or next((breach for breach in breaches if breach), None)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self.loop.call_soon_threadsafe(self.settle, seconds, failure)

    def settle(self, seconds: float, failure: BaseException | None) -> None:
        if self.future.done():  # the caller was cancelled
            return
        if failure is not None:
            self.future.set_exception(failure)
        else:
            self.future.set_result([self.completion(at, seconds) for at in self.wanted])

    def completion(self, at: int, seconds: float) -> Completion:
        sample, usage = self.reply.samples[at], Usage(output_tokens=self.reply.samples[at].tokens)
        if at == self.wanted[0]:
            # The prompt was read once for the whole batch, and nobody else answers for samples that were not asked for.
            surplus = sum(s.tokens for index, s in enumerate(self.reply.samples) if index not in self.wanted)
            usage += Usage(input_tokens=self.reply.input_tokens, output_tokens=surplus)
        written = Completion(
            text=sample.text,
            model=self.model.id,
            usage=usage,
            finish=sample.finish or "stop",
            reasoning=sample.reasoning or None,
            logprobs=tuple(sample.logprobs),
            seconds=seconds,
        )
        return ended(written, self.request.weak)
