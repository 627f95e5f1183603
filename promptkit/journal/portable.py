"""A run and all it used as one file of JSON lines, and back. A file is believed as a whole or not at all."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Any, TextIO

from promptkit.errors import BadInput, JournalError
from promptkit.journal import blobs, pins, values
from promptkit.journal.runs import one, resolve
from promptkit.types import Blob, Usage, plain

SCHEMA = "promptkit.journal/1"

_NUMBER = (int, float)
_SHAPES: dict[str, dict[str, Any]] = {
    "run": {
        **dict.fromkeys(("id", "strategy", "model", "question", "pack", "source", "status"), str),
        **dict.fromkeys(("params", "options"), dict),
        **dict.fromkeys(("seed", "attempt"), int),
        "outcome": (dict, type(None)),
        "started": _NUMBER,
        "ended": (*_NUMBER, type(None)),
    },
    "call": {"id": str, "request": (dict, type(None)), "samples": int, "usage": dict},
    "completion": {"key": str, "call": str, "value": dict},
    "use": {"attempt": int, "key": str, "span": str, "cached": bool},
    "event": {"attempt": int, "record": dict},
    "failure": {"key": str, "error": dict},
    "blob": {"sha256": str, "data": str},  # base64
    "pin": {**dict.fromkeys(("id", "digest", "origin", "lang"), str), "version": int, "files": list, "at": _NUMBER},
    "attempt": {
        "call": str,
        "started": _NUMBER,
        **dict.fromkeys(("reserved_tokens",), int),
        **dict.fromkeys(("reserved_cost", "settled", "cost"), (*_NUMBER, type(None))),
        **dict.fromkeys(("input_tokens", "output_tokens", "reasoning_tokens", "samples"), (int, type(None))),
        "error": (str, type(None)),
    },
}
_ABOUT = ("strategy", "params", "model", "question", "pack", "seed", "options", "source")
_ATTEMPT = tuple(_SHAPES["attempt"])
_LATER = {"attempt": {"reasoning_tokens": None}}  # fields that files from before there were such do not have


@dataclass(slots=True)
class Bundle:
    """A run as it travels: lines by kind, in order."""

    lines: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {kind: [] for kind in _SHAPES})

    @property
    def run(self) -> dict[str, Any]:
        """The run itself."""
        return self.lines["run"][0]

    def own(self) -> str:
        """What is the run's alone, comparable; completions are shared with other runs."""
        return _dumps({kind: rows for kind, rows in self.lines.items() if kind not in ("call", "completion", "blob")})


def write(db: sqlite3.Connection, id: str, file: TextIO) -> None:
    """Write a run to a file: a header, its lines, and a last line that proves the rest is whole."""
    db.execute("BEGIN")  # one moment of the journal, whoever writes meanwhile
    try:
        bundle = gather(db, resolve(db, id))
    finally:
        db.execute("COMMIT")
    digest = hashlib.sha256()
    lines = ({"type": kind, **row} for kind, rows in bundle.lines.items() for row in rows)
    for line in ({"schema": SCHEMA}, *lines):
        text = _dumps(line) + "\n"
        digest.update(text.encode())
        file.write(text)
    file.write(_dumps({"type": "end", "sha256": digest.hexdigest()}) + "\n")


def gather(db: sqlite3.Connection, id: str) -> Bundle:
    """Everything the journal knows of a run."""
    row = plain(one(db, id))
    status = "interrupted" if row["status"] == "running" else row["status"]  # it does not run where it goes
    bundle = Bundle()
    into = bundle.lines
    into["run"] = [{**{name: row[name] for name in _SHAPES["run"]}, "status": status}]
    rows = db.execute(
        "SELECT key, call, value FROM completions WHERE key IN (SELECT key FROM uses WHERE run = ?) ORDER BY key", (id,)
    )
    into["completion"] = [{"key": key, "call": call, "value": values.unpack(value)} for key, call, value in rows]
    rows = db.execute(
        "SELECT id, request, samples, usage FROM calls WHERE id IN"
        " (SELECT call FROM completions WHERE key IN (SELECT key FROM uses WHERE run = ?)) ORDER BY id",
        (id,),
    )
    into["call"] = [
        {"id": call, "request": values.unpack(request), "samples": samples, "usage": values.unpack(usage)}
        for call, request, samples, usage in rows
    ]
    rows = db.execute("SELECT attempt, key, span, cached FROM uses WHERE run = ? ORDER BY id", (id,))
    into["use"] = [{"attempt": n, "key": key, "span": span, "cached": bool(cached)} for n, key, span, cached in rows]
    rows = db.execute("SELECT attempt, record FROM events WHERE run = ? ORDER BY id", (id,))
    into["event"] = [{"attempt": n, "record": values.unpack(record)} for n, record in rows]
    rows = db.execute("SELECT key, error FROM failures WHERE run = ? ORDER BY key", (id,))
    into["failure"] = [{"key": key, "error": values.unpack(error)} for key, error in rows]
    rows = db.execute(f"SELECT {', '.join(_ATTEMPT)} FROM attempts WHERE run = ? ORDER BY id", (id,))
    into["attempt"] = [dict(zip(_ATTEMPT, row, strict=True)) for row in rows]
    into["pin"] = [{name: getattr(pin, name) for name in pins.COLUMNS} for pin in pins.of_run(db, id)]
    into["blob"] = [{"sha256": name, "data": b64encode(data).decode()} for name, data in blobs.of_run(db, id)]
    return bundle


def read(file: TextIO) -> Bundle:
    """What an exported file holds; BadInput, with its line, unless all of it is sound."""
    name = getattr(file, "name", "the file")
    number = 0
    try:
        bundle, digest, ended = Bundle(), hashlib.sha256(), False
        for number, text in enumerate(file, 1):
            line = json.loads(text)
            if number == 1:
                _header(line)
            elif ended:
                raise ValueError("there is more after the end")
            elif isinstance(line, dict) and line.get("type") == "end":
                ended = True
                if line.get("sha256") != digest.hexdigest():
                    raise ValueError("it was changed or damaged: the checksum differs")
            else:
                kind, row = _checked(line)
                bundle.lines[kind].append(row)
            digest.update(text.encode("utf-8", "surrogatepass"))
        if not ended:
            raise ValueError("it is cut short")
        _whole(bundle)
    except (ValueError, RecursionError) as error:  # bad JSON, bad UTF-8 and values.Damaged are ValueErrors
        hint = "export it again: promptkit runs export"
        raise BadInput(f"{name}:{number}: not an exported run: {error}", hint=hint) from error
    return bundle


def merge(db: sqlite3.Connection, bundle: Bundle) -> str:
    """The id of the run, now in the journal; JournalError if the journal knows anything of it differently."""
    run, lines = bundle.run, bundle.lines
    id = run["id"]
    for line in lines["completion"]:
        row = db.execute("SELECT value FROM completions WHERE key = ?", (line["key"],)).fetchone()
        if row and _dumps(values.unpack(row[0])) != _dumps(line["value"]):
            raise JournalError(
                f"the journal has another completion of {line['key'][:12]}…: run {id} was not imported",
                hint="import it into another journal: PROMPTKIT_JOURNAL=/path/to/journal.db",
            )
    db.executemany(
        "INSERT OR IGNORE INTO completions (key, call, value, at) VALUES (?, ?, ?, ?)",
        [(line["key"], line["call"], values.pack(line["value"]), run["started"]) for line in lines["completion"]],
    )
    db.executemany(  # completions that were there already keep the call they came from
        "INSERT OR IGNORE INTO calls (id, request, samples, usage, at)"
        " SELECT ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM completions WHERE call = ?)",
        [
            (
                line["id"],
                values.pack(line["request"]),
                line["samples"],
                values.pack(line["usage"]),
                run["started"],
                line["id"],
            )
            for line in lines["call"]
        ],
    )
    if db.execute("SELECT 1 FROM runs WHERE id = ?", (id,)).fetchone():
        if gather(db, id).own() != bundle.own():
            raise JournalError(f"the journal has another run {id}", hint=f"remove it first: promptkit runs rm {id}")
        return str(id)
    _insert(db, bundle)
    return str(id)


def _insert(db: sqlite3.Connection, bundle: Bundle) -> None:
    run, lines = bundle.run, bundle.lines
    id = run["id"]
    outcome = None if run["outcome"] is None else values.pack(run["outcome"])
    about = values.pack({name: run[name] for name in _ABOUT})
    db.execute(
        "INSERT INTO runs (id, about, status, outcome, started, ended, attempt) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (id, about, run["status"], outcome, run["started"], run["ended"], run["attempt"]),
    )
    db.executemany(
        "INSERT INTO uses (run, attempt, key, span, cached) VALUES (?, ?, ?, ?, ?)",
        [(id, use["attempt"], use["key"], use["span"], use["cached"]) for use in lines["use"]],
    )
    db.executemany(
        "INSERT INTO events (run, attempt, record) VALUES (?, ?, ?)",
        [(id, event["attempt"], values.pack(event["record"])) for event in lines["event"]],
    )
    db.executemany(
        "INSERT INTO failures (run, key, error) VALUES (?, ?, ?)",
        [(id, failure["key"], values.pack(failure["error"])) for failure in lines["failure"]],
    )
    blobs.keep(db, id, [Blob("file", line["sha256"], "", data=b64decode(line["data"])) for line in lines["blob"]])
    pinned = [{**pin, "files": json.dumps(pin["files"])} for pin in lines["pin"]]
    pins.insert(db, id, [[pin[name] for name in pins.COLUMNS] for pin in pinned])
    marks = ", ".join("?" * len(_ATTEMPT))
    db.executemany(
        f"INSERT INTO attempts (run, {', '.join(_ATTEMPT)}) VALUES (?, {marks})",
        [(id, *(attempt[name] for name in _ATTEMPT)) for attempt in lines["attempt"]],
    )


def _header(line: Any) -> None:
    schema = line.get("schema") if isinstance(line, dict) else None
    if schema != SCHEMA:
        raise ValueError(f"its schema is {schema!r}, this promptkit reads {SCHEMA!r}")


def _checked(line: Any) -> tuple[str, dict[str, Any]]:
    """The kind of a line and its fields, each of the right type."""
    kind = line.pop("type", None) if isinstance(line, dict) else None
    shape = _SHAPES.get(kind) if isinstance(kind, str) else None
    if not isinstance(kind, str) or shape is None:
        raise ValueError("a line of no known type")
    line = {**_LATER.get(kind, {}), **line}
    for name in shape.keys() ^ line.keys():
        raise ValueError(f"a {kind} {'without' if name in shape else 'with'} {name!r}")
    for name, wanted in shape.items():
        value = line[name]
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            raise ValueError(f"a {kind} whose {name} is {value!r}")
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise ValueError(f"a {kind} whose {name} is out of range")
        if isinstance(value, str) and name not in _ABOUT:
            value.encode()  # it becomes a column: SQLite has no lone surrogates
    if kind == "completion":
        _sound(line["value"])
    if kind == "blob" and hashlib.sha256(b64decode(line["data"], validate=True)).hexdigest() != line["sha256"]:
        raise ValueError("an attachment that is not what its name says")
    if kind == "pin" and not all(isinstance(f, list) and [type(t) for t in f] == [str, str] for f in line["files"]):
        raise ValueError("a pin whose files are no names and digests")
    if kind == "call":
        _counts(values.to_usage(line["usage"]))
    return kind, line


def _sound(value: dict[str, Any]) -> None:
    completion = values.to_completion(value)
    texts = [completion.text, completion.model, completion.finish, completion.reasoning or ""]
    texts += [text for call in completion.calls for text in (call.id, call.name, call.arguments)]
    if not all(isinstance(text, str) for text in texts) or not isinstance(completion.seconds, _NUMBER):
        raise ValueError("a completion with a field of the wrong type")
    _counts(completion.usage)


def _counts(usage: Usage) -> None:
    if not all(type(count) is int for count in plain(usage).values()):
        raise ValueError("a usage that is no count")


def _whole(bundle: Bundle) -> None:
    """Check that the lines belong together."""
    lines = bundle.lines
    if len(lines["run"]) != 1:
        raise ValueError(f"it holds {len(lines['run'])} runs")
    for kind, name in (("call", "id"), ("completion", "key"), ("failure", "key"), ("blob", "sha256")):
        names = [line[name] for line in lines[kind]]
        if len(names) != len(set(names)):
            raise ValueError(f"a {kind} is there twice")
    if {line["call"] for line in lines["completion"]} != {line["id"] for line in lines["call"]}:
        raise ValueError("its completions and calls do not belong together")
    if bundle.run["status"] == "running":
        raise ValueError("a run that is still running")


def _dumps(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))  # ASCII: any file can hold it
