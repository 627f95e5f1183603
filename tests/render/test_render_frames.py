"""Frames never exceed the terminal, whatever happens in the run."""

from __future__ import annotations

import itertools
import random
import threading
from typing import Any

import pytest
from render_scenes import START, fed, shot, storm, text_of, tot, tot_ended
from rich.cells import cell_len

from promptkit import events as e
from promptkit.events import Record
from promptkit.render import amounts, stream, summary, tree, votes
from promptkit.render.fold import Tree, fold
from promptkit.render.runs import run_tree, run_view, runs_table
from promptkit.render.state import RunState, rebuild
from promptkit.render.thoughts import Node, Path
from promptkit.types import Outcome, Usage

VIEWS = (tree, votes, stream)


@pytest.mark.parametrize("seed", range(6))
def test_every_frame_fits_twelve_rows(seed: int) -> None:
    state = RunState()
    for at, record in enumerate(storm(random.Random(seed), 400)):
        state.feed(record)
        if at % 5:
            continue
        snapshot = state.snapshot()
        for view, width in itertools.product(VIEWS, (20, 47, 80)):
            lines = view.live(snapshot, record.at, width, 12)
            assert len(lines) <= 12
            assert max(cell_len(line.plain) for line in lines) <= width
            assert not any("\n" in line.plain for line in lines)


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 6, 7, 9, 10, 12])
@pytest.mark.parametrize("width", [1, 2, 7, 20, 33, 40])
def test_tiny_terminals(rows: int, width: int) -> None:
    state = fed(storm(random.Random(7), 300))
    for snapshot, view in itertools.product((state.snapshot(), shot(tot()), RunState().snapshot()), VIEWS):
        lines = view.live(snapshot, START, width, rows)
        assert 1 <= len(lines) <= rows
        assert max(cell_len(line.plain) for line in lines) <= width
        assert all(cell_len(line.plain) <= width for line in view.final(snapshot, width, rows))


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252", "cp437", "shift_jis"])
@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_events_can_be_shown_in_any_encoding(seed: int, encoding: str) -> None:
    records = list(storm(random.Random(seed), 300))
    state = fed(records)
    rows = [record.to_json() for record in records]
    broken: list[dict[str, Any]] = [{}, {"type": "FromTheFuture"}, {"type": "NodeAdded", "node": "x"}, {"type": None}]
    rows = [row | {"unknown": object()} for row in rows] + broken
    random.Random(seed).shuffle(rows)
    row = {"id": "r1", "outcome": {"usage": None}, "started": "soon", "question": records[0].span}
    shown = [
        *(view.live(state.snapshot(), START, 30, 12) for view in VIEWS),
        *(view.final(state.snapshot(), 30, 12) for view in VIEWS),
        runs_table([row, {}]),
        run_view(row, rows),
        run_tree(rows),
        summary.closing(Outcome(answer=None, status="undecided", usage=Usage(calls=1)), state),
    ]
    for what in shown:
        text = text_of(what, 30, encoding)
        assert "\x1b" not in text
        assert all(cell_len(line) <= 30 for line in text.splitlines())


def test_stored_events_rebuild_the_same_run() -> None:
    records = tot_ended()
    live, again = shot(records), rebuild(record.to_json() for record in records)
    for name in ("nodes", "best", "level", "ended", "calls", "cached", "tokens", "warnings", "spent", "run"):
        assert getattr(live, name) == getattr(again, name), name


def test_closed_branches_fold_first_and_the_least_recent_of_them_before() -> None:
    nodes: dict[Path, Node] = {(): Node(())}
    for branch in range(3):
        nodes[(branch,)] = Node((branch,), f"t{branch}", status="kept", touched=10 + branch)
        for leaf in range(3):
            nodes[(branch, leaf)] = Node((branch, leaf), "t", status="kept", touched=10 + branch)
    tree_ = Tree(nodes, working={(0, 0)})
    assert len(fold(tree_, 99)) == 14  # 13 nodes, and the work under one
    folded = [row.path for row in fold(tree_, 11) if row.below]
    assert folded == [(1,)]
    folded = [row.path for row in fold(tree_, 8) if row.below]
    assert folded == [(1,), (2,)]
    assert [row.kind for row in fold(tree_, 2)] == ["node", "rest"]
    assert len(fold(tree_, 1)) == 1


def test_two_searches_in_one_run_do_not_mix() -> None:
    state = RunState()
    for seq, (branch, thought) in enumerate([("~0", "ours"), ("~1", "theirs")] * 2):
        span = f"sc/runs/{branch}"
        event = e.NodeAdded((), "", "start") if seq < 2 else e.NodeAdded((0,), thought, "")
        state.feed(Record(seq, START, span if seq < 2 else f"{span}/level-1/propose", Usage(), event))
    state.feed(Record(9, START, "sc/runs/~0", Usage(), e.Best("inner", node=(0,))))
    snapshot = state.snapshot()
    assert snapshot.nodes[(0,)].thought == "ours"
    assert snapshot.best is None  # a part's best is not the run's


@pytest.mark.parametrize(
    ("name", "shown", "local"),
    [
        ("builtin", "builtin", True),
        ("scripted:/a/s.yaml", "scripted:s.yaml", True),
        ("llamacpp:C:\\models\\a,b.gguf", "llamacpp:a,b.gguf", True),
        ("scripted:/a/s.yaml,scripted:/b/p.yaml", "scripted:s.yaml,scripted:p.yaml", True),
        ("llamacpp:/a/x.gguf,builtin", "llamacpp:x.gguf,builtin", True),
        ("ollama:qwen3:8b,openai:gpt-4.1-mini", "ollama:qwen3:8b,openai:gpt-4.1-mini", False),
        ("openai:a/b,llamacpp:/a/x.gguf", "openai:a/b,llamacpp:x.gguf", False),
    ],
)
def test_each_model_of_a_list_is_named(name: str, shown: str, local: bool) -> None:
    assert amounts.model(name) == shown
    assert amounts.local(name) is local


def test_snapshots_while_records_come() -> None:
    state = RunState()
    records = list(storm(random.Random(1), 3000))

    def feed() -> None:
        for record in records:
            state.feed(record)

    feeder = threading.Thread(target=feed)
    feeder.start()
    frames = 0
    while feeder.is_alive() or not frames:
        tree.live(state.snapshot(), START, 80, 12)
        frames += 1
    feeder.join()
    assert frames


def test_a_wrong_answer_is_said_first_and_a_cap_that_was_hit_comes_with_its_flag() -> None:
    wrong = Outcome(answer="25", confidence=0.18, detail={"verified": False, "votes": [["25", 2]]}, run="r1")
    text = text_of(summary.closing(wrong), 80)
    assert text.splitlines()[0].strip() == "✗ checked by program: wrong"
    assert "share of the vote 18%" in text
    state = RunState()
    state.feed(Record(0, START, "cot", Usage(), e.BudgetHit("seconds", 5.1, 5.0)))
    cut = text_of(summary.closing(Outcome(answer=None, status="budget", run="r1"), state), 80)
    assert "promptkit resume r1 --timeout 10.2" in cut
    unread = Outcome(answer=None, status="undecided", text="I could not say.\nReally.", run="r1")
    assert "no answer could be read from the reply" in text_of(summary.closing(unread), 80)
    empty = Outcome(answer=None, status="undecided", detail={"finish": "stop"})
    assert "undecided: the reply was empty" in text_of(summary.closing(empty), 80)
    silent = Outcome(answer=None, status="undecided")  # a strategy of somebody else's: its replies are not known
    assert "undecided: the strategy came to no answer" in text_of(summary.closing(silent), 80)
    assert "the reply begins: I could not say." in text_of(summary.closing(unread), 80)
