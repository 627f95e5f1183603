"""llama.cpp's tokenizer, reached over HTTP: what goes wrong is one of our errors, and leaves no socket open."""

from __future__ import annotations

import gc
import socket
import sys
import threading
from pathlib import Path

import pytest

from promptkit.errors import ProviderError
from promptkit.providers.llama.tokenizing import pieces


@pytest.mark.skipif(sys.platform == "win32", reason="no sockets that are files")
def test_a_socket_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="does not answer"):
        pieces(f"unix://{tmp_path}/gone", None, "a")
    gc.collect()  # a socket left open would be told of here


@pytest.mark.parametrize("said", [b"nonsense", b"{}", b'{"tokens": [{"id": 1}]}', b'{"tokens": 3}'])
def test_a_reply_that_holds_no_tokens_is_told(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            with listening.accept()[0] as asked:
                asked.recv(65536)
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(said)}\r\nConnection: close\r\n\r\n"
                asked.sendall(head.encode() + said)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        with pytest.raises(ProviderError, match="tokenizer"):
            pieces(f"127.0.0.1:{listening.getsockname()[1]}", "key", "a")
        thread.join()
