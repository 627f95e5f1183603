"""What an agent asks and hears, as the journal keeps it: whole, since an agent sends back what a model said."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Self

from langchain.agents.middleware import ModelRequest
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage, message_to_dict, messages_from_dict
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool

from promptkit.providers.remote.langchain_wire import finish_of, usage_of
from promptkit.types import Completion, Message, Request, Text, ToolSpec

LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
COUNTS = ("type", "content", "tool_calls", "invalid_tool_calls", "tool_call_id", "name", "status", "additional_kwargs")


def asked(request: ModelRequest[Any]) -> Request:
    """The agent's request with all that determines the reply, and no message's id: those are drawn at random."""
    said = [*([request.system_message] if request.system_message else ()), *request.messages]
    shape = {
        "messages": [_counted(message) for message in said],
        "tool_choice": request.tool_choice,
        "format": _shape(request.response_format),
        "settings": request.model_settings,
    }
    limits = [request.model_settings.get(name) or getattr(request.model, name, None) for name in LIMITS]
    return Request(
        messages=tuple(Message(_role(message), (Text(message.text),)) for message in said),
        max_tokens=next((limit for limit in limits if isinstance(limit, int)), None),
        tools=tuple(_spec(tool) for tool in request.tools),
        extra=(("langchain", _digest(shape)),),
    )


def tool_asked(call: Mapping[str, Any]) -> Request:
    """A tool's call as a request: its name and its arguments."""
    wanted = json.dumps({"name": call["name"], "args": call["args"]}, sort_keys=True, default=repr)
    return Request(messages=(Message("user", (Text(wanted),)),))


def kept(message: BaseMessage, model: str) -> Completion:
    """A message as a completion that holds all of it."""
    whole = json.dumps(message_to_dict(message), ensure_ascii=False, default=repr)
    whole = whole.replace("<", "\\u003c")  # no tag in it is a model's reasoning: it is data
    if not isinstance(message, AIMessage):
        return Completion(text=whole, model=model)
    return Completion(text=whole, model=model, usage=usage_of(message), finish=finish_of(message))


def played(completion: Completion) -> BaseMessage:
    """The message again; `cached` in its metadata says that it came from the journal."""
    (message,) = messages_from_dict([json.loads(completion.text)])
    if isinstance(message, AIMessage):
        message.id = None
        message.response_metadata = {**message.response_metadata, "cached": True}
    return message


class Playback(BaseChatModel):
    """A model that says again what a model said, and takes everything that one was given."""

    message: Any
    model_name: str = ""
    use_responses_api: bool = False

    @classmethod
    def of(cls, message: BaseMessage, model: BaseChatModel) -> Self:
        """It is taken for that model wherever an agent asks what it can do."""
        names = [getattr(model, name, None) for name in ("model_name", "model", "model_id")]
        named = next((name for name in names if isinstance(name, str)), "")
        responses = bool(getattr(model, "use_responses_api", False))
        return cls(message=message, model_name=named, profile=model.profile, use_responses_api=responses)

    @property
    def _llm_type(self) -> str:
        return "promptkit-journal"

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> Runnable[Any, AIMessage]:
        """Itself: what was bound is in the message."""
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.message)])


def _counted(message: BaseMessage) -> dict[str, Any]:
    """What a model is sent of a message."""
    data = message_to_dict(message)["data"]
    return {name: data[name] for name in COUNTS if data.get(name)}


def _shape(form: Any) -> Any:
    if form is None or isinstance(form, dict):
        return form
    schema = getattr(form, "schema", form)  # a strategy around it
    described = schema.model_json_schema() if hasattr(schema, "model_json_schema") else repr(schema)
    return [type(form).__name__, described]


def _digest(shape: Any) -> str:
    text = json.dumps(shape, sort_keys=True, ensure_ascii=False, default=repr)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _role(message: BaseMessage) -> Any:
    if isinstance(message, ToolMessage):
        return "tool"
    return {"system": "system", "ai": "assistant"}.get(message.type, "user")


def _spec(tool: Any) -> ToolSpec:
    about = convert_to_openai_tool(tool)
    function = about.get("function") or {"name": str(about.get("type", "tool")), "parameters": about}
    shape = json.dumps(function.get("parameters") or {}, sort_keys=True, default=repr)
    return ToolSpec(function["name"], function.get("description", ""), shape)
