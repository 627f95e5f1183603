"""The tables, and opening a file as a journal or refusing it. A refused file is left as it is."""

from __future__ import annotations

import os
import shlex
import sqlite3
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from promptkit.errors import JournalError, JournalUnusable
from promptkit.journal.values import Damaged, printable

APPLICATION_ID = 0x706B6A6C  # "pkjl"; `file journal.db` shows it
VERSION = 4
_MAGIC = b"SQLite format 3\0"

BUSY_SECONDS = 5.0  # one wait for another process's transaction, inside SQLite
PATIENCE_SECONDS = 300.0  # all such waits together; transactions take milliseconds, so this is a stopped process

# No RETURNING, no STRICT: Python 3.11 still runs on systems with SQLite 3.26.
_TABLES = """
CREATE TABLE calls (
    id TEXT PRIMARY KEY, request NOT NULL, samples INTEGER NOT NULL, usage TEXT NOT NULL, at REAL NOT NULL,
    identity TEXT, model TEXT
);
CREATE TABLE completions (
    key TEXT PRIMARY KEY, call TEXT NOT NULL, value NOT NULL, at REAL NOT NULL
);
CREATE INDEX completions_call ON completions (call);
CREATE TABLE claims (
    key TEXT PRIMARY KEY, owner TEXT NOT NULL, run TEXT NOT NULL, at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, call TEXT NOT NULL,
    reserved_tokens INTEGER NOT NULL, reserved_cost REAL, started REAL NOT NULL,
    settled REAL, input_tokens INTEGER, output_tokens INTEGER, cost REAL, samples INTEGER, error TEXT,
    reasoning_tokens INTEGER
);
CREATE INDEX attempts_run ON attempts (run);
CREATE TABLE runs (
    id TEXT PRIMARY KEY, about NOT NULL, status TEXT NOT NULL, outcome, started REAL NOT NULL, ended REAL,
    attempt INTEGER NOT NULL, owner TEXT
);
CREATE INDEX runs_started ON runs (started);
CREATE TABLE events (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL, attempt INTEGER NOT NULL, record NOT NULL
);
CREATE INDEX events_run ON events (run, attempt);
CREATE TABLE uses (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL, attempt INTEGER NOT NULL,
    key TEXT NOT NULL, span TEXT NOT NULL, cached INTEGER NOT NULL
);
CREATE INDEX uses_run ON uses (run, attempt);
CREATE INDEX uses_key ON uses (key);
CREATE TABLE failures (
    run TEXT NOT NULL, key TEXT NOT NULL, error NOT NULL, PRIMARY KEY (run, key)
) WITHOUT ROWID;
CREATE TABLE chores (
    name TEXT PRIMARY KEY, at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE blobs (
    sha256 TEXT PRIMARY KEY, data BLOB NOT NULL
);
CREATE TABLE attached (
    run TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (run, sha256)
) WITHOUT ROWID;
CREATE TABLE pins (
    run TEXT NOT NULL, id TEXT NOT NULL, digest TEXT NOT NULL, version INTEGER NOT NULL, origin TEXT NOT NULL,
    lang TEXT NOT NULL, files TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (run, id, digest, lang)
) WITHOUT ROWID;
CREATE INDEX pins_id ON pins (id, at);
"""

# From the version of the index to the next one. Only ever additions: an older promptkit that has the file open goes on.
_MIGRATIONS = {
    1: """
ALTER TABLE calls ADD COLUMN identity TEXT;
ALTER TABLE calls ADD COLUMN model TEXT;
CREATE TABLE chores (name TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE blobs (sha256 TEXT PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE attached (run TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (run, sha256)) WITHOUT ROWID
""",
    2: "ALTER TABLE attempts ADD COLUMN reasoning_tokens INTEGER",
    3: """
CREATE TABLE pins (
    run TEXT NOT NULL, id TEXT NOT NULL, digest TEXT NOT NULL, version INTEGER NOT NULL, origin TEXT NOT NULL,
    lang TEXT NOT NULL, files TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (run, id, digest, lang)
) WITHOUT ROWID;
CREATE INDEX pins_id ON pins (id, at)
""",
}


class Place:
    """Where a journal lies: a file, or memory that this process's connections share."""

    def __init__(self, path: Path | None) -> None:
        self._pid = os.getpid()
        self.path = path.absolute() if path else None  # threads connect later, whatever the folder is by then
        self._memory = f"file:promptkit-{uuid.uuid4().hex}?mode=memory&cache=shared"

    @property
    def inherited(self) -> bool:
        """Whether this process got it by a fork: SQLite's connections and the writing thread do not survive that."""
        return os.getpid() != self._pid

    def own(self) -> None:
        """JournalUnusable when the journal is another process's."""
        if self.inherited:
            raise self._unusable(
                "was opened before this process was forked", "start processes by spawn, or use promptkit after the fork"
            )

    def connect(self, *, make: bool = False) -> sqlite3.Connection:
        """A connection in autocommit; whoever asks for it closes it. Only `make` creates the file."""
        name = f"{self.path.as_uri()}?mode={'rwc' if make else 'rw'}" if self.path else self._memory
        connection = sqlite3.connect(
            name, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=True
        )
        if self.path is None:
            connection.execute("PRAGMA read_uncommitted = 1")  # a shared cache locks readers out table by table
        return connection

    def prepare(self) -> sqlite3.Connection:
        """A connection to a journal that is known to be ours and writable; made when there is none."""
        if self.path is not None:
            self._examine(self.path)
        with self.explaining():
            connection = self.connect(make=True)
            try:
                self._adopt(connection)
            except BaseException:
                connection.close()
                raise
        return connection

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """Turn what SQLite reports in the block into errors a user can act on."""
        try:
            yield
        except (sqlite3.Error, Damaged) as error:
            raise self.explain(error) from error

    def explain(self, error: BaseException) -> JournalError:
        """What an error of SQLite means for this journal."""
        if isinstance(error, JournalError):
            return error
        if isinstance(error, sqlite3.ProgrammingError) and "closed" in str(error):
            return JournalError("the journal is closed")
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # extended codes keep the kind low
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FORMAT) or isinstance(error, Damaged):
            return self._set_aside(f"is corrupted ({error})")
        if code == sqlite3.SQLITE_NOTADB:
            return self._set_aside("is not a database")
        if code == sqlite3.SQLITE_FULL:
            return self._unusable("could not be written: the disk is full")
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
            return self._unusable(f"cannot be written ({error})")
        if _busy(error):
            return self._unusable(f"has been locked by another process for {PATIENCE_SECONDS:.0f} seconds")
        return self._unusable(f"cannot be used ({error})")

    def _examine(self, path: Path) -> None:
        if path.is_dir():
            raise self._unusable("is a folder")
        try:
            missing = [folder for folder in path.parents if not folder.exists()]
            for folder in reversed(missing):  # one by one: `parents=True` would give only the last its mode
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise self._unusable(f"cannot be made ({error.strerror or error})") from error
        if path.exists() and not os.access(
            path, os.W_OK
        ):  # SQLite finds out late, and leaves read-only files beside it
            raise self._unusable("is read-only")
        if path.exists() and _head(path) not in (b"", _MAGIC):  # SQLite would overwrite a file of a few bytes
            raise self._set_aside("is not a database")

    def _adopt(self, connection: sqlite3.Connection) -> None:
        version = self._inspect(connection)  # before anything is written: it may not be ours
        if version == 0 or _pragma(connection, "journal_mode") != "wal":
            patiently(connection, "PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # what is paid for survives a power cut too
        patiently(connection, "BEGIN IMMEDIATE")  # a journal that cannot be written is refused now, not mid-run
        try:
            version = self._inspect(connection)  # somebody else may have made it meanwhile
            if version < VERSION:
                steps = [_MIGRATIONS[each] for each in range(version, VERSION)] if version else [_TABLES]
                for statement in filter(str.strip, ";".join(steps).split(";")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _inspect(self, connection: sqlite3.Connection) -> int:
        """The version of the journal in the file, 0 for an empty file; anything else is refused."""
        if not connection.in_transaction:  # one look at one moment: another process may be making it
            patiently(connection, "BEGIN")
            try:
                return self._inspect(connection)
            finally:
                connection.execute("ROLLBACK")
        application, version = int(_pragma(connection, "application_id")), int(_pragma(connection, "user_version"))
        tables = patiently(connection, "SELECT count(*) FROM sqlite_master").fetchone()[0]
        if application == version == tables == 0:
            return 0
        if application != APPLICATION_ID:
            raise self._set_aside("is another program's database")
        if version > VERSION:
            raise self._set_aside(f"was written by a newer promptkit (version {version}, this one reads {VERSION})")
        return version

    def _unusable(self, what: str, *remedies: str) -> JournalUnusable:
        where = f"journal {self.path}" if self.path else "the journal in memory"
        elsewhere = "use another: PROMPTKIT_JOURNAL=/path/to/journal.db"
        message = printable(f"{where} {what}").replace("\n", " ")
        return JournalUnusable(message, hint=printable("\n".join((*remedies, elsewhere))))

    def _set_aside(self, what: str) -> JournalUnusable:
        if self.path is None:
            return self._unusable(what)
        # The -wal file holds the newest transactions: it belongs to the file that is moved.
        ends = [end for end in ("", "-wal") if Path(f"{self.path}{end}").exists()]
        moves = [f"move it aside: {_move(f'{self.path}{end}', f'{self.path}.bad{end}')}" for end in ends]
        return self._unusable(what, *moves)


def patiently(connection: sqlite3.Connection, statement: str) -> sqlite3.Cursor:
    """Execute a statement that may have to wait for other processes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return connection.execute(statement)
        except sqlite3.OperationalError as error:
            if not _busy(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.005)  # some locks are refused at once, whatever the busy timeout


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC))
    except OSError:  # SQLite will say what is wrong with it
        return b""


def _busy(error: BaseException) -> bool:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _pragma(connection: sqlite3.Connection, name: str) -> int | str:
    value: int | str = patiently(connection, f"PRAGMA {name}").fetchone()[0]
    return value


def _move(source: str, target: str) -> str:
    if sys.platform == "win32":
        return f'move "{source}" "{target}"'
    return f"mv {shlex.quote(source)} {shlex.quote(target)}"
