"""What a strategy takes in a chain: text, a dict, a prompt, messages; what it gives to the next step."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from langchain_scripts import awaited

import promptkit as pk
from promptkit.errors import BadInput, UnknownName
from promptkit.events import Record
from promptkit.interop.langchain import PromptkitMiddleware, as_chat_model, as_runnable
from promptkit.journal import Journal
from promptkit.strategies.prompting.direct import Direct
from promptkit.types import Blob, Capabilities

PNG = b"\x89PNG\r\n\x1a\nbytes"


class Ear:
    """A model that keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[pk.Request] = []
        self.model = pk.Scripted(self._say, capabilities=Capabilities(local=True, images=True))

    def _say(self, request: pk.Request) -> str:
        self.asked.append(request)
        return "Answer: 4"

    def turns(self) -> list[tuple[str, str]]:
        return [(turn.role, turn.text) for turn in self.asked[-1].messages]


@pytest.mark.parametrize(
    "given",
    [
        "2 + 2?",
        {"question": "2 + 2?", "carried": "along"},
        HumanMessage("2 + 2?"),
        [("user", "2 + 2?")],
        ChatPromptTemplate.from_template("{sum}?").invoke({"sum": "2 + 2"}),
    ],
)
def test_the_question_is_found(given: Any, journal: Journal) -> None:
    ear = Ear()
    assert as_runnable("cot", model=ear.model, journal=journal).invoke(given) == "4"
    assert "2 + 2?" in ear.turns()[-1][1]
    assert len(ear.turns()) == 1


@pytest.mark.parametrize("form", ["messages", "dict"])
def test_what_was_said_before_is_the_history(form: str, journal: Journal) -> None:
    ear, before = Ear(), [SystemMessage("Be brief."), HumanMessage("Hi."), AIMessage("Hello.")]
    given: Any = [*before, HumanMessage("2 + 2?")] if form == "messages" else {"question": "2 + 2?", "history": before}
    as_runnable("cot", model=ear.model, journal=journal).invoke(given)
    assert ear.turns()[:3] == [("system", "Be brief."), ("user", "Hi."), ("assistant", "Hello.")]
    assert "2 + 2?" in ear.turns()[3][1]


def test_an_image_in_the_question_is_attached(journal: Journal) -> None:
    ear, image = Ear(), {"type": "image", "base64": base64.b64encode(PNG).decode(), "mime_type": "image/png"}
    as_runnable("cot", model=ear.model, journal=journal).invoke([HumanMessage([{"type": "text", "text": "?!"}, image])])
    (seen,) = [part for part in ear.asked[0].messages[-1].content if isinstance(part, Blob)]
    assert seen.data == PNG


@pytest.mark.parametrize("given", [{}, {"text": "?"}, 3, [], [HumanMessage("?"), AIMessage("4")]])
def test_what_holds_no_question_is_said(given: Any, journal: Journal) -> None:
    with pytest.raises(BadInput) as caught:
        as_runnable("cot", model=Ear().model, journal=journal).invoke(given)
    assert "question" in caught.value.hint


def test_a_mistake_in_what_a_run_takes_is_said(journal: Journal) -> None:
    with pytest.raises(UnknownName, match="no strategy 'cott'"):
        as_runnable("cott", model=Ear().model, journal=journal).invoke("?!")
    with pytest.raises(BadInput, match="output='text'"):
        as_runnable("cot", output="text")  # type: ignore[arg-type]


@awaited
async def test_a_stream_is_the_answer_when_it_is_known(journal: Journal) -> None:
    chain = as_runnable("cot", model=Ear().model, journal=journal) | StrOutputParser()
    assert [piece async for piece in chain.astream("2 + 2?")] == ["4"]
    assert list(chain.stream("2 + 3?")) == ["4"]


def test_a_strategy_object_keeps_its_fields_and_sinks_their_events(journal: Journal) -> None:
    ear, heard = Ear(), list[Record]()
    chain = as_runnable(Direct(reply_tokens=7), model=ear.model, journal=journal, sinks=[heard.append])
    chain.invoke("2 + 2?")
    assert ear.asked[0].max_tokens == 7
    assert heard


def test_it_fits_beside_other_runnables(journal: Journal) -> None:
    solve = as_runnable("cot", model=Ear().model, journal=journal)
    chain = RunnablePassthrough.assign(answer=solve)
    assert chain.invoke({"question": "2 + 2?"}) == {"question": "2 + 2?", "answer": "4"}
    assert solve.with_config(run_name="thinking").invoke("2 + 2?") == "4"
    assert chain.get_output_jsonschema()["properties"]["answer"]["type"] == "string"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"max_calls": "3"}, "max_calls must be a whole number or None, not '3'"),
        ({"max_calls": 0}, "max_calls must be above 0, not 0"),
        ({"max_cost": float("nan")}, "max_cost must be above 0, not nan"),
        ({"journal": 3}, "journal must be text, a Path, a Journal or None, not 3"),
    ],
)
@pytest.mark.parametrize("made", [as_chat_model, PromptkitMiddleware])
def test_what_cannot_be_used_is_one_line(made: Any, given: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as raised:
        made(**given)
    assert raised.value.message == said
    assert raised.value.hint


def test_each_of_the_two_names_its_own() -> None:
    for model in (3, ["builtin"]):
        with pytest.raises(BadInput, match=rf"^an? {type(model).__name__} is no model\n"):
            as_chat_model(model)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=r"^temperature must be a number or None, not 'hot'\n"):
        as_chat_model("builtin", temperature="hot")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=r"^max_total_tokens must be above 0, not 0\n"):
        as_chat_model("builtin", max_total_tokens=0)
    with pytest.raises(BadInput, match=r"^at_cap must be 'end' or 'error', not 'stop'\n"):
        PromptkitMiddleware(at_cap="stop")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=r"^price must be "):
        PromptkitMiddleware(price=(1.0,))  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=r"^idempotent must be "):
        PromptkitMiddleware(idempotent="search")  # type: ignore[arg-type]
