"""A conversation with a model: one run, to which every message adds a stretch.

A message goes through the same execute() as any run: journaled, retried, limited, budgeted, stopped by a cancellation
with what was said so far as its best answer. One run and not one each, so that the whole conversation has one name to
show, resume and remove, one ledger for its caps, and a lease while a reply is under way. Between two messages it is a
run that has ended: a process that dies at the prompt leaves nothing half done, and whatever is said next begins with
reading the events back.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from promptkit import api, conversation
from promptkit.conversation import CHAT, Conversation, Pending
from promptkit.errors import BadInput, RunMissing
from promptkit.events import Best, ChatChanged, Delta, Record, Retrying, Sink, emit, watch
from promptkit.journal import Journal
from promptkit.runtime.domain import decline
from promptkit.runtime.fallback import Chain, chain
from promptkit.runtime.layer import Layer
from promptkit.runtime.open import as_provider, open_provider
from promptkit.runtime.plan import Plan, RunOptions, new_run_id
from promptkit.runtime.run import execute
from promptkit.sampling import ask
from promptkit.settings import default_model
from promptkit.thinking import set_aside
from promptkit.types import Capabilities, Model, Outcome, Problem, Provider, Request, Usage, message


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Send a message as it is, the conversation before it; the whole reply is the answer."""

    persona: str = ""  # who the model is to be: the system prompt
    temperature: float = 0.7  # sampling temperature
    reply_tokens: int = 1024  # longest reply
    draw: int = 0  # which of the replies this prompt could have
    after: int = 0  # exchanges before it

    async def solve(self, problem: Problem, model: Model, /) -> Outcome:
        """The reply; when it is stopped, what there is of it is the best answer so far."""
        told = (message("system", self.persona),) if self.persona.strip() else ()
        turns = (*told, *problem.history, message("user", problem.text))
        most = min(self.reply_tokens, max(1, (model.capabilities.context or self.reply_tokens * 2) // 2))
        request = Request(messages=turns, temperature=self.temperature, max_tokens=most, draw=(self.draw,))
        written = _Written()
        try:
            with watch(written):
                got = await ask(model, request, where="reply")
        except BaseException:
            if text := set_aside(written.text)[0].rstrip():
                emit(Best(text, text=text))
            raise
        detail = {"finish": got.finish, "tokens": [got.usage.input_tokens, got.usage.output_tokens]}
        if not got.text.strip():
            return Outcome(answer=None, status="undecided", detail=detail)
        return Outcome(answer=got.text, text=got.text, detail=detail)


class Chat:
    """A conversation under way; `asay()` and `say()` send a message, the other verbs change what it is."""

    def __init__(
        self,
        model: str | Model | None = None,
        *,
        options: Mapping[str, object] | None = None,
        persona: str = "",
        reply_tokens: int | None = None,
        journal: str | Path | Journal | None = None,
    ) -> None:
        self._journal = api.open_journal(journal)
        self._turn = Turn() if reply_tokens is None else Turn(reply_tokens=reply_tokens)
        self._known = Conversation(persona=persona)
        self._warned: set[str] = set()
        self.run = ""  # the run in the journal; none before the first message
        self.use(model or default_model(), options)

    @classmethod
    def resumed(
        cls, run: str, model: str | Model | None = None, *, options: Mapping[str, object] | None = None, **how: Any
    ) -> Chat:
        """The recorded conversation, ready to go on, with its own model unless another is named."""
        journal = api.open_journal(how.get("journal"))
        if run == "last":
            found = next((each for each in journal.runs() if each.strategy == CHAT), None)
            if found is None:
                raise RunMissing("there is no conversation yet", hint="promptkit chat")
        else:
            found = journal.run(run)
        if found.strategy != CHAT:
            raise BadInput(f"run {found.id} is no conversation", hint=f"promptkit runs show {found.id}")
        past, persona = conversation.read(journal.events(found.id)), how.pop("persona", None)
        with_it = past.options or (found.options["model_options"] if past.model == found.model else {})
        chat = cls(model or past.model or found.model, options=options if model or options else with_it, **how)
        chat.run = found.id
        if (chat.model, chat._options) != (past.model, with_it) or persona not in (None, past.persona):
            chat._changed(persona=past.persona if persona is None else persona)
        return chat

    # what it is ---------------------------------------------------------------------------------------------------

    @property
    def so_far(self) -> Conversation:
        """What was said, read from the journal: another process may have gone on with it."""
        if self.run:
            self._known = conversation.read(self._journal.events(self.run))
        return self._known

    @property
    def model(self) -> str:
        """The name of the model in use."""
        return self._provider.id

    @property
    def capabilities(self) -> Capabilities:
        """What the model in use can do."""
        return self._provider.capabilities

    # what is said -------------------------------------------------------------------------------------------------

    def say(self, text: str, *sinks: Sink) -> Outcome:
        """asay() from code without an event loop; Ctrl-C stops the reply and keeps what was said of it."""
        from promptkit import sync

        return sync.run(self.asay(text, *sinks))

    async def asay(self, text: str, *sinks: Sink) -> Outcome:
        """The reply; `sinks` see it as it is written. A cancellation keeps what there is of it."""
        if not text.strip():
            raise BadInput("the message is empty", hint="say something, or /help")
        return await self._send(Pending(text, 0, len(self.so_far.exchanges)), sinks)

    async def aretry(self, *sinks: Sink) -> Outcome:
        """Another reply to the last message, in place of the one it had."""
        past = self.so_far
        if past.pending:
            return await self._send(past.pending, sinks)
        if not past.exchanges:
            raise BadInput("nothing was said yet", hint="say something first")
        last = past.exchanges[-1]
        return await self._send(Pending(last.said, last.draw + 1, len(past.exchanges) - 1), sinks)

    async def _send(self, what: Pending, sinks: Sequence[Sink]) -> Outcome:
        past = self.so_far
        problem = Problem(text=what.said, history=past.history(what.after))
        self._warn_once(problem, sinks)
        run = self.run or new_run_id()
        plan = Plan(
            run=run,
            name=CHAT,
            strategy=replace(self._turn, persona=past.persona, draw=what.draw, after=what.after),
            problem=problem,
            provider=_willing(self._provider),
            journal=self._journal,
            options=RunOptions(),
            mode="extend" if self.run else "new",
            model_options=self._options,
            sinks=tuple(sinks),
        )
        try:
            return await execute(plan)
        finally:
            with suppress(RunMissing):  # bad input leaves none
                self.run = self._journal.run(run).id

    def undo(self) -> str:
        """Take the last exchange back, or a message that got no reply; returns what had been said."""
        past = self.so_far
        if not past.length:
            raise BadInput("nothing was said yet: there is nothing to take back", hint="say something first")
        self._changed(kept=past.length - 1)
        return past.pending.said if past.pending else past.exchanges[-1].said

    def become(self, persona: str) -> None:
        """Tell the model who it is, from the next message on; empty text takes that back."""
        self._changed(persona=persona)

    def use(self, model: str | Model, options: Mapping[str, object] | None = None) -> None:
        """Go on with another model; what was said stays."""
        given = dict(options or {})
        if isinstance(model, str):
            provider = open_provider(model, given)
            if provider.capabilities.batch > 1 and not isinstance(provider, Chain) and "batch" not in given:
                given["batch"] = 1  # one reply is wanted; the others of its batch would be thrown away
                provider = open_provider(model, given)
        else:
            provider = as_provider(model)
        self._provider, self._options = provider, given
        self._changed()

    def _changed(self, **what: Any) -> None:
        """Note in the journal what the conversation is from here on."""
        past = self.so_far
        kept, persona = what.get("kept", past.length), what.get("persona", past.persona)
        event = ChatChanged(kept, persona, self._provider.id, dict(self._options))
        if self.run:
            self._journal.append(self.run, Record(0, time.time(), CHAT, Usage(), event).to_json())
        else:  # nothing was said yet: the first message tells all of it
            self._known = replace(past, persona=persona, model=event.model)

    def _warn_once(self, problem: Problem, sinks: Sequence[Sink]) -> None:
        """Say of a model that was made for little else than this, what a run with it would say."""
        if self._provider.id not in self._warned:
            self._warned.add(self._provider.id)
            with watch(*sinks):
                decline(problem, self._provider)


@dataclass(slots=True)
class _Written:
    """The sink that keeps a reply as far as it is written."""

    pieces: list[str] = field(default_factory=list)

    def __call__(self, record: Record) -> None:
        match record.event:
            case Delta(text=text, reasoning=False):
                self.pieces.append(text)
            case Retrying():  # it begins again
                self.pieces.clear()
            case _:
                pass

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class _Willing(Layer):
    """A model for few packs, asked anything all the same: who talks to it has been told what to expect."""

    @property
    def capabilities(self) -> Capabilities:
        """The model's, without the packs it was made for."""
        return replace(self.inner.capabilities, packs=None)


def _willing(provider: Provider) -> Provider:
    if isinstance(provider, Chain):
        return chain([_willing(each) for each in provider.models])
    return provider if provider.capabilities.packs is None else _Willing(provider)
