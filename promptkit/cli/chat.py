"""`promptkit chat`: a conversation with a model, a line a message."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from promptkit.cli import complete
from promptkit.cli.exits import Exit
from promptkit.cli.line import typed
from promptkit.cli.speak import abandon, complain, err, say
from promptkit.cli.verb import Verb
from promptkit.errors import BadInput, PromptkitError

if TYPE_CHECKING:
    from promptkit.chat import Chat
    from promptkit.cli.chat_verbs import Talk


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("chat", cls=Verb)(chat)


def chat(
    model: Annotated[
        str | None,
        typer.Option("-m", "--model", help="provider:name; the default is `builtin`.", autocompletion=complete.models),
    ] = None,
    option: Annotated[list[str] | None, typer.Option("-o", metavar="KEY=VALUE", help="Provider option.")] = None,
    persona: Annotated[
        str | None, typer.Option("--persona", metavar="TEXT|@FILE", help="Who the model is to be.")
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            "--resume", metavar="RUN", help="Go on with a recorded conversation.", autocompletion=complete.runs
        ),
    ] = None,
    reply_tokens: Annotated[
        int | None, typer.Option("--reply-tokens", min=1, metavar="N", help="Longest reply; the default is 1024.")
    ] = None,
) -> int:
    """Talk with a model, its replies streamed; /help lists what else can be typed. Piped stdin is a message a line."""
    from promptkit.chat import Chat
    from promptkit.cli.answer import parse_options
    from promptkit.cli.chat_verbs import Talk

    who = None if persona is None else read_persona(persona)
    options = parse_options(option or []) or None
    if resume is None:
        talk = Talk(Chat(model, options=options, persona=who or "", reply_tokens=reply_tokens))
    else:
        talk = Talk(Chat.resumed(resume, model, options=options, persona=who, reply_tokens=reply_tokens))
    return at_terminal(talk) if sys.stdin is not None and sys.stdin.isatty() else from_pipe(talk)


def read_persona(text: str) -> str:
    """The text itself, or that of the file after an @."""
    if not text.startswith("@"):
        return text.strip()
    try:
        return Path(text[1:]).expanduser().read_text("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise BadInput(f"{text[1:]}: {reason}", hint="--persona @FILE reads a text file") from error


def from_pipe(talk: Talk) -> int:
    """The exit code of a conversation whose messages are the lines of stdin; stdout has the replies alone."""
    code = int(Exit.DONE)
    for raw in sys.stdin.buffer if sys.stdin is not None else ():
        line = raw.decode("utf-8-sig", "replace").strip()
        try:
            if line and talk.line(line):
                break
        except PromptkitError as error:
            code = complain(_without_run(error))
        except KeyboardInterrupt:
            talk.stopped()
            code = int(Exit.INTERRUPTED)
            break
        except OSError as error:
            raise _unwritten(talk.chat, error) from error
    _farewell(talk.chat)
    return code


def at_terminal(talk: Talk) -> int:
    """The exit code of a conversation that is typed; nothing but leaving ends it."""
    remember = _line_editing()
    for each in talk.chat.so_far.exchanges:
        remember(each.said)
    talk.greet()
    while True:
        try:
            line = typed()
        except EOFError:
            err("")
            break
        except KeyboardInterrupt:  # it clears the line
            err("")
            continue
        try:
            if line.strip() and talk.line(line.strip()):
                break
        except PromptkitError as error:
            complain(_without_run(error))
        except KeyboardInterrupt:
            talk.stopped()
        except OSError as error:
            raise _unwritten(talk.chat, error) from error
    _farewell(talk.chat)
    return Exit.DONE


def _line_editing() -> Callable[[str], None]:
    """Have input() edit lines and recall them, where there is a readline; returns what adds a line to recall."""
    try:
        import readline
    except ImportError:
        return lambda line: None
    from promptkit.cli.chat_verbs import VERBS

    def offer(text: str, state: int) -> str | None:
        fitting = [f"/{name} " for name in VERBS if f"/{name}".startswith(text)]
        return fitting[state] if text.startswith("/") and state < len(fitting) else None

    readline.set_completer_delims(" ")
    readline.set_completer(offer)
    readline.parse_and_bind("bind ^I rl_complete" if "libedit" in (readline.__doc__ or "") else "tab: complete")
    return readline.add_history


def _without_run(error: PromptkitError) -> PromptkitError:
    """The error as the conversation goes on after it: there is nothing to resume."""
    error.run = ""
    return error


def _unwritten(chat: Chat, error: OSError) -> PromptkitError:
    """What to say where stdout takes no more: the reply is kept, and is not asked for again."""
    if sys.stdout is not None:
        abandon(sys.stdout)
    hint = f"the reply is kept: promptkit chat --resume {chat.run or 'last'}, and there /history"
    return PromptkitError(f"stdout cannot be written: {error.strerror or error}", hint=hint)


def _farewell(chat: Chat) -> None:
    if chat.run:
        say(f"to go on: promptkit chat --resume {chat.run}")
