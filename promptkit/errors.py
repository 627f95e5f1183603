"""Every error promptkit raises. Each says what happened, what to type next, and how the process ends.

PromptkitError                    1
├── UsageError                    2   bad input: nothing was spent
│   ├── UnknownName                   no strategy, pack or model of that name; did you mean …
│   ├── BadInput                      a question, file or parameter that cannot be used
│   ├── BadPrompt                     a template that cannot be used, with file:line
│   ├── CapabilityMissing             the model cannot do what was asked
│   └── SandboxMissing                nothing here can hold a program as promised
├── KeyMissing                    4   no key, or the provider refused it
├── ProviderError                 1   the model could not answer
│   ├── Unreachable                   nothing answers at its address, or its library cannot be loaded
│   ├── Transient                     worth another try: RateLimited, Unavailable, TimedOut, BadReply
│   └── Rejected                      another try will not help: ContextOverflow, TooLarge, ModelMissing, NoCredit
├── PluginBroken                  1   an installed package adds something that cannot be used
├── QuorumLost                    1   too few samples came back
├── OutputInvalid                 1   no reply fits the output that was asked for
├── Unanswered                    3   a question to a person has no answer: nothing is lost, and the run can go on
├── JournalError                  1   JournalUnusable, RunMissing, RunLive, ReplayMiss
└── Cut                           5   a cap was reached: the best so far is the answer
    ├── TimeUp                        the deadline passed
    └── Paused                        the provider asks to wait longer than a retry may
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from promptkit.redaction import redacted


class PromptkitError(Exception):
    """What happened in one line; `hint` is what to type next, one command or remedy a line."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        message, hint = redacted(message), redacted(hint)  # it is shown, logged and journaled
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.run = ""  # the run it ended, once one was started
        if hint:
            self.add_note(hint)  # a traceback shows it too

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.__dict__)


def _rebuild(cls: type[PromptkitError], state: dict[str, Any]) -> PromptkitError:
    error = cls.__new__(cls)
    Exception.__init__(error, state.get("message", ""))
    error.__dict__.update(state)
    return error


class UsageError(PromptkitError):
    """Bad input; nothing was spent."""

    exit_code = 2


class UnknownName(UsageError):
    """No such thing; the nearest names are offered."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, listing: str = "") -> None:
        import difflib  # half of what importing this file would take

        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.65)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}" if names else ""
        if listing:
            hint = f"{hint}\nlist them: {listing}" if hint else f"list them: {listing}"
        super().__init__(f"no {kind} {name!r}", hint=hint)


class BadInput(UsageError):
    """A question, file or parameter that cannot be used; `parameter` is one's name in Python, as the message has it."""

    def __init__(self, message: str, *, hint: str = "", parameter: str = "") -> None:
        super().__init__(message, hint=hint)
        self.parameter = parameter  # a command line says its flag instead


class BadPrompt(UsageError):
    """A template that cannot be used; the message begins with file:line."""


class CapabilityMissing(UsageError):
    """The model cannot do what was asked; refused before the call."""


class SandboxMissing(UsageError):
    """Nothing here can hold a program as promised; it was not run, and the hint names what to install."""


class KeyMissing(PromptkitError):
    """No key, or the provider refused it."""

    exit_code = 4


class ProviderError(PromptkitError):
    """The model could not answer."""


class Unreachable(ProviderError):
    """There is no model to ask: no work was done."""


class Transient(ProviderError):
    """Another try may help; `retry_after` is the provider's wish in seconds."""

    def __init__(self, message: str, *, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class RateLimited(Transient):
    """The provider asks to slow down."""


class Unavailable(Transient):
    """The provider is not answering."""


class TimedOut(Transient):
    """The provider took too long."""


class BadReply(Transient):
    """The provider answered with something that is not a completion."""


class Rejected(ProviderError):
    """The request itself is at fault."""


class ContextOverflow(Rejected):
    """The prompt and the reply do not fit the model's context."""


class TooLarge(Rejected):
    """Prompt and reply are more than the account may send at once; `limit` and `requested` are tokens, None unsaid."""

    def __init__(self, message: str, *, hint: str = "", limit: int | None = None, requested: int | None = None) -> None:
        super().__init__(message, hint=hint)
        self.limit = limit
        self.requested = requested


class ModelMissing(Rejected):
    """The provider has no such model."""


class NoCredit(Rejected):
    """The account is empty."""


class PluginBroken(PromptkitError):
    """An installed package adds something that cannot be used; the message names the package."""


class QuorumLost(PromptkitError):
    """Too few samples came back to draw a conclusion."""


class OutputInvalid(PromptkitError):
    """No reply fits the output that was asked for; `reply` is the last one, `first` the one it was to mend."""

    def __init__(self, fault: str, reply: str, first: str = "") -> None:
        shown = " ".join(reply.split())
        shown = f"{shown[:300]}…" if len(shown) > 300 else shown
        hint = "draw another reply: --fresh, or --seed 1\nask a larger model, or for a simpler output"
        super().__init__(f"the reply does not fit the output: {fault}; it was: {shown or '(empty)'}", hint=hint)
        self.reply, self.first = reply, first


class Unanswered(PromptkitError):
    """A question to a person has no answer; what was answered is kept, and the hint says what to add."""

    exit_code = 3


class JournalError(PromptkitError):
    """The journal cannot serve."""


class JournalUnusable(JournalError):
    """Unwritable, corrupted, or written by a newer promptkit: kept as it is."""


class RunMissing(JournalError):
    """No run of that id."""

    exit_code = 2


class RunLive(JournalError):
    """Another process is running it."""

    exit_code = 2


class ReplayMiss(JournalError):
    """A replay needed a call the journal does not have."""


class Cut(PromptkitError):
    """A cap was reached; the run ends with the best answer so far."""

    exit_code = 5

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.begun = 1.0  # the part of its round that was begun; of rounds inside rounds, the product


class TimeUp(Cut):
    """The deadline passed."""


class Paused(Cut):
    """The provider asks to wait longer than a retry may; `not_before` is when to resume, in local time."""

    def __init__(self, message: str, *, hint: str = "", not_before: str = "") -> None:
        super().__init__(message, hint=hint)
        self.not_before = not_before
