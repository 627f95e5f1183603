"""Texts cut by llama.cpp's own tokenizer. Its binding has no call for that, but the server it runs has one."""

from __future__ import annotations

import json
import socket
from contextlib import closing
from typing import TYPE_CHECKING, Any

from promptkit.errors import ProviderError
from promptkit.types import Piece

if TYPE_CHECKING:
    from http.client import HTTPConnection

TIMEOUT = 60.0  # seconds; it takes milliseconds


def pieces(address: str, key: str | None, text: str) -> tuple[Piece, ...]:
    """The tokens of the text, markers such as <|im_end|> read as the model reads them in a prompt."""
    asked = {"content": text, "with_pieces": True, "add_special": False, "parse_special": True}
    told = _post(address, key, "/tokenize", asked)
    try:
        return tuple(Piece(each["id"], _text(each["piece"])) for each in told["tokens"])
    except (KeyError, TypeError) as error:
        raise ProviderError(f"llama.cpp's tokenizer said something else: {str(told)[:80]}") from error


def written(data: list[int]) -> str:
    """The text of a token's bytes; those of a part of a character as lone surrogates."""
    return bytes(data).decode("utf-8", "surrogateescape")


def _text(piece: str | list[int]) -> str:
    """A piece that is no whole character comes as its bytes."""
    return piece if isinstance(piece, str) else written(piece)


def _post(address: str, key: str | None, path: str, body: Any) -> Any:
    from http.client import HTTPException  # for nothing else: it would take time from every start

    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    try:
        with closing(_connection(address)) as connection:
            _reach(connection, address)
            connection.request("POST", path, json.dumps(body).encode(), headers)
            reply = connection.getresponse()
            said = reply.read()
        if reply.status != 200:
            raise ProviderError(f"llama.cpp's tokenizer failed: {said[:200].decode('utf-8', 'replace')}")
        return json.loads(said)
    except (OSError, HTTPException, ValueError) as error:
        raise ProviderError(f"llama.cpp's tokenizer does not answer: {error}") from error


def _connection(address: str) -> HTTPConnection:
    from http.client import HTTPConnection
    from urllib.parse import urlsplit

    if not address.startswith("unix://"):
        parts = urlsplit(address if "//" in address else f"//{address}")
        return HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=TIMEOUT)
    return HTTPConnection("localhost", timeout=TIMEOUT)


def _reach(connection: HTTPConnection, address: str) -> None:
    """Connect by the address's own socket, where it is one of files."""
    if address.startswith("unix://"):
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(TIMEOUT)
        connection.sock.connect(address.removeprefix("unix://"))
