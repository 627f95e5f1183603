"""PromptkitMiddleware in a real create_agent(): a second run of the agent makes no call, and a cap is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_core.messages import AIMessage
from langchain_core.tools import BaseTool, StructuredTool, tool
from langchain_scripts import Fake, awaited, fake
from pydantic import BaseModel

import promptkit as pk
from promptkit.errors import BadInput, Cut
from promptkit.interop.langchain import PromptkitMiddleware, as_chat_model
from promptkit.journal import Journal
from promptkit.types import Capabilities, Completion, ToolCall


def asking(question: str) -> Any:
    return {"messages": [("user", question)]}


ASKED = asking("What is 2 + 3?")


def calculator(made: list[tuple[int, int]], description: str = "The sum of two numbers.") -> BaseTool:
    def add(a: int, b: int) -> int:
        made.append((a, b))
        return a + b

    return StructuredTool.from_function(add, description=description)


def adding() -> Fake:
    """Asks for the sum, then says it."""
    call = {"name": "add", "args": {"a": 2, "b": 3}, "id": "call-1", "type": "tool_call"}
    usage: Any = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    asks = AIMessage("", tool_calls=[call], usage_metadata=usage, additional_kwargs={"signature": "<think>s"})
    return fake(asks, AIMessage("It is 5.", usage_metadata=usage))


def middleware(journal: Journal, **how: Any) -> PromptkitMiddleware:
    return PromptkitMiddleware(journal=journal, identity="adding", **how)


def said(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(message.type, message.text) for message in result["messages"]]


TALK = [("human", "What is 2 + 3?"), ("ai", ""), ("tool", "5"), ("ai", "It is 5.")]


def test_the_second_run_of_an_agent_makes_no_call(journal: Journal) -> None:
    made: list[tuple[int, int]] = []
    first, second, model = middleware(journal), middleware(journal), adding()
    assert said(create_agent(model, [calculator(made)], middleware=[first]).invoke(ASKED)) == TALK
    assert (first.session.usage.calls, first.session.usage.tokens, len(model.asked)) == (2, 30, 2)
    result = create_agent(fake(), [calculator(made)], middleware=[second]).invoke(ASKED)
    assert said(result) == TALK
    assert second.session.usage.calls == 0
    assert made == [(2, 3)] * 2  # a tool is called again: nobody said that it need not be
    replied = [message for message in result["messages"] if message.type == "ai"]
    assert [message.response_metadata["cached"] for message in replied] == [True, True]
    assert replied[0].additional_kwargs == {"signature": "<think>s"}  # what a vendor wants back is kept, as it was


@awaited
async def test_awaited_it_is_the_same(journal: Journal) -> None:
    first, second = middleware(journal), middleware(journal)
    assert said(await create_agent(adding(), [calculator([])], middleware=[first]).ainvoke(ASKED)) == TALK
    assert said(await create_agent(fake(), [calculator([])], middleware=[second]).ainvoke(ASKED)) == TALK
    assert (first.session.usage.calls, second.session.usage.calls) == (2, 0)


def test_another_process_finds_it_in_the_file(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.db") as journal:
        create_agent(adding(), [calculator([])], middleware=[middleware(journal)]).invoke(ASKED)
    with Journal.open(tmp_path / "journal.db") as journal:
        assert said(create_agent(fake(), [calculator([])], middleware=[middleware(journal)]).invoke(ASKED)) == TALK


@pytest.mark.parametrize("mark", [{"idempotent": ("add",)}, {"tags": ["idempotent"]}, {"metadata": {"idempotent": 1}}])
def test_an_idempotent_tool_is_called_once(journal: Journal, mark: dict[str, Any]) -> None:
    made: list[tuple[int, int]] = []
    told = {"idempotent": mark["idempotent"]} if "idempotent" in mark else {}
    add = calculator(made)
    add = add.model_copy(update=mark) if not told else add
    for model in (adding(), fake()):
        assert said(create_agent(model, [add], middleware=[middleware(journal, **told)]).invoke(ASKED)) == TALK
    assert made == [(2, 3)]


def test_a_failed_tool_call_is_not_kept(journal: Journal) -> None:
    made: list[int] = []

    @tool
    def add(a: int, b: int) -> int:
        """The sum."""
        made.append(a)
        raise ValueError("out of order")

    for model in (adding(), fake()):
        watched = middleware(journal, idempotent=("add",))
        with pytest.raises(ValueError, match="out of order"):
            create_agent(model, [add], middleware=[watched]).invoke(ASKED)
    assert made == [2, 2]


def test_a_cap_ends_the_agent_with_a_clear_message(journal: Journal) -> None:
    watched, model = middleware(journal, max_calls=1), adding()
    result = create_agent(model, [calculator([])], middleware=[watched]).invoke(ASKED)
    assert said(result)[-1] == ("ai", "Stopped: budget reached: 1 of 1 calls spent, the next call does not fit.")
    assert len(model.asked) == watched.session.usage.calls == 1


@awaited
async def test_or_it_is_raised(journal: Journal) -> None:
    model = adding()
    agent = create_agent(model, [calculator([])], middleware=[middleware(journal, max_calls=1, at_cap="error")])
    with pytest.raises(Cut, match="1 of 1 calls"):
        await agent.ainvoke(ASKED)
    assert len(model.asked) == 1


def test_one_budget_holds_for_all_agents_it_is_given_to(journal: Journal) -> None:
    watched = middleware(journal, max_calls=3)
    for question in ("one", "two"):
        create_agent(adding(), [calculator([])], middleware=[watched]).invoke(asking(question))
    assert watched.session.usage.calls == 3


def test_a_dollar_cap_needs_a_price_and_keeps_it(journal: Journal) -> None:
    with pytest.raises(BadInput, match="needs a price"):
        create_agent(adding(), middleware=[middleware(journal, max_cost=1.0)]).invoke(ASKED)
    watched, model = middleware(journal, max_cost=0.01, price=(1.0, 1.0)), adding()
    result = create_agent(model, [calculator([])], middleware=[watched]).invoke(ASKED)
    assert said(result) == TALK
    spare = middleware(journal, max_cost=0.001, price=(1.0, 1.0))
    result = create_agent(adding(), middleware=[spare]).invoke(asking("more"))
    assert "of 0.001 cost spent" in said(result)[-1][1]


def test_another_question_tool_or_system_prompt_is_another_call(journal: Journal) -> None:
    create_agent(adding(), [calculator([])], middleware=[middleware(journal)]).invoke(ASKED)
    for changed in (
        create_agent(model := adding(), [calculator([])], middleware=[middleware(journal)], system_prompt="Be brief."),
        create_agent(model, [calculator([], description="Sums.")], middleware=[middleware(journal)]),
    ):
        before = len(model.asked)
        model.messages = adding().messages
        changed.invoke(ASKED)
        assert len(model.asked) == before + 2


class Sum(BaseModel):
    total: int


def test_a_structured_reply_is_made_again_from_the_journal(journal: Journal) -> None:
    call = {"name": "Sum", "args": {"total": 5}, "id": "call-1", "type": "tool_call"}
    for model in (fake(AIMessage("", tool_calls=[call])), fake()):
        agent = create_agent(model, middleware=[middleware(journal)], response_format=ToolStrategy(Sum))
        assert agent.invoke(ASKED)["structured_response"] == Sum(total=5)


def test_an_agent_on_a_promptkit_model(journal: Journal) -> None:
    def say(request: pk.Request) -> Completion:
        told = [turn.text for turn in request.messages if turn.role == "tool"]
        wish = ToolCall("call-1", request.tools[0].name, '{"a": 2, "b": 3}')
        text = f"It is {told[0]}." if told else ""
        return Completion(text=text, model="scripted:agent", calls=() if told else (wish,))

    model = pk.Scripted(say, name="agent", capabilities=Capabilities(tools=True, local=True))
    for calls in (2, 0):
        chat = as_chat_model(model, journal=journal)
        assert said(create_agent(chat, [calculator([])]).invoke(ASKED)) == TALK
        assert chat.spent.calls == calls


def test_its_calls_are_a_run_of_the_journal(journal: Journal) -> None:
    watched = middleware(journal)
    create_agent(adding(), [calculator([])], middleware=[watched]).invoke(ASKED)
    (row,) = journal.runs()
    assert (row.id, row.strategy, row.calls) == (watched.run, "langchain-agent", 2)


def test_what_it_does_at_a_cap_is_checked() -> None:
    with pytest.raises(BadInput, match="at_cap must be 'end' or 'error', not 'stop'"):
        PromptkitMiddleware(at_cap="stop", journal="memory")  # type: ignore[arg-type]
