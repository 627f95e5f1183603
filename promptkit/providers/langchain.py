"""`langchain:PROVIDER:MODEL`: any model that LangChain's init_chat_model knows, or a chat model object of yours.

LangChain needs a partner package for each vendor (langchain-anthropic …); none of them comes with promptkit.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Any

from promptkit.errors import BadInput, BadReply, CapabilityMissing, UnknownName
from promptkit.events import Delta, Warned, emit
from promptkit.providers.remote import langchain_wire as wire
from promptkit.providers.remote.langchain_errors import explained, failure, offered
from promptkit.providers.remote.langchain_object import SECRET, address_of, identity_of, overrides, without_retries
from promptkit.types import Capabilities, Completion, Request, ToolCall

EXAMPLE = "-m langchain:anthropic:claude-sonnet-4-5"
LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "num_predict", "max_new_tokens")
SAID = ("temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty")
SILENT: dict[str, Any] = {"callbacks": [], "tags": ["promptkit"]}  # who watches is told by promptkit's own events


class LangChainModel:
    """A LangChain chat model as a provider: streamed, its decoding parameters set for each call."""

    def __init__(self, model: Any, *, name: str = "", identity: str = "") -> None:
        told = model._get_ls_params()
        self._model, self._fields = without_retries(model), type(model).model_fields
        self.id = name or f"langchain:{told['ls_provider']}:{told.get('ls_model_name') or model._llm_type}"
        self.identity = identity or identity_of(model)
        self._address = address_of(model)
        profile: Any = model.profile or {}
        self.capabilities = Capabilities(
            seed=False,  # most take one and promise nothing
            tools=overrides(model, "bind_tools"),
            json_schema=bool(profile.get("structured_output")) and overrides(model, "with_structured_output"),
            images=profile.get("image_inputs", True),
            reasoning=profile.get("reasoning_output"),
            context=profile.get("max_input_tokens"),
        )
        self._warned = False

    async def complete(self, request: Request, /) -> Completion:
        """One completion; what the model thinks is kept apart as its reasoning."""
        if request.grammar is not None or request.logprobs:
            raise CapabilityMissing(f"{self.id} takes no grammar and tells no log-probabilities")
        started, said = time.monotonic(), wire.messages(request.messages)
        try:
            reply = await self._formed(said, request) if request.schema else await self._streamed(said, request)
        except Exception as error:
            raise failure(error, self.id, self._address) from None  # the SDK's error may repeat the key
        if reply is None:
            raise BadReply(f"{self.id}: the reply is empty")
        text, thought = wire.text_of(reply)
        calls: tuple[ToolCall, ...] = wire.wished(reply)
        finish = wire.finish_of(reply)
        if request.schema and not text and calls:  # some models are held to a schema by a tool that they must call
            text, calls = calls[0].arguments, ()
            finish = "stop" if finish == "tool_calls" else finish
        return Completion(
            text=text,
            model=self.id,
            usage=wire.usage_of(reply),
            finish=finish,
            reasoning=thought or None,
            calls=calls,
            seconds=time.monotonic() - started,
        )

    async def complete_many(self, requests: Sequence[Request], /) -> Sequence[Completion]:
        """One completion a request, one after the other."""
        return [await self.complete(request) for request in requests]

    async def aclose(self) -> None:
        """Its connections belong to LangChain, which keeps them."""

    async def _streamed(self, said: list[Any], request: Request) -> Any:
        model, whole = self._decoding(request), None
        bound = model.bind_tools([wire.tool(spec) for spec in request.tools]) if request.tools else model
        async with aclosing(bound.astream(said, SILENT, **self._bound(request))) as chunks:
            async for chunk in chunks:
                whole = chunk if whole is None else whole + chunk
                text, thought = wire.text_of(chunk)
                if thought:
                    emit(Delta(request.draw, thought, reasoning=True))
                if text:
                    emit(Delta(request.draw, text))
        return whole

    async def _formed(self, said: list[Any], request: Request) -> Any:
        schema = {"title": "reply", "description": "the reply", **json.loads(request.schema or "{}")}
        held = self._decoding(request).with_structured_output(schema, include_raw=True)
        return (await held.ainvoke(said, SILENT))["raw"]

    def _decoding(self, request: Request) -> Any:
        """The model with this request's parameters, under the names its class has for them."""
        limit = next((name for name in LIMITS if name in self._fields), "max_tokens")
        wanted = {name: getattr(request, name) for name in SAID} | {limit: request.max_tokens}
        wanted |= {"seed": request.wire_seed, "reasoning_effort": request.effort}
        known = {name: value for name, value in wanted.items() if value is not None and name in self._fields}
        lost = [name for name, value in wanted.items() if value is not None and name not in known and name != "seed"]
        if lost and not self._warned:
            self._warned = True
            emit(Warned(f"{self.id} has no {', '.join(lost)}: what was asked for is left out"))
        return self._model.model_copy(update=known)

    def _bound(self, request: Request) -> dict[str, Any]:
        return {**dict(request.extra), **({"stop": list(request.stop)} if request.stop else {})}


def open_langchain(name: str, options: Mapping[str, object]) -> LangChainModel:
    """The model of `PROVIDER:MODEL`; BadInput names the package to install when LangChain lacks one for it."""
    provider, colon, model = name.partition(":")
    if not (provider and colon and model):
        raise BadInput(f"langchain:{name} does not name a provider and a model", hint=EXAMPLE)
    if said := next((option for option in options if any(word in option.lower() for word in SECRET)), None):
        raise BadInput(
            f"{said} is not an option: options are written to the journal",
            hint="export it under the name LangChain reads",
        )
    from langchain.chat_models import init_chat_model

    if (known := offered()) and provider.replace("-", "_").lower() not in known:
        raise UnknownName("LangChain provider", provider, known)
    try:
        made = init_chat_model(model, model_provider=provider, **options)  # type: ignore[call-overload]
    except Exception as error:
        raise explained(error, f"langchain:{name}", EXAMPLE) from None
    return LangChainModel(made, name=f"langchain:{name}")


def from_langchain(model: Any, *, name: str = "", identity: str = "") -> LangChainModel:
    """A LangChain chat model object as a promptkit model; equal `identity`s share what the journal has."""
    if not (callable(getattr(model, "astream", None)) and hasattr(model, "_get_ls_params")):
        raise BadInput(f"a {type(model).__name__} is no LangChain chat model", hint="a BaseChatModel, not yet bound")
    return LangChainModel(model, name=name, identity=identity)
