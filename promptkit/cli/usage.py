"""Command lines that cannot be understood: what to type instead, also for who knows the verbs of another tool."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from typer.core import TyperGroup

from promptkit.cli.exits import Exit
from promptkit.cli.speak import say
from promptkit.errors import BadInput, UnknownName
from promptkit.redaction import redacted

_ONE_ANSWER = 'promptkit run direct "your question"'
_REASONED = 'promptkit run cot "your question"'
_VOTED = 'promptkit run sc "your question"'
_CHECKED = 'promptkit run tot -P game24 "1 4 9 11"'
_OURS = {
    "ask": _ONE_ANSWER,
    "prompt": _ONE_ANSWER,
    "complete": _ONE_ANSWER,
    "solve": _REASONED,
    "eval": f"one question through a strategy: {_VOTED}\nits calls and votes: promptkit runs show last",
    "benchmark": "promptkit bench game24 --quick",
    "score": f"where a pack has rules, answers are checked as they come: {_CHECKED}\nsee: promptkit runs show last",
    "view": "promptkit runs show last",
    "show": "promptkit runs show last",
    "trace": "promptkit runs show last --tree",
    "log": "promptkit runs list",
    "logs": "promptkit runs list",
    "history": "promptkit runs list",
    "list": "promptkit runs list\npromptkit strategies\npromptkit models",
    "share": "promptkit runs export last -o run.jsonl\nand there: promptkit runs import run.jsonl",
    "export": "promptkit runs export last -o run.jsonl",
    "import": "promptkit runs import run.jsonl",
    "init": "nothing needs it; an empty promptkit.toml makes a folder a project with its own journal and prompts/",
    "recipes": f"for better prompts: promptkit optimize optimize-words\nthere are no others yet: {_REASONED}",
    "packs": "promptkit prompts list",
    "help": "promptkit --help",
    "version": "promptkit --version",
}
_PLAINER = {
    "Input should be a valid integer, unable to parse string as an integer": "not a whole number",
    "Input should be a valid number, unable to parse string as a number": "not a number",
    "Input should be greater than or equal to": "must be at least",
    "Value error, ": "",
}
_SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")  # those that typer writes completion for


class Verbs(TyperGroup):
    """Commands whose unknown names are answered with the nearest of ours."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command; UnknownName when there is none of that name."""
        command = super().get_command(ctx, cmd_name)
        if command is None and not ctx.resilient_parsing:
            raise self.unknown(ctx, cmd_name)
        return command

    def unknown(self, ctx: Any, name: str) -> Exception:
        """The error that names what to type instead."""
        return UnknownName("verb", name, self.list_commands(ctx), listing=f"{ctx.command_path} --help")


class TopVerbs(Verbs):
    """The verbs of promptkit; those of other tools, strategies and bare questions are known, too."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """What is left of the words; BadInput where completion is asked for by a shell's name, which would be lost."""
        for flag, word in pairwise(args):
            if flag in ("--install-completion", "--show-completion") and not word.startswith("-"):
                raise BadInput(f"{flag} is for the shell it is typed in, and takes no name", hint=_completed(word))
        return super().parse_args(ctx, args)

    def unknown(self, ctx: Any, name: str) -> Exception:
        """The error that names our verb for it."""
        from promptkit import registry

        if ours := _OURS.get(name):
            return BadInput(f"promptkit has no verb {name!r}", hint=ours)
        if name in registry.names("strategy"):
            return BadInput(f"{name} is a strategy, not a verb", hint=f'promptkit run {name} "your question"')
        if " " in name.strip():
            return BadInput("a question needs a strategy before it", hint='promptkit run cot "your question"')
        return super().unknown(ctx, name)


def _completed(shell: str) -> str:
    """How a shell that is not the one being typed in gets its completion."""
    if shell not in _SHELLS:
        return f"there is completion for {', '.join(_SHELLS)}"
    return f"in {shell}: promptkit --install-completion\nits script: _PROMPTKIT_COMPLETE=source_{shell} promptkit"


def complain_usage(error: Any) -> int:
    """Say what is wrong with the command line and how it is used; returns the exit code."""
    message = error.format_message()
    for said, plainer in _PLAINER.items():
        message = message.replace(said, plainer)
    message = redacted(message)  # a word that is no option may be a key
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "promptkit"
    hints = [f"see: {command} --help"]
    if command == "promptkit run":
        hints.insert(0, 'flags come after the strategy: promptkit run cot "your question" --json')
    elif command.startswith("promptkit run ") and "extra argument" in message:
        hints.insert(0, f'put the question in quotes: {command} "your question"')
    say(f"error: {message}", hints)
    return Exit.USAGE
