"""A LangChain chat model as promptkit's: by name, or as an object given to pk.run()."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableLambda
from langchain_scripts import fake
from openai import APIConnectionError
from pydantic import Field

import promptkit as pk
from promptkit import errors
from promptkit.errors import BadInput, CapabilityMissing, PromptkitError, UnknownName
from promptkit.events import Delta, Record, Warned
from promptkit.interop.langchain import from_langchain
from promptkit.journal import Journal
from promptkit.providers.langchain import open_langchain
from promptkit.providers.remote.langchain_errors import said as langchain_said
from promptkit.runtime.open import open_provider
from promptkit.types import Blob, Message, Request, Text, ToolCall, ToolSpec, Usage, message

Call = tuple[dict[str, Any], list[BaseMessage], dict[str, Any]]
MADE: list[Call] = []


class Vendor(BaseChatModel):
    """A chat model with the fields that partner packages have; it keeps what each call was made with."""

    model: str = "large"
    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    max_retries: int = 2
    openai_api_key: str = "not for the journal"
    base_url: str = "http://127.0.0.1:1/v1"
    chunks: list[AIMessageChunk] = Field(default_factory=list)
    fails: Any = None

    @property
    def _llm_type(self) -> str:
        return "vendor"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model, "openai_api_key": self.openai_api_key}

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self.bind(tools=tools, **kwargs)

    def _generate(self, messages: list[BaseMessage], stop: Any = None, *args: Any, **kwargs: Any) -> ChatResult:
        self._keep(messages, {"stop": stop, **kwargs})
        return ChatResult(generations=[ChatGeneration(message=AIMessage('{"total": 5}'))])

    async def _astream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        self._keep(messages, {"stop": stop, **kwargs})
        for chunk in self.chunks:
            yield ChatGenerationChunk(message=chunk)

    def _keep(self, messages: list[BaseMessage], given: dict[str, Any]) -> None:
        MADE.append((self.__dict__.copy(), messages, given))
        if self.fails:
            raise self.fails


@pytest.fixture(autouse=True)
def _nothing_made() -> None:
    MADE.clear()


def vendor(*chunks: str | AIMessageChunk, **fields: Any) -> Vendor:
    whole = [AIMessageChunk(content=chunk) if isinstance(chunk, str) else chunk for chunk in chunks]
    return Vendor(chunks=whole, **fields)


def ask(**fields: Any) -> Request:
    return Request(messages=(message("system", "Be brief."), message("user", "2 + 3?")), **fields)


def complete(model: Vendor, request: Request | None = None) -> tuple[pk.Completion, list[Record]]:
    import asyncio

    heard: list[Record] = []

    async def watched() -> pk.Completion:
        with pk.watch(heard.append):
            return await from_langchain(model).complete(request or ask())

    return asyncio.run(watched()), heard


def test_an_object_is_a_model_of_a_run(journal: Journal) -> None:
    model = fake("Answer: 4", "Answer: 4", "Answer: 4")
    outcome = pk.run("sc", "2 + 2?", n=3, model=model, journal=journal)
    assert (outcome.answer, len(model.asked)) == ("4", 2)  # two alike settle a vote of three
    assert outcome.model.startswith("langchain:")


def test_an_object_may_stand_in_for_another(journal: Journal) -> None:
    outcome = pk.run("cot", "2 + 2?", model=[from_langchain(fake("Answer: 4"), name="a"), fake("5")], journal=journal)
    assert outcome.answer == "4"


def test_a_call_is_made_with_what_the_request_says() -> None:
    complete(vendor("5"), ask(temperature=0.3, max_tokens=9, stop=("\n",), extra=(("logit_bias", {}),)))
    ((fields, said, given),) = MADE
    assert (fields["temperature"], fields["max_tokens"], fields["max_retries"]) == (0.3, 9, 0)
    assert fields["seed"] == ask(temperature=0.3, max_tokens=9, stop=("\n",), extra=(("logit_bias", {}),)).wire_seed
    assert (given["stop"], given["logit_bias"]) == (["\n"], {})
    assert [(turn.type, turn.text) for turn in said] == [("system", "Be brief."), ("human", "2 + 3?")]


def test_the_object_itself_is_not_changed() -> None:
    model = vendor("5", temperature=0.9)
    complete(model, ask(temperature=0.3))
    assert (model.temperature, model.max_retries) == (0.9, 2)


def test_what_its_class_has_no_name_for_is_left_out_and_said_once() -> None:
    _, heard = complete(vendor("5"), ask(top_p=0.5))
    (warned,) = [record.event for record in heard if isinstance(record.event, Warned)]
    assert "top_p" in warned.message


def test_the_reply_is_whole() -> None:
    usage: Any = {"input_tokens": 7, "output_tokens": 5, "total_tokens": 12, "output_token_details": {"reasoning": 3}}
    last = AIMessageChunk(content="", usage_metadata=usage, response_metadata={"finish_reason": "length"})
    got, heard = complete(vendor("It is", " 5", last))
    assert (got.text, got.finish) == ("It is 5", "length")
    assert got.usage == Usage(input_tokens=7, output_tokens=5, reasoning_tokens=3)
    assert [event.text for record in heard if isinstance(event := record.event, Delta)] == ["It is", " 5"]


@pytest.mark.parametrize(("reason", "finish"), [("length", "length"), ("tool_calls", "stop"), ("stop", "stop")])
def test_a_reply_to_a_schema_that_was_cut_off_is_not_said_to_have_ended(reason: str, finish: str) -> None:
    class Held(Vendor):
        def with_structured_output(self, *_: Any, **__: Any) -> Any:
            wish = {"name": "reply", "args": {"total": 5}, "id": "1"}
            raw = AIMessage("", tool_calls=[wish], response_metadata={"finish_reason": reason})
            return RunnableLambda(lambda _: {"raw": raw})

    got, _ = complete(Held(), ask(schema='{"type": "object"}'))
    assert (got.text, got.finish, got.calls) == ('{"total": 5}', finish, ())


def test_calls_that_come_without_ids_are_told_apart() -> None:
    wishes: list[Any] = [{"name": "add", "args": "{}", "id": None, "index": place} for place in range(2)]
    got, _ = complete(
        vendor(AIMessageChunk(content="", tool_call_chunks=wishes)), ask(tools=(ToolSpec("add", "", "{}"),))
    )
    assert [(call.name, call.id) for call in got.calls] == [("add", "call_0"), ("add", "call_1")]


@pytest.mark.parametrize(
    "thinking",
    [
        AIMessageChunk(content=[{"type": "thinking", "thinking": "hm", "index": 0}]),
        AIMessageChunk(
            content=[{"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}], "index": 0}]
        ),
        AIMessageChunk(content="", additional_kwargs={"reasoning_content": "hm"}),
    ],
)
def test_reasoning_is_kept_apart(thinking: AIMessageChunk) -> None:
    block: Any = [{"type": "text", "text": "5", "index": 1}]
    said = AIMessageChunk(content=block if isinstance(thinking.content, list) else "5")
    got, heard = complete(vendor(thinking, said))
    assert (got.text, got.reasoning) == ("5", "hm")
    deltas = [record.event for record in heard if isinstance(record.event, Delta)]
    assert [(delta.text, delta.reasoning) for delta in deltas] == [("hm", True), ("5", False)]


def test_tools_are_bound_and_their_calls_come_back() -> None:
    piece: Any = {"name": "add", "args": '{"a": 1}', "id": "c1", "index": 0, "type": "tool_call_chunk"}
    told = (
        message("user", "1?"),
        Message("assistant", (Text(""),), calls=(ToolCall("c0", "add", '{"a": 0}'),)),
        Message("tool", (Text("0"),), call_id="c0"),
    )
    request = Request(messages=told, tools=(ToolSpec("add", "Adds.", '{"type": "object"}'),))
    got, _ = complete(vendor(AIMessageChunk(content="", tool_call_chunks=[piece])), request)
    assert got.calls == (ToolCall("c1", "add", '{"a": 1}'),)
    assert got.finish == "tool_calls"
    ((_, said, given),) = MADE
    assert given["tools"][0]["function"] == {"name": "add", "description": "Adds.", "parameters": {"type": "object"}}
    assert isinstance(said[1], AIMessage)
    assert said[1].tool_calls[0]["id"] == "c0"
    assert isinstance(said[2], ToolMessage)
    assert said[2].tool_call_id == "c0"


def test_an_image_is_sent_as_it_is(tmp_path: Path, journal: Journal) -> None:
    (tmp_path / "dot.png").write_bytes(b"\x89PNG\r\n\x1a\nbytes")
    pk.run("direct", "What?", model=vendor("A dot."), attach=tmp_path / "dot.png", journal=journal)
    ((_, said, _),) = MADE
    assert isinstance(said[-1], HumanMessage)
    (image,) = [block for block in said[-1].content if isinstance(block, dict) and block["type"] == "image"]
    assert image["base64"] == "iVBORw0KGgpieXRlcw=="
    assert image["mime_type"] == "image/png"


def test_a_file_has_no_form_there() -> None:
    file = Blob("file", "0", "text/plain", "a.txt", b"x")
    with pytest.raises(CapabilityMissing, match="no files"):
        complete(vendor("5"), Request(messages=(Message("user", (file,)),)))


class Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__("sk-proj-abcdefghijklmnop123 is not welcome")
        self.status_code = status


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (Refused(401), errors.KeyMissing),
        (Refused(404), errors.ModelMissing),
        (Refused(429), errors.RateLimited),
        (Refused(400), errors.Rejected),
        (Refused(503), errors.Unavailable),
        (type("ModelRateLimitError", (Exception,), {})("slowly"), errors.RateLimited),
        (type("ContextOverflowError", (Exception,), {})("too long"), errors.ContextOverflow),
        (type("OpenAIConnectionError", (APIConnectionError,), {})(request=None), errors.Unavailable),
        (TimeoutError("late"), errors.TimedOut),
        (ValueError("no such role"), errors.ProviderError),
    ],
)
def test_its_errors_are_promptkits(raised: Exception, kind: type[PromptkitError]) -> None:
    with pytest.raises(kind) as caught:
        complete(vendor("5", fails=raised))
    assert "sk-proj" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_equal_models_share_the_journal_and_no_key_is_in_it(journal: Journal) -> None:
    for _ in range(2):
        pk.run("direct", "2 + 3?", model=vendor("5"), journal=journal)
    pk.run("direct", "2 + 3?", model=vendor("5", base_url="http://127.0.0.1:2/v1"), journal=journal)
    assert len(MADE) == 2
    assert "not for the journal" not in from_langchain(vendor("5")).identity


def test_an_object_that_tells_nothing_of_itself_shares_nothing(journal: Journal) -> None:
    models = [fake("5"), fake("6")]
    assert [pk.run("direct", "?!", model=model, journal=journal).answer for model in models] == ["5", "6"]
    same = [from_langchain(fake(said), name="f", identity="f") for said in ("7", "8")]
    assert [pk.run("direct", "?!", model=model, journal=journal).answer for model in same] == ["7", "7"]


def test_a_missing_package_is_named() -> None:
    for name, pip in (("anthropic:claude", "langchain-anthropic"), ("ollama:qwen3:8b", "langchain-ollama")):
        with pytest.raises(BadInput) as caught:
            open_provider(f"langchain:{name}")
        assert caught.value.message == f"langchain:{name} needs a package that is not installed"
        assert caught.value.hint == f"pip install {pip}"


@pytest.mark.parametrize("name", ["", "openai", "openai:", ":gpt"])
def test_a_name_has_two_parts(name: str) -> None:
    with pytest.raises(BadInput, match="a provider and a model"):
        open_langchain(name, {})


def test_an_unknown_vendor_and_a_key_are_refused() -> None:
    with pytest.raises(UnknownName, match="no LangChain provider 'nobody'"):
        open_langchain("nobody:gpt", {})
    with pytest.raises(BadInput, match="written to the journal"):
        open_langchain("openai:gpt", {"api_key": "x"})


@pytest.mark.parametrize("meant", ["bogus", "anthropc"])
def test_a_provider_langchain_has_no_package_for_is_one_line(meant: str) -> None:
    with pytest.raises(UnknownName) as raised:
        open_langchain(f"{meant}:x", {})
    assert raised.value.message == f"no LangChain provider {meant!r}"
    assert "anthropic" in raised.value.hint


def test_what_an_sdk_says_is_cut_at_a_word() -> None:
    told = langchain_said(ValueError("word " * 100))
    assert len(told) <= 302
    assert told.endswith("word …")


def test_what_is_no_chat_model_is_refused() -> None:
    with pytest.raises(BadInput, match="RunnableLambda is no LangChain chat model"):
        from_langchain(RunnableLambda(str))


def test_nothing_of_langchain_is_loaded_before_it_is_used() -> None:
    code = "import sys, promptkit as pk; pk.run; pk.Scripted; import promptkit.registry; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not any(name.startswith(("langchain", "langgraph", "langsmith")) for name in done.stdout.split())


def test_a_runnable_needs_no_agent() -> None:
    code = "import sys, promptkit as pk; pk.as_runnable; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "langchain_core.runnables" in loaded
    assert {"langchain.agents", "langgraph"} & loaded == set()
