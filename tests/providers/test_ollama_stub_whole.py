"""The Ollama stub answers as Ollama does where no stream is wanted: one JSON object with all of it."""

from __future__ import annotations

from collections.abc import Iterator

import ollama as sdk
import pytest
from ollama_stub import StubModel, ollama

MESSAGES = [{"role": "user", "content": "Input: 2 3 5 12\nPossible next steps:"}]
OPTIONS = {"temperature": 0.0, "num_predict": 12}


@pytest.fixture(name="client", scope="module")
def _client() -> Iterator[sdk.Client]:
    thinker = StubModel(thoughts=("Let me ", "see."))
    models = {"m:latest": StubModel(), "t:latest": thinker}
    with ollama(models=models, library={"n:latest": StubModel()}) as server, sdk.Client(server.address) as client:
        yield client


def test_a_chat_in_one_piece_is_the_stream_put_together(client: sdk.Client) -> None:
    pieces = list(client.chat("m", MESSAGES, stream=True, options=OPTIONS, logprobs=True))
    whole = client.chat("m", MESSAGES, options=OPTIONS, logprobs=True)
    assert len(pieces) > 2
    assert whole.message.content == "".join(piece.message.content or "" for piece in pieces) != ""
    assert [each.token for each in whole.logprobs or ()] == [
        each.token for piece in pieces for each in piece.logprobs or ()
    ]
    assert (whole.done, whole.eval_count) == (True, pieces[-1].eval_count)


def test_thoughts_are_put_together_too(client: sdk.Client) -> None:
    told = client.chat("t", MESSAGES, think=True, options=OPTIONS)
    assert told.message.thinking == "Let me see."


def test_a_generation_in_one_piece(client: sdk.Client) -> None:
    whole = client.generate("m", MESSAGES[0]["content"], options=OPTIONS)
    assert whole.response == "".join(
        piece.response or "" for piece in client.generate("m", MESSAGES[0]["content"], stream=True, options=OPTIONS)
    )


def test_a_pull_in_one_piece_ends_well_or_is_an_error(client: sdk.Client) -> None:
    assert client.pull("n").status == "success"
    with pytest.raises(sdk.ResponseError, match="file does not exist"):
        client.pull("nowhere")
