"""What Ollama says of a model: its digest in the journal's key, what it can do, its context."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest
from local_model import ask
from ollama_stub import OllamaStub, StubModel, ollama
from wire_server import alone, ndjson, refused

import promptkit as pk
from promptkit.attachments import attach
from promptkit.errors import BadInput, CapabilityMissing, ContextOverflow, ModelMissing
from promptkit.providers.ollama import Ollama, open_ollama
from promptkit.types import Completion, Message, Request, Text, ToolCall, ToolSpec, message

LONG = "word " * 3000
PLAIN = StubModel(abilities=("completion",))
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(24))
WEATHER = ToolSpec(
    "weather",
    "Weather of a place",
    json.dumps(
        {
            "type": "object",
            "properties": {"place": {"type": "object", "properties": {"city": {"type": "string"}}}},
            "required": ["place"],
            "additionalProperties": False,
        }
    ),
)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone(monkeypatch, tmp_path)


def complete(request: Request, server: OllamaStub, name: str = "m", **options: object) -> Completion:
    return asyncio.run(_complete(request, open_ollama(name, {"host": server.address, **options})))


async def _complete(request: Request, model: Ollama) -> Completion:
    try:
        return await model.complete(request)
    finally:
        await model.aclose()


def run(server: OllamaStub, journal: Path, **how: Any) -> pk.Outcome:
    options = {"host": server.address, **how.pop("options", {})}
    return pk.run("direct", "2 + 2?", model="ollama:m", model_options=options, journal=journal, **how)


def says(text: str) -> Any:
    message = {"role": "assistant", "content": f"Answer: {text}"}
    return ndjson({"message": message, "done": True, "done_reason": "stop", "prompt_eval_count": 9, "eval_count": 3})


# the digest ---------------------------------------------------------------------------------------------------------


def test_a_model_that_was_pulled_anew_is_asked_anew(tmp_path: Path) -> None:
    journal = tmp_path / "journal.db"
    with ollama(answers=[says("4"), says("four")]) as server:
        assert [run(server, journal).answer for _ in range(2)] == ["4", "4"]
        assert len(server.bodies()) == 1
        server.models["m:latest"] = StubModel(digest="b" * 64)  # ollama pull
        outcome = run(server, journal)
        assert (outcome.answer, len(server.bodies())) == ("four", 2)
        first = run(server, journal)
        assert (first.answer, len(server.bodies())) == ("four", 2)


def test_a_replay_needs_no_server(tmp_path: Path) -> None:
    journal = tmp_path / "journal.db"
    with ollama(answers=[says("4")]) as server:
        outcome = run(server, journal)
    again = pk.replay(outcome.run, journal=journal)
    assert (again.answer, again.usage.cached_calls) == ("4", 1)


def test_names_of_one_model_share_what_was_answered(tmp_path: Path) -> None:
    with ollama() as server:
        names = ("m", "m:latest", "library/m", "registry.ollama.ai/library/M:latest")
        told = {open_ollama(name, {"host": server.address}).identity for name in names[:2]}
        assert len(told) == 1
        assert json.loads(told.pop())["digest"] == "a" * 64
        assert open_ollama("m", {"host": server.address, "num_ctx": 8192}).identity not in told


def test_a_run_that_cannot_begin_leaves_nothing(tmp_path: Path) -> None:
    with ollama() as server, pytest.raises(ModelMissing, match="qwen3"):
        pk.run(
            "direct",
            "2 + 2?",
            model="ollama:qwen3",
            model_options={"host": server.address},
            journal=tmp_path / "journal.db",
        )
    assert server.bodies() == []


def test_the_next_model_answers_for_an_ollama_that_is_not_there(tmp_path: Path) -> None:
    replies = tmp_path / "replies.yaml"
    replies.write_text("replies: [{say: 'Answer: 4'}]\n")
    journal = tmp_path / "journal.db"
    with refused() as address:
        models = f"ollama:m,scripted:{replies}"
        first = pk.run("direct", "2 + 2?", model=models, model_options={"ollama.host": address}, journal=journal)
    assert first.answer == "4"
    assert pk.replay(first.run, journal=journal).answer == "4"


def test_an_ollama_that_is_started_is_found_by_the_next_run(tmp_path: Path) -> None:
    with ollama(answers=[says("4")]) as server:
        hidden = server.models.pop("m:latest")
        with pytest.raises(ModelMissing):
            run(server, tmp_path / "journal.db")
        server.models["m:latest"] = hidden
        assert run(server, tmp_path / "journal.db").answer == "4"


def test_a_loop_is_never_kept_waiting_by_a_look_at_the_identity() -> None:
    with ollama() as server:
        model = open_ollama("m", {"host": server.address})

        async def main() -> None:
            before = await asyncio.to_thread(getattr, model, "identity")
            asked = len(server.seen)
            assert model.identity == before
            assert len(server.seen) == asked

        asyncio.run(main())


# what it can do -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_",
    [
        ask(tools=(WEATHER,)),
        ask(effort="low"),
        Request(messages=(Message("user", (attach(PNG), Text("Which colour?"))),)),
    ],
)
def test_what_the_model_cannot_do_is_refused_before_the_call(request_: Request) -> None:
    with ollama(models={"m:latest": PLAIN}) as server:
        with pytest.raises(CapabilityMissing) as raised:
            complete(request_, server)
        assert raised.value.hint
        assert server.bodies() == []


def test_what_it_can_do_is_known_once_it_was_asked() -> None:
    with ollama(models={"m:latest": PLAIN}) as server:
        model = open_ollama("m", {"host": server.address})
        assert model.capabilities.tools
        assert model.identity
        told = model.capabilities
        assert (told.tools, told.images, told.reasoning) == (False, False, False)
        assert model.capabilities.json_schema


@pytest.mark.parametrize(
    ("effort", "think", "sent"),
    [
        (None, None, None),
        (None, True, True),
        ("none", True, False),
        ("minimal", None, "low"),
        ("low", None, "low"),
        ("high", False, "high"),
    ],
)
def test_how_long_it_may_think(effort: Any, think: Any, sent: Any) -> None:
    thinking = StubModel(thoughts=("so ", "it is"))
    with ollama(models={"m:latest": thinking}) as server:
        options = {} if think is None else {"think": think}
        got = complete(ask(effort=effort), server, **options)
        assert server.bodies()[0].get("think") == sent
        assert got.reasoning == (None if sent is False else "so it is")
        assert (got.usage.reasoning_tokens > 0) == (sent is not False)


def test_no_thinking_is_no_wish_of_a_model_that_does_not() -> None:
    with ollama(models={"m:latest": PLAIN}) as server:
        complete(ask(effort="none"), server)
        assert "think" not in server.bodies()[0]


def test_tools_and_what_they_answered() -> None:
    caller = StubModel(calls=[("weather", {"place": {"city": "Łódź"}}), ("weather", {"place": {"city": "Bonn"}})])
    with ollama(models={"m:latest": caller}) as server:
        got = complete(ask(tools=(WEATHER,)), server)
        (body,) = server.bodies()
        assert body["tools"][0]["function"]["parameters"] == json.loads(WEATHER.schema)  # nothing of it is lost
        assert got.finish == "tool_calls"
        assert got.calls[0] == ToolCall("call_0", "weather", '{"place": {"city": "Łódź"}}')
        results = tuple(Message("tool", (Text("rain"),), call_id=call.id) for call in got.calls)
        turns = (message("user", "Weather?"), Message("assistant", (), calls=got.calls), *results)
        complete(Request(messages=turns, max_tokens=9), server)
        said = server.bodies()[1]["messages"]
    assert said[1]["tool_calls"][0] == {"function": {"name": "weather", "arguments": {"place": {"city": "Łódź"}}}}
    assert said[2] == {"role": "tool", "content": "rain", "tool_name": "weather"}
    stray = Request(messages=(message("user", "?"), Message("tool", (Text("rain"),), call_id="x")))
    with ollama() as server, pytest.raises(BadInput, match="belongs to no call"):
        complete(stray, server)


def test_a_reply_held_to_a_schema() -> None:
    verdict = {"verdict": {"enum": ["yes", "no"]}}
    schema = {"type": "object", "properties": verdict, "required": ["verdict"], "additionalProperties": False}
    with ollama() as server:
        got = complete(ask(schema=json.dumps(schema)), server)
        assert server.bodies()[0]["format"] == schema
    assert json.loads(got.text)["verdict"] in ("yes", "no")


def test_log_probabilities() -> None:
    with ollama() as server:
        got = complete(ask(logprobs=3, max_tokens=4), server)
    assert "".join(token.text for token in got.logprobs).startswith(got.text)
    assert all(token.logprob <= 0 and len(token.top) == 3 for token in got.logprobs)


def test_an_ollama_too_old_for_log_probabilities_says_so() -> None:
    with ollama(old=True) as server, pytest.raises(CapabilityMissing, match="log-probabilities"):
        complete(ask(logprobs=3), server)


def test_an_image_reaches_it_unchanged() -> None:
    with ollama() as server:
        complete(Request(messages=(Message("user", (attach(PNG), Text("Which colour?"))),), max_tokens=5), server)
        (turn,) = server.bodies()[0]["messages"]
    assert turn == {"role": "user", "content": "Which colour?", "images": [base64.b64encode(PNG).decode()]}


# its context --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("knobs", "options", "context"),
    [
        ({}, {"num_ctx": 8192}, 8192),
        ({"models": {"m:latest": StubModel(num_ctx=2048)}}, {}, 2048),
        ({"models": {"m:latest": StubModel(num_ctx=2048)}}, {"num_ctx": 1024}, 1024),
        ({"loaded": {"m:latest": 32768}}, {}, 32768),
        ({}, {}, 4096),
        ({"models": {"m:latest": StubModel(trained=1000)}}, {"num_ctx": 8192}, 1000),
    ],
)
def test_the_context_in_force(knobs: dict[str, Any], options: dict[str, Any], context: int) -> None:
    with ollama(**knobs) as server:
        model = open_ollama("m", {"host": server.address, **options})
        assert model.identity
        assert model.capabilities.context == context


def test_the_context_is_what_the_server_really_gave() -> None:
    with ollama(context=32768) as server:
        model = open_ollama("m", {"host": server.address})

        async def main() -> None:
            await _complete(ask(), model)

        asyncio.run(main())
        assert model.capabilities.context == 32768


def overflow(server: OllamaStub, text: str, **options: object) -> ContextOverflow:
    with pytest.raises(ContextOverflow) as raised:
        complete(ask(text), server, "m", **options)
    return raised.value


def test_a_prompt_that_cannot_fit_is_not_sent() -> None:
    with ollama() as server:
        error = overflow(server, LONG, num_ctx=2048)
        assert server.bodies() == []
    assert "3,000" in error.message
    assert "2,048" in error.message
    assert "-o num_ctx=8192" in error.hint


def test_a_guess_at_the_context_refuses_nothing() -> None:
    long = ask("word " * 5000)
    with ollama(context=16384, answers=[_counted(5004)]) as server:  # more than the guess: it has much memory
        assert complete(long, server).text == "yes"
    with ollama(context=2048) as server:
        assert "2,048" in overflow(server, long.messages[0].text).message
        assert [body["messages"] for body in server.bodies()] == [[]]  # it was loaded, and asked nothing


def test_a_prompt_that_the_server_refuses_names_the_numbers() -> None:
    signs = "- " * 1500  # no words: only the server can count these
    with ollama() as server:
        error = overflow(server, signs, num_ctx=1024)
        assert len(server.bodies()) == 1
    assert "takes 1,504 tokens" in error.message
    assert "1,024" in error.message
    assert "-o num_ctx=8192" in error.hint


@pytest.mark.parametrize("prompt", ["- " * 1500, "word. " * 700])
def test_a_prompt_cut_without_a_word_is_an_error(prompt: str) -> None:
    models = {"m:latest": StubModel(num_ctx=1024)}
    with ollama(models=models, answers=[_counted(1024)]) as server:
        assert "-o num_ctx=" in overflow(server, prompt).hint
    if "word" in prompt:  # what is left of it has fewer tokens than the prompt has words
        with ollama(models=models, answers=[_counted(514)]) as server:
            assert "-o num_ctx=" in overflow(server, prompt).hint


def _counted(given: int, written: int = 3) -> Any:
    said = {"message": {"role": "assistant", "content": "yes"}, "done": True, "done_reason": "stop"}
    return ndjson({**said, "prompt_eval_count": given, "eval_count": written})


def test_a_reply_that_pushed_the_prompt_out_is_an_error() -> None:
    with ollama(answers=[_counted(900, 200)]) as server:
        assert "1,024" in overflow(server, "hello", num_ctx=1024).message


@pytest.mark.parametrize(
    ("old", "given"),
    [
        (False, 800),
        (False, 0),  # not told
        (True, 3),  # counts only what it had not cached
        (False, 1022),  # it went on to the end of the context, and was cut off there
    ],
)
def test_a_good_reply_is_never_taken_for_one(old: bool, given: int) -> None:
    with ollama(old=old, answers=[_counted(given)]) as server:
        assert complete(ask("word. " * 700), server, num_ctx=1024).text == "yes"


def test_a_model_that_can_read_no_more_is_not_given_an_option() -> None:
    with ollama(models={"m:latest": StubModel(trained=1000)}) as server:
        assert overflow(server, LONG, num_ctx=8192).hint == ("shorten the prompt: the model reads 1,000 tokens at most")
