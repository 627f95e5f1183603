"""LangChain's tools as promptkit's: what a model is told of one, and a function that calls it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from promptkit.errors import BadInput
from promptkit.redaction import redacted
from promptkit.types import ToolCall, ToolSpec

LONGEST_ERROR = 500  # characters of an error that a model is shown


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool with what a model is told of it; awaited with a ToolCall, it gives text, its errors included."""

    spec: ToolSpec
    tool: BaseTool

    async def __call__(self, call: ToolCall | Mapping[str, Any]) -> str:
        """What the tool returned, or `error: …`: what a model asked for wrongly is for it to read, and to mend."""
        try:
            wanted = json.loads(call.arguments or "{}") if isinstance(call, ToolCall) else dict(call)
        except ValueError as error:
            return f"error: the arguments are not JSON: {error}"
        if not isinstance(wanted, dict):
            return "error: the arguments are not a JSON object"
        id = call.id if isinstance(call, ToolCall) else ""
        try:
            given = {"name": self.spec.name, "args": wanted, "id": id, "type": "tool_call"}
            got = await self.tool.ainvoke(given, {"callbacks": []})
        except Exception as error:
            said = " ".join(redacted(f"{type(error).__name__}: {error}", foreign=True).split())
            return f"error: {said[:LONGEST_ERROR]}"
        content = got.content if isinstance(got, ToolMessage) else got
        return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, default=str)


def from_langchain_tool(tool: BaseTool) -> Tool:
    """The tool with its ToolSpec: any @tool, StructuredTool or other BaseTool; BadInput when it is none."""
    if not isinstance(tool, BaseTool):
        raise BadInput(f"a {type(tool).__name__} is no LangChain tool", hint="decorate the function with @tool")
    about = convert_to_openai_tool(tool)["function"]
    schema = json.dumps(about.get("parameters") or {"type": "object", "properties": {}}, ensure_ascii=False)
    return Tool(ToolSpec(about["name"], about.get("description", ""), schema), tool)
