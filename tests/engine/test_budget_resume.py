"""A run that was cut off goes on: what was paid for is kept, what was spent is not forgotten."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from metered import Metered
from watching import Seen, facts, tree

from promptkit import api
from promptkit.errors import BadInput, BadReply, RateLimited, Transient, Unavailable
from promptkit.events import BudgetHit, Warned
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.render import frame
from promptkit.render.state import RunState
from promptkit.runtime import retried
from promptkit.types import Capabilities

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("strategy", "pack", "params"), [("sc", "general", {"n": 15}), ("tot", "game24", {"b": 2}), ("tot", "general", {})]
)
@pytest.mark.parametrize("caps", [(3, 7, 1000), (1, 2, 3, 4, 1000)])
def test_a_higher_cap_finishes_the_run_and_pays_only_the_rest(
    journal: Journal, strategy: str, pack: str, params: dict[str, Any], caps: tuple[int, ...]
) -> None:
    with Journal.open(None) as other:
        whole_server = Metered(5)
        whole = api.run(strategy, "1 2 3 4", pack=pack, model=whole_server, journal=other, **params)
        whole_tree = tree(other.events(whole.run))
    server = Metered(6)
    first, *others = caps
    outcome = api.run(strategy, "1 2 3 4", pack=pack, model=server, journal=journal, max_calls=first, **params)
    assert (outcome.status, server.calls) == ("budget", first)
    for cap in others:
        outcome = api.resume(outcome.run, model=server, journal=journal, max_calls=cap)
        assert server.calls <= cap, "a cap is over the run and its resumes together"
    assert sorted(server.delivered) == sorted(whole_server.delivered), "nothing is bought twice, nothing is left out"
    assert tree(journal.events(outcome.run)) == whole_tree
    again = {**facts(outcome), "usage": None}
    assert again == {**facts(whole), "usage": None}
    assert journal.spent(outcome.run).calls == server.calls


def test_a_resume_under_the_same_cap_buys_nothing(journal: Journal) -> None:
    server = Metered(1)
    cut = api.run("sc", "which?", model=server, journal=journal, n=15, max_calls=4)
    with pytest.raises(BadInput, match="4 calls already") as refused:
        api.resume(cut.run, model=server, journal=journal)
    assert refused.value.hint == f"promptkit resume {cut.run} --max-calls 8"
    assert server.calls == 4
    assert [row.status for row in journal.runs()] == ["budget"]


def test_a_token_cap_holds_over_resumes(journal: Journal) -> None:
    server = Metered(1)
    cut = api.run("sc", "which?", model=server, journal=journal, n=30, max_tokens=6_000)
    assert cut.status == "budget"
    for cap in (9_000, 12_000, 14_000):
        api.resume(cut.run, model=server, journal=journal, max_tokens=cap)
        assert server.tokens <= cap
        assert journal.spent(cut.run).tokens == server.tokens


DYING = """
import os, signal, sys
from pathlib import Path
from promptkit import api
from promptkit.errors import BadInput, BadReply, RateLimited, Transient, Unavailable
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.runtime import retried
from promptkit.types import Capabilities

def script(request):
    if request.index == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return "Answer: 1"

model = Scripted(script, name="paid", capabilities=Capabilities(price=(1.0, 1.0)))
journal = Journal.open(Path(sys.argv[1]))
api.run("sc", "which?", model=model, journal=journal, n=9, concurrency=1, reply_tokens=500, max_tokens=5000)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_call_in_flight_at_a_kill_is_charged_its_whole_reservation(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(DYING), str(path)], env={**os.environ})
    assert done.returncode == -signal.SIGKILL
    calls: list[int] = []

    def script(request: Any) -> str:
        calls.append(request.index)
        return "Answer: 1"

    with Journal.open(path) as journal:
        (row,) = journal.runs()
        spent = journal.spent(row.id)
        assert (spent.calls, spent.unsettled, spent.samples) == (3, 1, 2)
        assert spent.reserved_tokens > 500
        assert spent.cost is not None
        assert spent.cost == pytest.approx(spent.tokens / 1e6)
        model = Scripted(script, name="paid", capabilities=Capabilities(price=(1.0, 1.0)))
        capped = api.resume(row.id, model=model, journal=journal, max_calls=4)
        assert (capped.status, calls) == ("budget", [2]), "the killed call counts against the cap"
        tight = journal.spent(row.id).tokens + 20
        assert api.resume(row.id, model=model, journal=journal, max_tokens=tight, max_calls=99).status == "budget"
        assert calls == [2], "the reservation of the killed call counts against the cap"
        done_at_last = api.resume(row.id, model=model, journal=journal, max_tokens=10**6, max_calls=99)
        assert (done_at_last.status, done_at_last.answer, calls) == ("done", "1", [2, 3, 4])


@pytest.mark.parametrize("local", [True, False])
def test_a_call_that_was_stopped_is_charged_where_it_may_be_billed(journal: Journal, local: bool) -> None:
    stopped = asyncio.Event()

    async def script(request: Any) -> str:
        if request.index == 1 and not stopped.is_set():
            stopped.set()
            await asyncio.sleep(60)
        return "Answer: 1"

    model = Scripted(script, name="stopped", capabilities=Capabilities(local=local, price=(1.0, 1.0)))
    how: dict[str, Any] = {"model": model, "journal": journal}

    async def stop() -> None:
        task = asyncio.create_task(api.arun("sc", "which?", n=7, concurrency=1, max_tokens=4000, **how))
        await stopped.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(stop())
    seen = Seen()
    run = journal.runs()[0].id
    outcome = api.resume(run, sinks=[seen], **how)
    spent = journal.spent(run)
    if local:
        assert (outcome.status, spent.unsettled, seen.of(BudgetHit, Warned)) == ("done", 0, [])
        return
    assert (outcome.status, spent.calls, spent.unsettled) == ("budget", 2, 1)
    assert f"{spent.reserved_tokens:,} of them reserved by 1 interrupted call" in outcome.detail["cut"]
    assert [each.message for each in seen.of(Warned)] == [
        f"{spent.reserved_tokens:,} tokens stay reserved by 1 interrupted call: that may have been billed"
    ]
    state = RunState()
    for record in seen.records:
        state.feed(record)
    assert frame.budget_words(state.snapshot()) == (
        f"budget reached: {spent.tokens:,} of 4,000 tokens · {spent.reserved_tokens:,} reserved by 1 interrupted call"
    )
    with pytest.raises(BadInput, match="of them reserved by 1 interrupted call, and --max-tokens is 100"):
        api.resume(run, max_tokens=100, **how)
    assert api.resume(run, max_tokens=10_000, **how).answer == "1"


def test_an_attempt_that_may_have_been_answered_is_charged_and_a_refused_one_is_not(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setattr(retried, "FIRST_WAIT", 0.0)
    charged = {}
    for kind in (RateLimited, Unavailable, BadReply):
        failures: list[Transient] = [kind("no", retry_after=0.001)]

        def script(request: Any, failures: list[Transient] = failures) -> str:
            if failures:
                raise failures.pop()
            return "Answer: 1"

        model = Scripted(script, identity=kind.__name__, capabilities=Capabilities(price=(1.0, 1.0)))
        outcome = asyncio.run(api.arun("cot", "which?", model=model, journal=journal, reply_tokens=500))
        spent = journal.spent(outcome.run)
        assert spent.calls == 2, "every request sent is a call, retries included"
        charged[kind] = spent.tokens
    assert charged[RateLimited] < 100 < 500 < charged[Unavailable] == charged[BadReply]
