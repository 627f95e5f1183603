"""LangChain's tools as promptkit's: their schema for a model, and a call whose errors are data."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.tools import StructuredTool, tool
from langchain_scripts import awaited

from promptkit.errors import BadInput
from promptkit.interop.langchain import from_langchain_tool
from promptkit.types import ToolCall


@tool
def divide(a: int, b: int) -> float:
    """A quotient."""
    return a / b


@tool
async def look_up(word: str) -> dict[str, Any]:
    """What a word means."""
    return {"word": word, "means": ["eins", "zwei"]}


def test_a_model_is_told_its_name_and_its_arguments() -> None:
    spec = from_langchain_tool(divide).spec
    assert (spec.name, spec.description) == ("divide", "A quotient.")
    schema = json.loads(spec.schema)
    assert schema["required"] == ["a", "b"]
    assert schema["properties"]["a"] == {"type": "integer"}


@awaited
async def test_it_is_called_as_a_model_wrote_the_call() -> None:
    assert await from_langchain_tool(divide)(ToolCall("c1", "divide", '{"a": 1, "b": 4}')) == "0.25"
    assert await from_langchain_tool(divide)({"a": 1, "b": 2}) == "0.5"
    assert json.loads(await from_langchain_tool(look_up)({"word": "one"}))["means"] == ["eins", "zwei"]


@awaited
async def test_its_errors_are_data() -> None:
    call = from_langchain_tool(divide)
    assert await call({"a": 1, "b": 0}) == "error: ZeroDivisionError: division by zero"
    assert (await call({"a": "one", "b": 2})).startswith("error: ValidationError")
    assert (await call(ToolCall("c1", "divide", '{"a": 1'))).startswith("error: the arguments are not JSON")
    assert await call(ToolCall("c1", "divide", "[1, 2]")) == "error: the arguments are not a JSON object"


@awaited
async def test_any_structured_tool_will_do() -> None:
    def shout(text: str) -> str:
        return text.upper()

    made = StructuredTool.from_function(shout, name="shout", description="Louder.")
    assert from_langchain_tool(made).spec.name == "shout"
    assert await from_langchain_tool(made)({"text": "hey"}) == "HEY"


def test_what_is_no_tool_is_refused() -> None:
    with pytest.raises(BadInput, match="a function is no LangChain tool"):
        from_langchain_tool(test_what_is_no_tool_is_refused)  # type: ignore[arg-type]
