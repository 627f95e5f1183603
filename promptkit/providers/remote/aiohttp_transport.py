"""httpx 0.28 over aiohttp's connections: its own pool costs several times the CPU when many calls are in flight."""

from __future__ import annotations

from typing import Any

from promptkit.providers.remote.options import is_loopback


def transport(address: str) -> Any:
    """A transport for an httpx.AsyncClient that talks to one address; proxies count for other machines only."""
    from aiohttp import ClientSession, DummyCookieJar, TCPConnector
    from httpx_aiohttp import AiohttpTransport

    def session() -> ClientSession:  # made in the loop that uses it
        connector = TCPConnector(limit=0, ssl=made.ssl_context)  # how many at once is decided above
        return ClientSession(connector=connector, cookie_jar=DummyCookieJar(), trust_env=not is_loopback(address))

    made = AiohttpTransport(verify=address.startswith("https"), client=session)  # no certificates are read for http
    return made
