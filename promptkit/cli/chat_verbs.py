"""What can be typed into a conversation: messages, and the verbs behind a slash."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from promptkit.chat import Chat
from promptkit.cli.chat_reply import Streamed
from promptkit.cli.speak import clean, err
from promptkit.errors import BadInput, ContextOverflow, UnknownName
from promptkit.render.amounts import many
from promptkit.types import Outcome

VERBS = {
    "save": ("FILE", "write the conversation down: Markdown, or JSON where FILE ends in .json"),
    "model": ("[NAME [KEY=VALUE…]]", "go on with another model; alone: which one this is"),
    "persona": ("[TEXT|@FILE]", "who the model is to be, from the next message on; alone: clear it"),
    "undo": ("", "take the last exchange back"),
    "retry": ("", "another reply to the last message"),
    "history": ("", "what was said"),
    "help": ("", "this list; //text sends a message that begins with a slash"),
    "exit": ("", "leave, as Ctrl-D does; Ctrl-C stops a reply"),
}
WINDOW = {"ollama": "num_ctx", "llamacpp": "context", "builtin": "context"}  # the option that makes the context larger
NEARLY = 0.8  # the part of the context from which on its end is announced


class Talk:
    """A conversation as a person sees it: replies on stdout as they are written, everything else on stderr."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self._written: set[Path] = set()  # by /save: these may be written again
        self._reply: Streamed | None = None

    def greet(self) -> None:
        """Say who is there."""
        past, beginning = self.chat.so_far, "/help lists what else can be typed, Ctrl-D leaves"
        said = f" · {many(len(past.exchanges), 'exchange')} so far" if past.exchanges else ""
        self._note(f"{self.chat.model}{said} · {beginning}")
        if past.pending:
            self._note(f"the last message got no reply, /retry sends it again: {past.pending.said}")

    def line(self, line: str) -> bool:
        """Do what a line says; True when it says to leave."""
        if not line.startswith("/") or line.startswith("//"):
            self._answered(line.removeprefix("/") if line.startswith("//") else line)
            return False
        name, _, rest = line[1:].partition(" ")
        if name in ("exit", "quit", "q"):
            return True
        if name not in VERBS:
            raise UnknownName("command", f"/{name}", [f"/{each}" for each in VERBS], listing="/help")
        getattr(self, f"_{name}")(rest.strip())
        return False

    def stopped(self) -> None:
        """Ctrl-C came while a reply was written."""
        if self._reply:
            self._reply.close()
        past = self.chat.so_far
        if past.pending:
            self._note("stopped before anything was said: /retry sends the message again")
        else:
            self._note("stopped here; what was said is kept: /retry for another reply, /undo to take it back")

    # the verbs --------------------------------------------------------------------------------------------------

    def _save(self, rest: str) -> None:
        if not rest:
            raise BadInput("/save wants the name of a file", hint="/save talk.md, or talk.json")
        from promptkit.render.talk import markdown

        path, past = Path(rest).expanduser().absolute(), self.chat.so_far
        if (path.exists() or path.is_symlink()) and path not in self._written:
            raise BadInput(f"{path} exists, and nothing is written over", hint="/save another-name.md")
        import json

        as_json = path.suffix.lower() == ".json"
        text = json.dumps(past.document(self.chat.run), ensure_ascii=False, indent=2) + "\n" if as_json else ""
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            fresh.write_text(text or markdown(past, self.chat.run), "utf-8", "replace", newline="\n")
            fresh.replace(path)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise BadInput(
                f"{path}: {error.strerror or error}", hint="/save into a folder that can be written"
            ) from error
        self._written.add(path)
        self._note(f"saved {many(len(past.exchanges), 'exchange')} to {path}")

    def _model(self, rest: str) -> None:
        from promptkit.cli.answer import parse_options

        if rest:
            name, *options = rest.split()
            self.chat.use(name, parse_options([each for each in options if each != "-o"]))
        self._note(f"the model is {self.chat.model}")

    def _persona(self, rest: str) -> None:
        from promptkit.cli.chat import read_persona

        self.chat.become(read_persona(rest))
        self._note("the model is told who it is from the next message on" if rest else "no persona any more")

    def _undo(self, rest: str) -> None:
        self._note(f"taken back: {self.chat.undo()}")

    def _retry(self, rest: str) -> None:
        self._answered(None)

    def _history(self, rest: str) -> None:
        from promptkit.render.talk import lines

        past = self.chat.so_far
        for line in lines(past, self._width()):
            err(line)
        if not past.length:
            self._note("nothing was said yet")

    def _help(self, rest: str) -> None:
        from promptkit.render.safe import wrap

        for name, (takes, about) in VERBS.items():
            for line in wrap(f"/{name} {takes}".rstrip(), self._width()):
                err(line)
            for line in wrap(about, max(10, self._width() - 4)):
                err(f"    {line}")

    # a reply ----------------------------------------------------------------------------------------------------

    def _answered(self, message: str | None) -> None:
        """Send a message, or the last one again, and show the reply."""
        from promptkit import sync

        self._reply = shown = Streamed()
        work = self.chat.aretry(shown) if message is None else self.chat.asay(message, shown)
        try:
            outcome = sync.run(work)
        except ContextOverflow as error:
            raise ContextOverflow(error.message, hint=self._roomier()) from error
        finally:
            shown.close()
        shown.whole(outcome.answer or "")
        self._told(outcome)

    def _told(self, outcome: Outcome) -> None:
        """What a person should know about the reply."""
        given, taken = outcome.detail.get("tokens", (0, 0))
        context = self.chat.capabilities.context
        full = bool(context and given + taken >= NEARLY * context)
        if outcome.status in ("budget", "cancelled"):
            self._note(f"stopped: {outcome.detail.get('cut', outcome.status)}")
        elif outcome.answer is None:
            self._note("the model said nothing: /retry for another reply")
        elif outcome.detail.get("finish") == "length":
            self._note("the reply is cut off at its longest: promptkit chat --reply-tokens N allows more")
        if full:
            self._note(f"{given + taken:,} of {context:,} tokens of context are full: {self._roomier()}")

    def _roomier(self) -> str:
        """What makes room when the conversation is too long: nothing is ever left out of it silently."""
        kind, context = self.chat.model.partition(":")[0], self.chat.capabilities.context
        larger = f"/model {self.chat.model} {WINDOW[kind]}={2 * (context or 4096)}" if kind in WINDOW else "/model NAME"
        return f"/undo takes the last exchange back\n{larger} has more room"

    def _note(self, text: str) -> None:
        from promptkit.render.safe import wrap

        for line in wrap(f"· {' '.join(clean(text).split())}", self._width()):
            err(line)

    def _width(self) -> int:
        """Cells of the terminal; a pipe has lines of any length."""
        if sys.stderr is None or not sys.stderr.isatty():
            return 10_000
        import shutil

        return max(10, shutil.get_terminal_size().columns)
