"""A client of OpenAI's SDK, for OpenAI itself and for every server that speaks its format."""

from __future__ import annotations

from promptkit.providers.remote.astray import async_hooks
from promptkit.providers.remote.chat_model import NO_KEY, Connection
from promptkit.providers.remote.options import is_loopback


def openai_client(address: str, timeout: float) -> Connection:
    """A connection to that address; `timeout` is in seconds."""
    from openai import AsyncOpenAI, AsyncStream, DefaultAioHttpClient

    client = AsyncOpenAI(
        api_key=NO_KEY,  # set for every call
        base_url=address,
        timeout=timeout,
        max_retries=0,  # retrying is done above, where it is seen and paid for
        http_client=DefaultAioHttpClient(
            trust_env=not is_loopback(address),  # this machine is no proxy's business
            event_hooks=async_hooks(),
        ),
    )
    return Connection(client, AsyncStream[object])
