from __future__ import annotations

import json
import re
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from local_model import BUILTIN, ENDLESS, ask, python

import promptkit as pk
from promptkit.errors import ProviderError
from promptkit.providers.llama import private_socket
from promptkit.providers.llama.server import Layout, LlamaServer
from promptkit.providers.llama.wire import body


@pytest.fixture
def server() -> Iterator[LlamaServer]:
    made = LlamaServer(BUILTIN, Layout(context=1024))
    yield made
    made.close()


def test_an_exception_in_the_callback_is_raised(server: LlamaServer) -> None:
    calls = []

    def callback(chunk: dict[str, Any]) -> bool:
        calls.append(chunk)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        server.stream(body(ask(max_tokens=500, extra=ENDLESS), 4), callback)
    assert len(calls) == 1


def test_closing_a_server_that_is_generating(server: LlamaServer) -> None:
    begun = threading.Event()

    def callback(chunk: dict[str, Any]) -> bool:
        begun.set()
        return False

    long = body(ask(max_tokens=900, extra=ENDLESS), 4)
    thread = threading.Thread(target=lambda: server.stream(long, callback))
    thread.start()
    assert begun.wait(30)
    server.close()
    thread.join(30)
    assert not thread.is_alive()
    with pytest.raises(ProviderError, match="closed"):
        server.stream(long, callback)


def test_closing_a_server_right_after_construction() -> None:
    code = "for _ in range(5): LlamaServer(BUILTIN, Layout(context=256)).close()"
    assert python(code).returncode == 0  # it hangs for ever when the trap is back


def test_leaving_the_interpreter_while_a_model_streams() -> None:
    code = """
        provider = open_builtin("", {})
        def forever():
            async def main():
                await asyncio.gather(*(provider.complete(ask(max_tokens=900, extra=ENDLESS, seed=s)) for s in range(9)))
            with contextlib.suppress(ProviderError):  # the callers are told
                asyncio.run(main())
        threading.Thread(target=forever, daemon=True).start()
        while not model_threads(): time.sleep(0.01)
        time.sleep(0.3)
    """
    done = python(code)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_a_forked_child_is_told_so() -> None:
    code = """
        warnings.simplefilter("ignore")
        provider = open_builtin("", {})
        asyncio.run(provider.complete(ask()))
        if (pid := os.fork()) == 0:
            try:
                asyncio.run(provider.complete(ask()))
            except ProviderError as error:
                os._exit(7 if "spawn" in error.hint else 8)  # as multiprocessing does; exit() hangs in llama.cpp
            os._exit(9)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        print(bool(asyncio.run(provider.complete(ask())).text))
    """
    done = python(code)
    assert (done.returncode, done.stdout) == (0, "7\nTrue\n"), done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ")
def test_ctrl_c_is_a_keyboard_interrupt() -> None:
    code = """
        provider = open_builtin("", {})
        async def main():
            asyncio.get_running_loop().call_later(0.4, os.kill, os.getpid(), signal.SIGINT)
            await asyncio.gather(*(provider.complete(ask(max_tokens=900, extra=ENDLESS, seed=s)) for s in range(9)))
        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            print("interrupted")
    """
    done = python(code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")


def test_opening_loads_no_library() -> None:
    code = 'provider = open_builtin("", {}); provider.capabilities; print("xllamacpp" in sys.modules)'
    assert python(code).stdout == "False\n"


# --- nobody else can reach it ---


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="Linux only")
def test_no_port_is_opened() -> None:
    code = """
        def listening():
            links = (f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd"))
            mine = {os.readlink(link) for link in links if os.path.islink(link)}
            rows = [row.split() for name in ("tcp", "tcp6") for row in list(open(f"/proc/net/{name}"))[1:]]
            return [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in mine]
        probe = socket.create_server(("127.0.0.1", 0))
        print(len(listening()))  # the test sees a port when there is one
        probe.close()
        server = LlamaServer(BUILTIN, Layout(context=256))
        print(listening(), server.address)
        server.close()
    """
    done = python(code)
    assert done.stdout.startswith("1\n[] unix:"), done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="no unix sockets")
def test_the_socket_lies_in_a_private_directory_that_goes_with_the_server(server: LlamaServer) -> None:
    path = Path(server.address.removeprefix("unix://"))
    assert path.is_socket()
    assert path.parent.stat().st_mode & 0o777 == 0o700
    server.close()
    assert not path.parent.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no unix sockets")
def test_a_long_temporary_directory_is_avoided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    path = private_socket.private_socket()
    assert path is not None
    try:
        assert len(str(path)) < 100
        assert not path.is_relative_to(deep)
    finally:
        private_socket.remove_socket(path)


@pytest.fixture
def short() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pk") as name:  # pytest's own is too long for a socket
        yield Path(name)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="Linux only")
def test_what_dead_processes_left_is_swept(short: Path) -> None:
    code = f"""
        tempfile.tempdir = {str(short)!r}
        server = LlamaServer(BUILTIN, Layout(context=256))
        print(os.listdir(tempfile.tempdir), flush=True)
        os._exit(0)
    """
    left = python(code).stdout
    assert left.count("promptkit-") == 1  # killed hard, it could not clean up
    stale = next(short.iterdir())
    mine = private_socket.private_socket()
    assert mine is not None
    private_socket.remove_socket(mine)
    live = short / mine.parent.name
    reused = short / re.sub(r"-(\d+)-(\d+)-(\w+)$", r"-\1-1-\3", live.name)  # our pid, another process's start
    elsewhere = short / re.sub(r"promptkit-\d+", "promptkit-1", stale.name)  # another container's
    for path in (live, reused, elsewhere, short / "promptkit-mine"):
        path.mkdir()
    private_socket._sweep(str(short))
    assert {path.name for path in short.iterdir()} == {live.name, elsewhere.name, "promptkit-mine"}


# --- where there are no unix sockets ---


def test_without_unix_sockets_it_listens_on_loopback_behind_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows: whoever finds the port gets nothing without a key that only this process knows."""
    monkeypatch.setattr(private_socket, "socket", SimpleNamespace())  # a socket module that knows no AF_UNIX
    made = LlamaServer(BUILTIN, Layout(context=256))
    try:
        assert made.address.startswith("http://127.0.0.1:")
        prompt = json.dumps({"prompt": "1", "messages": [{"role": "user", "content": "1"}], "n_predict": 1}).encode()
        for path, body_sent in [
            ("/completion", prompt), ("/v1/completions", prompt), ("/v1/chat/completions", prompt),
            ("/metrics", None), ("/props", None), ("/slots", None), ("/tokenize", prompt),
        ]:  # fmt: skip
            for key in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer guess"}, {"X-Api-Key": "guess"}):
                headers = {"Content-Type": "application/json", **key}
                asked = urllib.request.Request(made.address + path, data=body_sent, headers=headers)
                with pytest.raises(urllib.error.HTTPError) as refused:
                    urllib.request.urlopen(asked, timeout=20)
                assert refused.value.code in (401, 403, 404, 501), path
                refused.value.close()
        heard: list[dict[str, Any]] = []

        def hear(chunk: dict[str, Any]) -> bool:
            heard.append(chunk)
            return False

        made.stream(body(ask(max_tokens=4), 1), hear)
        assert heard  # this process needs no key: it does not go through the port
    finally:
        made.close()


def test_a_run_needs_no_unix_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_socket, "socket", SimpleNamespace())  # a socket module that knows no AF_UNIX
    outcome = pk.run("tot", "1 4 9 11", pack="game24", model_options={"replicas": 1}, journal="memory")
    assert outcome.answer is not None
