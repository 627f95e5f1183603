"""`promptkit doctor`: is the setup right, and what to type if not."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from promptkit.cli.exits import Exit
from promptkit.cli.speak import clean, out_json
from promptkit.cli.tables import prose
from promptkit.cli.verb import Verb
from promptkit.types import plain

if TYPE_CHECKING:
    from promptkit.cli.checks import Finding


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("doctor", cls=Verb)(doctor)


def doctor(
    online: Annotated[bool, typer.Option("--online", help="Reach the providers whose keys are there, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> int:
    """Check this installation; exit 1 if something is broken. Without --online nothing leaves this machine."""
    from promptkit.cli.checks import examine

    findings = [*examine(online), *_plugins()]
    healthy = all(finding.state != "fail" for finding in findings)
    if as_json:
        out_json({"schema": "promptkit.doctor/1", "ok": healthy, "checks": [plain(finding) for finding in findings]})
    else:
        for line in _lines(findings):
            prose(line, hang=len(line) - len(line.lstrip()) + 2)
    return Exit.DONE if healthy else Exit.FAILED


def _plugins() -> Iterator[Finding]:
    """What installed packages add, as far as it is not in order; how many names are."""
    from promptkit import registry
    from promptkit.cli.checks import Finding
    from promptkit.cli.plugins import looked_at
    from promptkit.render.amounts import many

    found = [looked_at(plugin) for plugin in registry.plugins()]
    for each in found:
        remove = f"pip uninstall {each['package']}"
        if each["state"] == "broken":
            yield Finding("plugins", "fail", each["problem"], f"pip install --upgrade {each['package']}, or {remove}")
        elif each["state"] == "hidden":
            yield Finding("plugins", "warn", each["problem"], remove)
    if fine := sum(each["state"] == "ok" for each in found):
        yield Finding("plugins", "ok", f"{many(fine, 'name')} of installed packages can be used")


def _lines(findings: Sequence[Finding]) -> Iterator[str]:
    try:
        "✓✗·".encode(sys.stdout.encoding or "utf-8")
        marks = {"ok": "✓", "none": "·", "warn": "!", "fail": "✗"}
    except UnicodeEncodeError:
        marks = {"ok": "ok", "none": "-", "warn": "!", "fail": "x"}
    wide = max(map(len, marks.values()))
    for finding in findings:
        yield f"  {marks[finding.state].ljust(wide)} {clean(finding.found)}"
        if finding.mend:
            yield f"  {' ' * wide}   {clean(finding.mend)}"
