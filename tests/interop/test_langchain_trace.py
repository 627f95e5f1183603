"""A strategy in a chain gives one trace: model calls under it, it under the chain, tokens as the journal has them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable
from langchain_scripts import Awaited, Called, Run, Trace, awaited, fake

import promptkit as pk
from promptkit.interop.langchain import Undecided, as_runnable
from promptkit.journal import Journal
from promptkit.types import Outcome

PROMPT = ChatPromptTemplate.from_template("{numbers}")
LONE = {"batch": 1}  # a call a sample, so that there is no surplus in the journal
VOTES = ["Answer: 1", "Answer: 2", "Answer: 2", "Answer: 1", "Answer: 2"]  # a vote that needs all five


def vote(journal: Journal, **how: Any) -> Runnable[Any, Any]:
    how = {"pack": "game24", "model": "builtin", "model_options": LONE, "journal": journal, **how}
    return PROMPT | as_runnable("sc", n=5, output="outcome", **how) | (lambda outcome: outcome)


def check(trace: Trace, outcome: Outcome, journal: Journal) -> list[Run]:
    """Five model runs under the strategy, the strategy under the chain, the journal's tokens in the callbacks."""
    strategy = trace.named("sc")
    chain = trace.named("RunnableSequence")
    assert trace.runs[chain].parent is None
    assert trace.runs[strategy].parent == chain
    models = trace.of("model")
    assert [run.parent for run in models] == [strategy] * 5
    assert all(run.ended and run.name == "builtin" for run in models)
    stored = [journal.get(key) for key, _, _ in journal.calls(outcome.run)]
    assert sum(run.tokens for run in models) == sum(each.completion.usage.tokens for each in stored if each)
    assert sum(run.tokens for run in models) == outcome.usage.tokens
    said = {each.completion.text for each in stored if each}
    assert {run.reply.text for run in models if run.reply} == said
    return models


@awaited
async def test_awaited(journal: Journal) -> None:
    trace = Awaited()
    outcome = await vote(journal).ainvoke({"numbers": "2 7 8 11"}, {"callbacks": [trace]})
    models = check(trace, outcome, journal)
    assert [run.metadata["promptkit_draw"] for run in models] == [[0], [1], [2], [3], [4]]
    assert all("".join(run.pieces) == run.reply.text for run in models if run.reply)  # each had its own tokens
    assert sum(run.tokens for run in models) == journal.spent(outcome.run).tokens


@awaited
async def test_a_batch_is_a_trace_for_each_input(journal: Journal) -> None:
    traces = [Awaited(), Awaited()]
    inputs = [{"numbers": "2 7 8 11"}, {"numbers": "2 3 5 12"}]
    outcomes = await vote(journal).abatch(inputs, [{"callbacks": [trace]} for trace in traces])
    for trace, outcome in zip(traces, outcomes, strict=True):
        if len(trace.of("model")) == 5:  # a vote that is settled earlier stops earlier
            check(trace, outcome, journal)
    assert any(len(trace.of("model")) == 5 for trace in traces)


@awaited
async def test_streamed_events_nest_alike(journal: Journal) -> None:
    chain = vote(journal)
    events = [event async for event in chain.astream_events({"numbers": "2 7 8 11"}, version="v2")]
    starts = {event["run_id"]: event for event in events if event["event"].endswith("_start")}
    (root,) = [event for event in starts.values() if not event["parent_ids"]]
    (strategy,) = [event for event in starts.values() if event["name"] == "sc"]
    models = [event for event in events if event["event"] == "on_chat_model_start"]
    assert [event["parent_ids"] for event in models] == [[root["run_id"], strategy["run_id"]]] * 5
    ends = [event["data"]["output"] for event in events if event["event"] == "on_chat_model_end"]
    outcome = events[-1]["data"]["output"]
    assert sum(message.usage_metadata["total_tokens"] for message in ends) == outcome.usage.tokens
    written = dict.fromkeys((event["run_id"] for event in models), "")
    for event in events:
        if event["event"] == "on_chat_model_stream":
            written[event["run_id"]] += event["data"]["chunk"].text
    assert sorted(written.values()) == sorted(message.text for message in ends)


def test_called_without_a_loop(journal: Journal) -> None:
    trace = Called()
    outcome = vote(journal).invoke({"numbers": "2 7 8 11"}, {"callbacks": [trace]})
    check(trace, outcome, journal)


@awaited
async def test_draws_that_were_generated_together_are_runs_of_their_own(journal: Journal) -> None:
    trace = Awaited()
    chain = vote(journal, model_options={}, fresh=True)
    outcome = await chain.ainvoke({"numbers": "2 7 8 11"}, {"callbacks": [trace]})
    for run in trace.of("model"):
        assert run.reply is not None
        assert not run.pieces or "".join(run.pieces) == run.reply.text
    assert sum(run.tokens for run in trace.of("model")) <= outcome.usage.tokens  # the surplus of a batch is no run


@awaited
async def test_what_the_journal_had_is_marked(journal: Journal) -> None:
    first, second = Awaited(), Awaited()
    for trace in (first, second):
        await vote(journal).ainvoke({"numbers": "2 7 8 11"}, {"callbacks": [trace]})
    for trace, cached in ((first, False), (second, True)):
        replies = [run.reply for run in trace.of("model")]
        assert [reply.response_metadata["cached"] for reply in replies if reply] == [cached] * 5
    assert [run.tokens for run in first.of("model")] == [run.tokens for run in second.of("model")]


@awaited
async def test_a_langchain_model_below_is_not_told_of_twice(journal: Journal) -> None:
    trace = Awaited()
    replies = [AIMessage(text, usage_metadata=_usage(text)) for text in VOTES]
    chain = PROMPT | pk.as_runnable("sc", n=5, model=fake(*replies), journal=journal) | StrOutputParser()
    assert await chain.ainvoke({"numbers": "1 or 2?"}, {"callbacks": [trace]}) == "2"
    assert len(trace.of("model")) == 5
    assert {run.parent for run in trace.of("model")} == {trace.named("sc")}


def _usage(text: str) -> Any:
    return {"input_tokens": 3, "output_tokens": len(text), "total_tokens": 3 + len(text)}


@awaited
async def test_a_run_that_fails_ends_every_run_of_the_trace(journal: Journal) -> None:
    def fail(_: pk.Request) -> str:
        raise pk.PromptkitError("no")

    trace = Awaited()
    chain = as_runnable("cot", model=pk.Scripted(fail), journal=journal)
    with pytest.raises(pk.PromptkitError, match="no"):
        await chain.ainvoke("why?", {"callbacks": [trace]})
    assert [(run.kind, run.error) for run in trace.runs.values()] == [
        ("chain", "PromptkitError"),
        ("model", "PromptkitError"),
    ]


@awaited
async def test_a_cancelled_chain_cancels_its_run(journal: Journal) -> None:
    begun = asyncio.Event()

    async def wait(_: pk.Request) -> str:
        begun.set()
        await asyncio.sleep(60)
        return ""

    trace = Awaited()
    chain = as_runnable("cot", model=pk.Scripted(wait), journal=journal)
    task = asyncio.create_task(chain.ainvoke("why?", {"callbacks": [trace]}))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert journal.runs()[0].status == "cancelled"
    assert {run.error for run in trace.runs.values()} == {"CancelledError"}


@awaited
async def test_no_answer_is_an_error_and_with_outcome_a_result(journal: Journal) -> None:
    tied = pk.Scripted(lambda request: f"Answer: {request.index % 2}")
    chain = pk.as_runnable("sc", n=2, model=tied, journal=journal)
    with pytest.raises(Undecided) as raised:
        await chain.ainvoke("which?")
    assert raised.value.outcome.status == "undecided"
    assert raised.value.exit_code == 3
    outcome = await chain.with_outcome().ainvoke("which?")
    assert isinstance(outcome, Outcome)
    assert outcome.answer is None
    assert outcome.usage.samples == 2
