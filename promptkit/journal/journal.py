"""The journal as everything else sees it.

Reads are synchronous and happen on the calling thread; writes go through the writer. What is awaited is committed
when it returns; the rest is committed in order soon after. A read of runs sees everything this process wrote before.
"""

from __future__ import annotations

import asyncio
import atexit
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TextIO

from promptkit.events import PromptUsed
from promptkit.journal import answers, beside, blobs, calls, ledger, pins, portable, programs, retention, runs, values
from promptkit.journal.claims import Claims, holder
from promptkit.journal.gathered import Gathered
from promptkit.journal.lease import Owner
from promptkit.journal.readers import Readers
from promptkit.journal.retention import Freed, Keep
from promptkit.journal.rows import Answered, Executed, NewRun, Pinned, RunRow, Settled, Spent, Stored
from promptkit.journal.schema import Place
from promptkit.journal.writer import Writer
from promptkit.types import Blob, Completion, Request, Usage

if TYPE_CHECKING:
    from promptkit.journal.nearest import Why


class Journal:
    """Every call ever made and every run, in one file that any number of processes share."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._owner = Owner.here()
        self._claims = Claims(self._owner)
        self._readers = Readers(place)
        self._writer = Writer(place)
        self._closed = False
        self._events = Gathered(self._writer, runs.append)
        self._uses = Gathered(self._writer, runs.touch)
        self._pins = Gathered(self._writer, pins.keep)
        self._settled = Gathered[Settled](self._writer, lambda db, _, settled: ledger.settle(db, settled))
        atexit.register(self.close)

    @classmethod
    def open(cls, path: Path | None) -> Self:
        """The journal in that file, made if there is none; None keeps it in memory. JournalUnusable says why not."""
        return cls(Place(path))

    @property
    def path(self) -> Path | None:
        """Its file; None in memory."""
        return self._place.path

    def close(self) -> None:
        """Commit what is queued, give up every lease and claim, let the file go; safe to call twice."""
        if self._closed or self._place.inherited:
            return
        self._closed = True
        atexit.unregister(self.close)
        self._writer.post(self._claims.drop_all)
        self._writer.post(partial(runs.leave_all, owner=self._owner))
        self._writer.close()
        self._readers.close()
        self._owner.leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def flush(self) -> None:
        """Return when everything written before is committed; raises what went wrong with it."""
        await self._writer.done(lambda _: None)
        self._writer.raise_lost()

    # completions

    def get(self, key: str) -> Stored | None:
        """The completion of that key, at once."""
        with self._readers.reading() as db:
            return calls.load(db, key)

    async def claim(self, keys: Sequence[str], run: str) -> set[str]:
        """The keys that are now the caller's to buy; it must `store` or `release` each.

        Not among them: what is stored, and what another task or a living process is buying.
        """
        return await self._writer.done(partial(self._claims.take, keys=keys, run=run), unheard=self._hand_back)

    async def wait(self, key: str) -> Stored | None:
        """The completion somebody else is buying, once it is stored; None if it is not being bought (any more)."""
        pause, doubts = 0.01, 0
        while True:
            bell = self._claims.listen(key)  # before looking: what happens after the look still rings
            try:
                with self._readers.reading() as db:
                    buyer = holder(db, key)  # before the completion: storing it lifts the claim
                    stored = calls.load(db, key)
                if stored or buyer is None:
                    return stored
                ours = self._claims.ours(buyer)
                # A row without a holder is about to go, or could not be deleted: the second look tells.
                doubts += ours and not self._claims.holds(key)
                if doubts > 1:
                    return None
                # The bell tells of this process. Others are polled; so, slowly, is a store that had no claim.
                await asyncio.wait({asyncio.wrap_future(bell)}, timeout=1.0 if ours else pause)
            finally:
                self._claims.forget(key, bell)
            pause = min(1.5 * pause, 0.25)

    def request(self, key: str) -> dict[str, Any] | None:
        """The request that the completion of that key answers, without its innermost draw; None if unknown."""
        with self._readers.reading() as db:
            return calls.asked(db, key)

    def wire(self, key: str) -> dict[str, Any] | None:
        """The reply over the wire that was stored with the completion of that key; None when there is none."""
        with self._readers.reading() as db:
            return calls.wire(db, key)

    async def store(
        self,
        call: str,
        completions: Sequence[tuple[str, Completion]],
        usage: Usage,
        request: Request | None = None,
        identity: str | None = None,
        wire: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep a provider call and its completions, and lift the claims on them. The first to store a key wins."""
        keys = [key for key, _ in completions]
        rows = calls.rows(completions, wire)
        asked = values.packed(request.canonical() if request else "null")
        who = values.printable(identity) if identity is not None else None
        model = values.printable(completions[0][1].model) if completions else None

        def work(db: sqlite3.Connection) -> None:
            self._claims.fulfil(db, keys)
            calls.save(db, call, rows, usage, asked, who, model)

        await self._writer.done(work, after=partial(self._claims.ring, keys))

    async def release(self, keys: Sequence[str]) -> None:
        """Give up claims without buying; whoever waits may claim them."""
        await self._writer.done(partial(self._claims.drop, keys=keys), after=partial(self._claims.ring, keys))

    # programs: claimed, waited for and released by their names, like completions

    def program(self, key: str) -> dict[str, Any] | None:
        """What the program of that name came to, at once."""
        with self._readers.reading() as db:
            return programs.load(db, key)

    async def keep_program(
        self, key: str, ran: Mapping[str, Any], asked: Mapping[str, Any], identity: str, claimed: str
    ) -> None:
        """Keep what a program came to, and lift the claim under which it ran. The first to store a key wins."""
        row, packed = programs.row(key, ran), values.pack(asked)

        def work(db: sqlite3.Connection) -> None:
            self._claims.fulfil(db, [claimed])
            programs.save(db, row, packed, identity)

        await self._writer.done(work, after=partial(self._claims.ring, [claimed]))

    def programs(self, run: str, *, ever: bool = False) -> list[Executed]:
        """The programs whose results the run's latest attempt used, in order; with `ever` any attempt."""
        with self._reading() as db:
            return programs.of_run(db, runs.resolve(db, run), ever=ever)

    # people's answers: each is its run's alone

    def answer(self, key: str) -> tuple[str | None] | None:
        """What a person answered under that name, at once; None when nobody has."""
        with self._readers.reading() as db:
            return answers.load(db, key)

    async def keep_answer(self, run: str, key: str, span: str, question: str, answer: str | None) -> None:
        """Keep what a person answered, and that the run used it."""
        row, asked = answers.row(key, answer), values.pack({"question": question})

        def work(db: sqlite3.Connection) -> None:
            answers.save(db, row, asked)
            runs.touch(db, run, [(key, span, False)])

        await self._writer.done(work)

    def answers(self, run: str) -> list[Answered]:
        """What people answered in the run's latest attempt, in order."""
        with self._reading() as db:
            return answers.of_run(db, runs.resolve(db, run))

    # the live ledger

    async def begin(self, run: str, call: str, reserved_tokens: int, reserved_cost: float | None) -> int:
        """The number of an attempt about to be sent; its whole reservation counts until it is settled."""
        work = partial(ledger.begin, run=run, call=call, reserved_tokens=reserved_tokens, reserved_cost=reserved_cost)
        return await self._writer.done(work, unheard=self.unsend)

    def unsend(self, attempt: int) -> None:
        """Say that an attempt was never sent after all."""
        if not self._closed:
            self._writer.post(partial(ledger.unsend, attempt=attempt))

    def settle(
        self,
        attempt: int,
        *,
        input_tokens: int,
        output_tokens: int,
        reasoning_tokens: int = 0,
        cost: float | None,
        samples: int,
        error: str = "",
    ) -> None:
        """Say what an attempt came to; `error` is empty if it was answered."""
        tokens = (input_tokens, output_tokens, reasoning_tokens)
        settled = Settled(attempt, tokens, cost, samples, error, time.time())
        self._settled.add("", settled)

    def spent(self, run: str) -> Spent:
        """What a run and its resumes really sent."""
        with self._reading() as db:
            return ledger.spent(db, run)

    # runs

    async def start_run(self, run: NewRun, attached: Sequence[Blob] = ()) -> None:
        """Record a run with what it was given, and hold its lease until `end_run`."""
        about = values.pack(runs.about(run))

        def work(db: sqlite3.Connection) -> None:
            runs.start(db, run.id, about, run.started, self._owner)
            blobs.keep(db, run.id, attached)

        await self._writer.done(work)

    async def resume_run(self, run: str, *, anew: bool = True) -> RunRow:
        """Lease a run again: for another attempt, whose events supersede all earlier ones, or for more of the last."""
        return await self._writer.done(partial(runs.resume, id=run, owner=self._owner, anew=anew))

    async def note_embedder(self, run: str, name: str, identity: str) -> None:
        """Note which model embeds the run's texts under that name: a replay asks for the same."""
        await self._writer.done(partial(runs.note_embedder, id=run, name=name, identity=identity))

    async def end_run(self, run: str, status: str, outcome: dict[str, Any]) -> None:
        """Record how a run ended; everything written before is committed, or its error raised."""
        await self._writer.done(partial(runs.end, id=run, status=status, outcome=values.pack(outcome)))
        self._writer.raise_lost()

    def append(self, run: str, record: dict[str, Any]) -> None:
        """Add an event to the run."""
        self._events.add(run, values.pack(record))

    def touch(self, run: str, key: str, span: str, cached: bool) -> None:
        """Note that the run used a completion; the order is kept."""
        self._uses.add(run, (key, span, cached))

    def pin(self, run: str, used: PromptUsed) -> None:
        """Note which version of a template the run used, and keep its text."""
        self._pins.add(run, used)

    def pinned(self, run: str) -> list[Pinned]:
        """The versions of templates the run used, by name."""
        with self._reading() as db:
            return pins.of_run(db, runs.resolve(db, run))

    def versions(self, prompt: str) -> list[Pinned]:
        """What runs used of the template `pack/name`, oldest first."""
        with self._reading() as db:
            return pins.of_prompt(db, prompt)

    def blob(self, sha256: str) -> bytes | None:
        """The bytes of something that was attached to a run; None when they are not there."""
        with self._reading() as db:
            return blobs.load(db, sha256)

    async def fail(self, run: str, key: str, error: dict[str, Any]) -> None:
        """Note that the run could not have a completion; no other run is told."""
        await self._writer.done(partial(runs.fail, id=run, key=key, error=values.pack(error)))

    async def clear_failures(self, run: str) -> None:
        """Forget them, so that a resume tries again."""
        await self._writer.done(partial(runs.clear_failures, id=run))

    def failures(self, run: str) -> dict[str, dict[str, Any]]:
        """What the run could not have, by key."""
        with self._reading() as db:
            return runs.failures(db, run)

    def runs(self, limit: int | None = None) -> list[RunRow]:
        """The runs, newest first."""
        with self._reading() as db:
            return runs.every(db, limit)

    def run(self, id: str) -> RunRow:
        """A run by its id or a beginning of it that no other run shares."""
        with self._reading() as db:
            return runs.one(db, id)

    def events(self, run: str) -> list[dict[str, Any]]:
        """The events of the run's latest attempt, in order."""
        with self._reading() as db:
            return runs.events(db, run)

    def calls(self, run: str) -> list[tuple[str, str, bool]]:
        """What the run's latest attempt used, in order: key, span, and whether the journal had it."""
        with self._reading() as db:
            return runs.uses(db, run)

    async def remove(self, run: str) -> None:
        """Delete a run and the completions that no other run used."""
        await self._writer.done(partial(runs.remove, id=run))

    # the whole

    def export(self, run: str, file: TextIO) -> None:
        """Write a run and all it used as one self-contained JSON Lines file."""
        with self._reading() as db:
            portable.write(db, run, file)

    def import_(self, file: TextIO) -> str:
        """The id of the run in an exported file, which is now in this journal; nothing is ever overwritten."""
        bundle = portable.read(file)  # the whole file is verified before anything is written
        return self._writer.submit(partial(portable.merge, bundle=bundle)).result()

    def stats(self) -> dict[str, int]:
        """How many runs and completions there are, and the bytes they take."""
        with self._reading() as db:
            model = f"SELECT count(*) FROM completions WHERE NOT {beside.is_one('key')}"
            count = f"SELECT (SELECT count(*) FROM runs), ({model})"
            many, kept = db.execute(count).fetchone()
            (pages,), (size,) = db.execute("PRAGMA page_count").fetchone(), db.execute("PRAGMA page_size").fetchone()
        wal = Path(f"{self.path}-wal")
        return {"runs": many, "completions": kept, "bytes": pages * size + (wal.stat().st_size if wal.exists() else 0)}

    def holdings(self) -> dict[str, Any]:
        """What is in the journal, by model, and what it saved; "bytes" of it are in use, "file" is the file's size."""
        from promptkit.journal.holdings import holdings  # here: a run has no use for it

        with self._reading() as db:
            return {**holdings(db), "bytes": retention.used(db), "file": self.stats()["bytes"]}

    def why(self, keys: Sequence[str], before: float) -> list[Why]:
        """For each completion, why the journal as it was at that time did not have it."""
        from promptkit.journal.nearest import why

        with self._reading() as db:
            return why(db, keys, before)

    def prune(self, keep: Keep, *, dry: bool = False) -> Freed:
        """Let go of runs that are not kept and completions that no kept run needs; with `dry`, only say what."""
        work: Callable[[sqlite3.Connection], Freed] = partial(retention.prune, keep=keep, dry=dry)
        try:
            return self._writer.submit(work).result()
        except retention.Undone as undone:
            return undone.freed

    def tidy(self, keep: Keep) -> None:
        """The same some time soon, if it was not done today."""

        def work(db: sqlite3.Connection) -> None:
            if retention.due(db):
                retention.prune(db, keep)

        self._writer.post(work)

    def compact(self) -> None:
        """Give the file's free room back to the disk; JournalUnusable while another process is in the way."""
        self._writer.drain()
        if self.path is not None:
            with self._place.explaining(), closing(self._place.connect()) as db:
                db.execute("VACUUM")
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees what this process has written so far."""
        if not self._closed:
            self._writer.drain()
        with self._readers.reading() as db:
            yield db

    def _hand_back(self, granted: set[str]) -> None:
        """Nobody will ever hear of the grant."""
        if granted and not self._closed:
            keys = list(granted)
            dropped = self._writer.submit(partial(self._claims.drop, keys=keys))
            dropped.add_done_callback(lambda _: self._claims.ring(keys))
