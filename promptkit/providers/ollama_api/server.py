"""An Ollama and one of its models, through the vendor's SDK; what goes wrong comes as promptkit's errors."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Any

from promptkit import keys
from promptkit.providers.ollama_api.faults import failure
from promptkit.providers.ollama_api.installed import Installed, look_up, running_context
from promptkit.providers.remote.aiohttp_transport import transport
from promptkit.providers.remote.astray import Astray, async_hooks, hooks
from promptkit.providers.remote.errors import Service
from promptkit.providers.remote.options import is_loopback
from promptkit.providers.remote.per_loop import PerLoop
from promptkit.types import Request

PLACE = "an Ollama by itself is at http://127.0.0.1:11434: OLLAMA_HOST, or -o host=…, says where yours is"
GLANCE = 10.0  # seconds that asking about a model may take: nothing is loaded for it

Progress = tuple[str, int | None, int | None]  # what it does, bytes done, bytes in all


class OllamaServer:
    """A server and a model's name there."""

    def __init__(self, name: str, host: str, timeout: float) -> None:
        hint = f"ollama pull {name}"
        start, pull = f"start it: ollama serve   then: {hint}", f"promptkit models pull ollama:{name}\n{hint}"
        self.service = Service("Ollama", name, host, "OLLAMA_API_KEY", "https://ollama.com", start, pull, place=PLACE)
        self._timeout = timeout
        self._clients: PerLoop[Any] = PerLoop(partial(_client, host, timeout), lambda client: client.close())

    async def chat(self, body: dict[str, Any], request: Request, known: Installed | None) -> AsyncGenerator[Any, None]:
        """The lines of a reply; leaving them early closes the connection, which stops Ollama."""
        from ollama import ChatResponse, GenerateResponse

        bare = "prompt" in body
        try:
            client = await self._clients.get()
            path, kind = ("/api/generate", GenerateResponse) if bare else ("/api/chat", ChatResponse)
            posted = client._request(kind, "POST", path, json=body, stream=True)
            async with aclosing(await posted) as lines:
                async for line in lines:
                    yield line
        except Exception as error:
            raise failure(self.service, error, request, known) from None

    async def embed(self, texts: list[str]) -> Any:
        """What it said to texts that are to be embedded: `embeddings`, and `prompt_eval_count` tokens."""
        try:
            return await (await self._clients.get()).embed(model=self.service.model, input=texts, truncate=False)
        except Exception as error:
            raise failure(self.service, error) from None

    async def running_context(self) -> int | None:
        """The context the model was loaded with, in tokens; None when it is not loaded."""
        try:
            return running_context(await (await self._clients.get()).ps(), self.service.model)
        except Exception as error:
            raise failure(self.service, error) from None

    async def version(self) -> str:
        """What it says it is, e.g. 0.12.1."""
        try:
            came = await (await self._clients.get())._request_raw("GET", "/api/version")
            told = came.json()
            if not isinstance(told, dict) or "version" not in told:
                raise Astray("something that is no version of Ollama's")
            return str(told["version"])
        except Exception as error:
            raise failure(self.service, error) from None

    async def names(self) -> list[str]:
        """The models it has, by name."""
        try:
            return sorted(each.model or "" for each in (await (await self._clients.get()).list()).models)
        except Exception as error:
            raise failure(self.service, error) from None

    async def pull(self) -> AsyncGenerator[Progress, None]:
        """Fetch the model into Ollama's store; what it says as it goes on, with bytes done and in all."""
        try:
            client = await self._clients.get()
            async with aclosing(await client.pull(self.service.model, stream=True)) as lines:
                async for line in lines:  # the bytes done are left out while they are 0
                    yield line.status or "", (line.completed or 0) if line.total else None, line.total
        except Exception as error:
            raise failure(self.service, error) from None

    def installed(self, num_ctx: int | None) -> Installed:
        """The model as it is there now, asked from a thread; `num_ctx` is what calls will ask for."""
        from ollama import Client

        host, timeout = self.service.address, min(self._timeout, GLANCE)
        proxied = not is_loopback(host)
        try:
            with Client(
                host=host, timeout=timeout, trust_env=proxied, headers=_headers(), event_hooks=hooks()
            ) as client:
                return look_up(client, self.service.model, num_ctx)
        except Exception as error:
            raise failure(self.service, error) from None

    async def aclose(self) -> None:
        """Close its connections; safe to call twice."""
        await self._clients.aclose()


def _client(host: str, timeout: float) -> Any:
    from ollama import AsyncClient

    going = {"transport": transport(host), "event_hooks": async_hooks()}
    return AsyncClient(host=host, timeout=timeout, headers=_headers(), **going)


def _headers() -> dict[str, str]:
    """The key, wherever it is kept: the SDK itself knows the environment alone."""
    found = keys.find("ollama", "OLLAMA_API_KEY")
    return {"Authorization": f"Bearer {found.value}"} if found else {}
