"""What is found out about a model by asking it, kept, and put in force: on llama.cpp's own server and on stubs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llama_http import relay
from ollama_stub import ollama
from wire_server import Answer, alone, chunk, fault, llama_cpp, refused, sse, stub

from promptkit import api, sync
from promptkit.cli.app import start
from promptkit.errors import PromptkitError, Unreachable
from promptkit.runtime import probes, probing
from promptkit.runtime.open import open_provider, parted

NAME = "openai-compatible:builtin.gguf"
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, tmp_path)
    monkeypatch.setenv("PROMPTKIT_JOURNAL", str(tmp_path / "journal.db"))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with llama_cpp() as address:
        yield f"{address}/openai/v1"


def test_llama_cpp_s_server_is_found_out_and_remembered(server: str, capsys: Capture, tmp_path: Path) -> None:
    where = ["-o", f"base_url={server}"]
    assert open_provider(NAME, {"base_url": server}).capabilities.json_schema is False
    assert start(["models", "probe", NAME, *where, "--json"]) == 0
    said = capsys.readouterr()
    assert "at most 13 tiny requests" in said.err
    body = json.loads(said.out)
    assert body["found"] | {"tools": None, "context": None} == {
        "native_n": 4,
        "seed": True,
        "json_schema": True,
        "grammar": False,
        "logprobs": True,
        "tools": None,
        "context": None,
    }
    assert body["requests"] <= 13
    assert body["told"]["grammar"]
    assert [path.suffix for path in (tmp_path / "probes").iterdir()] == [".json"]
    api_options: dict[str, object] = {"base_url": server}
    found = probes.stored(*parted(NAME), api_options)
    assert found is not None
    assert found.found == body["found"]
    # A second time nothing is asked; what is known is in force wherever the model is named.
    assert start(["models", "probe", NAME, *where]) == 0
    assert "--force asks again" in capsys.readouterr().err
    assert start(["models", "show", NAME, *where]) == 0
    shown = capsys.readouterr().out
    assert any("JSON schema" in line and "yes" in line and "probed" in line for line in shown.splitlines())


def test_what_was_found_reaches_the_adapter(server: str) -> None:
    options: dict[str, object] = {"base_url": server, "timeout": 50}
    sync.run(probing.probe(NAME, options))
    model = open_provider(NAME, options)
    assert (model.capabilities.native_n, model.capabilities.json_schema) == (4, True)
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    outcome = api.run("direct", "2 + 3?", model=NAME, model_options=options, output=schema, journal="memory")
    assert json.loads(outcome.answer or "")["n"] is not None
    assert outcome.usage.calls == 1  # held to the schema: no repair was needed


def says(text: str) -> Answer:
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    return sse(chunk(content=text), chunk(finish="stop"), chunk(usage=usage))


def test_a_server_that_can_nothing_is_known_for_it() -> None:
    with stub(says("hello")) as server:
        found = sync.run(probing.probe("openai-compatible:x", {"base_url": server.address}, images=True))
    assert found.found | {"seed": None} == {
        **dict.fromkeys(("json_schema", "grammar", "logprobs", "tools"), False),
        "native_n": 1,
        "images": True,
        "seed": None,
        "context": None,
    }
    assert "ignores n" in found.told["native_n"]


def test_parameters_that_are_refused_are_named() -> None:
    with stub(says("hello"), fault(400, "Unsupported parameter: 'top_k'", param="top_k", code="unsupported_parameter")):
        pass
    refusing: list[Any] = []

    def check(path: str, body: Any) -> None:
        refusing.append(body)

    with stub(
        *[says("hello")] * 7, fault(400, "unknown parameter: min_p", param="min_p"), says("hi"), check=check
    ) as at:
        found = sync.run(probing.probe("openai-compatible:x", {"base_url": at.address}))
    assert "min_p" in found.refused


def test_an_error_that_says_nothing_about_the_model_is_raised_and_nothing_is_stored(tmp_path: Path) -> None:
    with refused() as address, pytest.raises(Unreachable):
        sync.run(probing.probe("openai-compatible:x", {"base_url": address}))
    assert not (tmp_path / "probes").exists()
    with stub(fault(404, "The model `x` does not exist", code="model_not_found")) as server:
        assert start(["models", "probe", "openai-compatible:x", "-o", f"base_url={server.address}"]) == 1
    assert not (tmp_path / "probes").exists()


def test_a_damaged_probe_is_no_probe(server: str) -> None:
    options: dict[str, object] = {"base_url": server}
    path = probes.path_of(*parted(NAME), {**options, "timeout": 41})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"found":')
    assert open_provider(NAME, {**options, "timeout": 41}).capabilities.json_schema is False


def test_what_the_user_says_stays(server: str) -> None:
    options: dict[str, object] = {"base_url": server, "native_n": 1, "logprobs": False}
    found = sync.run(probing.probe(NAME, options))
    assert (found.found["native_n"], found.found["logprobs"]) == (1, False)


def test_a_server_lists_what_it_offers(server: str, capsys: Capture) -> None:
    assert start(["models", "list", "openai-compatible", "-o", f"base_url={server}"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("openai-compatible:")
    assert line.endswith("tokens")
    assert start(["models", "list", "builtin"]) == 2
    assert start(["models", "list", "opena"]) == 2
    assert "did you mean openai?" in capsys.readouterr().err


def test_groq_is_found_out_with_what_its_adapter_sends(server: str) -> None:
    with relay(server.removesuffix("/openai/v1")) as between:
        where: dict[str, object] = {"base_url": between.address}
        found = sync.run(probing.probe("groq:builtin.gguf", where))
        sent = between.bodies
    assert found.found | {"seed": None, "tools": None, "context": None} == {
        **dict.fromkeys(("seed", "tools", "context")),
        "native_n": 1,  # Groq draws one sample a call, and is never asked for more
        "json_schema": False,  # where Groq takes one for a wish, none is sent
        "grammar": False,
        "logprobs": False,
    }
    assert {"top_k", "min_p", "frequency_penalty", "presence_penalty"} <= set(found.refused)
    assert not any({"n", "logprobs", "response_format", "top_k", "min_p"} & set(body) for body in sent)
    assert found.requests == len(sent), "what was never sent is no request"
    model = open_provider("groq:builtin.gguf", where)
    assert (model.capabilities.grammar, model.capabilities.native_n) == (False, 1)


def test_ollama_is_found_out_with_its_digest_and_the_context_in_force() -> None:
    with ollama() as at:
        where: dict[str, object] = {"host": at.address}
        found = sync.run(probing.probe("ollama:m", where))
        sent, digest = at.bodies(), at.find("m").digest
        model = open_provider("ollama:m", where)
        context = model.capabilities.context
    assert found.found | {"seed": None, "tools": None} == {
        **dict.fromkeys(("seed", "tools")),
        "native_n": 1,
        "json_schema": True,
        "grammar": False,
        "logprobs": True,
        "context": context,
    }
    assert context
    assert digest.removeprefix("sha256:") in found.identity
    assert found.requests == len(sent)
    assert found.refused == []


def test_a_probe_of_another_model_of_that_name_is_out_of_force(capsys: Capture) -> None:
    with ollama() as at:
        options: dict[str, object] = {"host": at.address}
        where = ["-o", f"host={at.address}"]
        at.find("m").abilities = ("completion",)
        sync.run(probing.probe("ollama:m", options))
        assert open_provider("ollama:m", options).capabilities.tools is False
        at.find("m").digest, at.find("m").abilities = "b" * 64, ("completion", "tools")  # pulled anew
        model = open_provider("ollama:m", options)
        _ = model.identity  # a run begins
        assert model.capabilities.tools is True
        assert start(["models", "show", "ollama:m", *where]) == 0
        shown = capsys.readouterr()
        assert "another model than the one probed" in shown.err
        assert "promptkit models probe ollama:m" in shown.err
        assert "probed" not in shown.out
        asked = len(at.bodies())
        assert start(["models", "probe", "ollama:m", *where]) == 0
        assert "another model than the one probed" in capsys.readouterr().err
        assert len(at.bodies()) > asked
        assert start(["models", "show", "ollama:m", *where]) == 0
        shown = capsys.readouterr()
    assert "probed" in shown.out
    assert shown.err == ""


def test_a_probe_stays_in_force_while_its_server_is_not_there() -> None:
    with ollama() as at:
        options: dict[str, object] = {"host": at.address}
        at.find("m").abilities = ("completion",)
        sync.run(probing.probe("ollama:m", options))
    model = open_provider("ollama:m", options)
    assert model.capabilities.tools is False
    with pytest.raises(PromptkitError):
        _ = model.identity
    assert model.capabilities.tools is False
