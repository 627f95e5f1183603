"""A model that reasons is given room for it; what is cut off while thinking is asked for again, and never read."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from watching import Seen, facts

import promptkit as pk
from promptkit import api, events
from promptkit.cli.calls import calls_of
from promptkit.errors import BadInput, CapabilityMissing, ContextOverflow
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted
from promptkit.runtime.thinking_room import ROOM
from promptkit.thinking import unfinished
from promptkit.types import Capabilities, Completion, Effort, Request, Usage

REASONS = Capabilities(reasoning=True, price=(1.0, 1.0))
OPEN = "<think>Let me see. 5 and 7 make 12, so the answer may be 12"


class Thinker:
    """Thinks for so many tokens (by draw), then answers; where there is no room for it, it is cut off."""

    def __init__(self, *needs: int, apart: bool = False) -> None:
        self.needs, self.apart = needs, apart
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> Completion:
        self.asked.append(request)
        need = self.needs[min(request.index, len(self.needs) - 1)]
        room = request.max_tokens or 10**6
        usage = Usage(input_tokens=5, output_tokens=min(need, room), reasoning_tokens=min(need, room) - 1)
        if need > room:
            if self.apart:
                return Completion(text="", reasoning=OPEN[7:], model="thinker", finish="length", usage=usage)
            return Completion(text=OPEN, model="thinker", finish="length", usage=usage)
        return Completion(text=f"{OPEN}</think>Answer: {request.index}", model="thinker", usage=usage)

    @property
    def rooms(self) -> list[int | None]:
        return [request.max_tokens for request in self.asked]


def model(thinker: Thinker, capabilities: Capabilities = REASONS) -> Scripted:
    return Scripted(thinker, name="thinker", capabilities=capabilities)


@pytest.mark.parametrize("effort", [None, "none", "minimal", "low", "medium", "high"])
def test_the_packs_limit_is_for_the_answer_and_room_comes_on_top(journal: Journal, effort: Effort | None) -> None:
    thinker = Thinker(1)
    how: dict[str, Any] = {"model": model(thinker), "effort": effort, "journal": journal}
    outcome = api.run("direct", "which?", reply_tokens=100, **how)
    assert outcome.answer == "0"
    assert thinker.rooms == [100 + (ROOM[effort] if effort else ROOM["medium"])]
    assert [request.effort for request in thinker.asked] == [effort]
    assert list(ROOM.values()) == sorted(ROOM.values())


def test_a_model_that_does_not_reason_is_asked_as_the_pack_says(journal: Journal) -> None:
    for reasoning in (False, None):
        thinker = Thinker(1)
        capabilities = Capabilities(reasoning=reasoning)
        api.run("direct", "which?", reply_tokens=100, model=model(thinker, capabilities), journal=journal)
        assert thinker.rooms in ([100], []), "the second is free"


def test_the_room_is_reserved_and_a_cap_refuses_it(journal: Journal) -> None:
    thinker = Thinker(1)
    outcome = api.run(
        "direct", "which?", reply_tokens=100, model=model(thinker), effort="low", max_tokens=2_000, journal=journal
    )
    assert (outcome.status, thinker.asked) == ("budget", [])


@pytest.mark.parametrize("apart", [False, True])
def test_a_reply_cut_off_while_thinking_is_asked_for_once_more_with_twice_the_room(
    journal: Journal, apart: bool
) -> None:
    thinker, seen = Thinker(3_000, apart=apart), Seen()
    outcome = api.run(
        "cot", "which?", reply_tokens=100, model=model(thinker), effort="low", journal=journal, sinks=[seen]
    )
    assert (outcome.status, outcome.answer) == ("done", "0")
    assert thinker.rooms == [2_148, 4_196]
    assert [request.draw for request in thinker.asked] == [(0,), (0,)]
    assert (outcome.usage.calls, outcome.usage.output_tokens) == (2, 2_148 + 3_000)
    assert outcome.usage.reasoning_tokens == 2_147 + 2_999
    assert seen.records[-1].spent.reasoning_tokens == 2_147 + 2_999
    ended = seen.of(events.CallEnded)
    assert [call.finish for call in ended] == ["length", "stop"]
    assert len(seen.of(events.CallStarted)) == 2


def test_what_is_cut_off_twice_is_no_answer_and_no_vote(journal: Journal) -> None:
    thinker, seen = Thinker(10**5), Seen()
    outcome = api.run(
        "direct", "which?", reply_tokens=100, model=model(thinker), effort="minimal", journal=journal, sinks=[seen]
    )
    assert (outcome.status, outcome.answer, outcome.text) == ("undecided", None, "")
    assert thinker.rooms == [612, 1_124]
    assert [read.error for read in seen.of(events.SampleRead)] == ["cut off while thinking"]

    thinker = Thinker(10**5, 1, 1, 10**5, 1)
    vote = api.run("sc", "which?", model=model(thinker), effort="low", n=5, journal=journal)
    assert {answer for answer, _ in vote.detail["votes"]} <= {"1", "2", "4"}, "12 is in what was cut off"


def test_a_search_reads_no_thought_from_reasoning(journal: Journal) -> None:
    seen = Seen()
    outcome = api.run("tot", "which?", model=model(Thinker(10**6)), effort="low", journal=journal, sinks=[seen])
    assert outcome.answer is None
    assert [node.thought for node in seen.of(events.NodeAdded) if node.node] == []


def test_a_replay_takes_the_same_turns_without_a_call_and_a_rerun_is_free(journal: Journal) -> None:
    thinker = Thinker(3_000, 100, 10**5, 2_500, 100)
    how: dict[str, Any] = {"model": model(thinker), "effort": "low", "n": 5, "journal": journal}
    first = api.run("sc", "which?", **how)
    calls = len(thinker.asked)
    again, replayed = api.run("sc", "which?", **how), api.replay(first.run, journal=journal)
    assert len(thinker.asked) == calls
    assert facts(first) == facts(again) == facts(replayed)
    assert first.usage.calls == calls
    resumed = api.resume(first.run, model=how["model"], journal=journal)
    assert (len(thinker.asked), facts(resumed)) == (calls, facts(first)), "the effort is given back"


def test_the_outcome_depends_on_no_order_of_arrival(journal: Journal) -> None:
    outcomes = []
    for shuffle in range(4):
        thinker = Thinker(3_000, 100, 10**5, 2_500, 100, 4_000)

        async def late(request: Request, shuffle: int = shuffle, thinker: Thinker = thinker) -> Completion:
            await asyncio.sleep(((request.index * 7 + (request.max_tokens or 0)) * (shuffle + 1) % 5) / 1000)
            return thinker(request)

        with Journal.open(None) as own:
            scripted = Scripted(late, name="late", capabilities=REASONS)
            outcomes.append(facts(api.run("sc", "which?", model=scripted, effort="low", n=6, journal=own)))
    assert all(outcome == outcomes[0] for outcome in outcomes)


def test_a_recorded_run_lists_both_calls_with_their_replies(journal: Journal) -> None:
    outcome = api.run("direct", "which?", reply_tokens=100, model=model(Thinker(3_000)), effort="low", journal=journal)
    told = list(calls_of(journal, journal.run(outcome.run)))
    assert [call["finish"] for call in told] == ["length", "stop"]
    assert [bool(call["text"]) for call in told] == [True, True]
    assert "Answer: 0" in told[1]["text"]


def test_the_thinking_of_every_attempt_is_counted_and_shown(
    tmp_path: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from promptkit.cli.app import start

    thought, file = 2_147 + 2_999, tmp_path / "j.db"
    monkeypatch.setenv("PROMPTKIT_JOURNAL", str(file))
    with Journal.open(file) as journal:
        capped: dict[str, Any] = {"model": model(Thinker(3_000)), "effort": "low", "reply_tokens": 100}
        outcome = api.run("direct", "which?", max_calls=2, journal=journal, **capped)
        assert journal.spent(outcome.run).reasoning_tokens == thought
        seen = Seen()
        api.resume(outcome.run, model=capped["model"], journal=journal, sinks=[seen])
        assert seen.records[-1].spent.reasoning_tokens == thought, "over the run and its resumes"
    assert start(["runs", "show", outcome.run, "--call", "1"]) == 0
    assert "(2.1k of them thinking)" in capsys.readouterr().out
    assert start(["runs", "show", outcome.run, "--call", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["reasoning_tokens"] == 2_999


def test_every_recorded_sample_is_listed_with_its_own_reply_where_a_larger_request_did_not_fit(
    journal: Journal,
) -> None:
    thinker = Thinker(10**5, 1, 1)

    def script(request: Request) -> Completion:
        if (request.max_tokens or 0) > 4_000:
            raise ContextOverflow("too long")
        return thinker(request)

    scripted = Scripted(script, name="narrow", capabilities=REASONS)
    outcome = api.run("sc", "which?", reply_tokens=100, model=scripted, effort="low", n=3, journal=journal)
    told = list(calls_of(journal, journal.run(outcome.run)))
    assert {(call["draw"][-1], (call["text"] or "")[-9:]) for call in told} == {
        (0, OPEN[-9:]),
        (1, "Answer: 1"),
        (2, "Answer: 2"),
    }


def test_a_model_that_turns_out_to_think_is_given_room_when_it_was_cut_off(journal: Journal) -> None:
    thinker = Thinker(500)
    outcome = api.run("direct", "which?", reply_tokens=100, model=model(thinker, Capabilities()), journal=journal)
    assert (outcome.answer, thinker.rooms) == ("0", [100, 100 + ROOM["medium"]])


def test_an_answer_that_is_cut_off_is_not_asked_for_again(journal: Journal) -> None:
    asked: list[Request] = []

    def script(request: Request) -> Completion:
        asked.append(request)
        return Completion(text=f"{OPEN}</think>The answer is 1", model="m", finish="length")

    outcome = api.run("cot", "which?", model=Scripted(script, capabilities=REASONS), journal=journal)
    assert (len(asked), outcome.answer) == (1, None)


def test_there_is_no_more_room_than_the_models_context(journal: Journal) -> None:
    thinker = Thinker(10**5)
    small = Capabilities(reasoning=True, context=1_500, local=True)
    outcome = api.run("direct", "which?", reply_tokens=100, model=model(thinker, small), journal=journal)
    assert outcome.status == "undecided"
    (room,) = thinker.rooms  # twice as much would be the same
    assert room is not None
    assert 500 < room < 1_500


def test_where_the_larger_request_does_not_fit_the_reply_stays_cut_off(journal: Journal) -> None:
    thinker = Thinker(10**5)

    def script(request: Request) -> Completion:
        if (request.max_tokens or 0) > 4_000:
            raise ContextOverflow("too long")
        return thinker(request)

    scripted = Scripted(script, name="narrow", capabilities=REASONS)
    outcome = api.run("direct", "which?", reply_tokens=100, model=scripted, effort="low", journal=journal)
    assert (outcome.status, outcome.answer) == ("undecided", None)
    assert facts(api.replay(outcome.run, journal=journal)) == facts(outcome)


def test_an_effort_is_refused_before_the_call_where_there_is_nothing_to_choose(journal: Journal) -> None:
    thinker = Thinker(1)
    dull = model(thinker, Capabilities(reasoning=False))
    with pytest.raises(CapabilityMissing, match="does not reason") as refused:
        api.run("cot", "which?", model=dull, effort="high", journal=journal)
    assert "--effort" in refused.value.hint
    with pytest.raises(BadInput, match="effort must be"):
        api.run("cot", "which?", model=dull, effort="much", journal=journal)  # type: ignore[arg-type]
    assert (thinker.asked, journal.runs()) == ([], [])
    with pytest.raises(CapabilityMissing):
        api.run("cot", "1 4 9 11", pack="game24", model="builtin", effort="low", journal=journal)
    outcome = api.run("cot", "which?", model=model(thinker, Capabilities()), effort="low", journal=journal)
    assert outcome.answer == "0", "nobody knows: it is asked"


@pytest.mark.parametrize("strategy", ["direct", "cot", "few-shot", "sc", "tot"])
def test_every_strategy_passes_the_effort_on_in_every_request(journal: Journal, strategy: str) -> None:
    thinker = Thinker(1)
    how: dict[str, Any] = {"extract": "always"} if strategy == "cot" else {}
    pack = "game24" if strategy in ("few-shot", "tot") else "general"
    outcome = api.run(
        strategy, "1 4 9 11", pack=pack, model=model(thinker), effort="high", journal=journal, max_calls=40, **how
    )
    assert {request.effort for request in thinker.asked} == {"high"}
    assert journal.run(outcome.run).options["problem"]["effort"] == "high"


@pytest.mark.parametrize(
    ("text", "open_"),
    [
        ("<think>so", True),
        ("<think>so</think>", False),
        ("<think>a</think>b<think>c", True),
        ("before <think>so", True),
        ("no tags", False),
        ("", False),
        ("so</think>then", False),
        ("the tag `<think>` in code", False),
    ],
)
def test_a_reply_that_ends_in_thought_is_known(text: str, open_: bool) -> None:
    assert unfinished(text) is open_


def test_the_command_line_takes_an_effort(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    from promptkit.cli.app import start

    script = tmp_path / "said.yaml"
    script.write_text("replies:\n- say: 'Answer: 3'\n")
    words = ["run", "cot", "which?", "-m", f"scripted:{script}", "--effort", "low", "--json"]
    assert start([*words, "--journal", str(tmp_path / "j.db")]) == 0
    run = json.loads(capsys.readouterr().out)["run"]
    assert pk.runs(journal=tmp_path / "j.db")[0].options["problem"]["effort"] == "low"
    assert run
    assert start([*words[:-2], "much"]) == 2
    assert "'high'" in capsys.readouterr().err


def test_a_shell_offers_the_efforts() -> None:
    from promptkit.cli.complete import efforts

    assert efforts("m") == ["minimal", "medium"]
