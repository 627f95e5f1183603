"""What llama.cpp makes of a text and of a conversation is what training made of it, token by token."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import gguf
import httpx
import pytest
from tokenizers import Tokenizer

from promptkit.providers.llama.server import Layout, LlamaServer
from training.corpus import encoded, turns
from training.mixture import SHARES
from training.tokenizer import assembled, vocabulary

WEIGHTS = Path(str(resources.files("promptkit") / "_data" / "builtin.gguf"))
ODD = [
    "Hello, world! It's 12:30 pm -- the café's  menu:\n\n  - tea ($3.50)\t* 1,234,567 things\n",
    "x = [1, 2, 3]; print(x) # ünï ≠ 漢字 🙂",
    "don't can't WE'LL I've  \n \n  end   ",
    "",
]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """The tokenizer of training, put together from what the shipped file holds."""
    return assembled(*vocabulary(gguf.GGUFReader(WEIGHTS)))


@pytest.fixture(scope="module")
def llama() -> Iterator[httpx.Client]:
    if os.name == "nt":
        pytest.skip("llama.cpp's own server is reached over a Unix socket here")
    server = LlamaServer(WEIGHTS, Layout(context=1024))
    transport = httpx.HTTPTransport(uds=server.address.removeprefix("unix://"))
    with httpx.Client(transport=transport, base_url="http://llama", timeout=60) as client:
        yield client
    server.close()


def tokens_of(llama: httpx.Client, text: str) -> list[int]:
    body = {"content": text, "add_special": True, "parse_special": True}
    answer: dict[str, Any] = llama.post("/tokenize", json=body).json()
    return list(answer["tokens"])


def test_lessons_have_the_same_tokens(tokenizer: Tokenizer, llama: httpx.Client) -> None:
    rng = random.Random(5)
    for kind, (_, lesson) in SHARES.items():
        for _ in range(8):
            said = turns(lesson(rng), rng)
            ours, _ = encoded(said, tokenizer)
            assert tokens_of(llama, "".join(f"<|{role}|>{text}<|end|>" for role, text in said)) == ours, kind


@pytest.mark.parametrize("text", ODD)
def test_any_text_has_the_same_tokens(tokenizer: Tokenizer, llama: httpx.Client, text: str) -> None:
    assert tokens_of(llama, text) == tokenizer.encode(text).ids


def test_the_chat_template_writes_a_lesson_as_training_does(llama: httpx.Client) -> None:
    messages = [
        {"role": "user", "content": "Q {1}"},
        {"role": "assistant", "content": "A"},
        {"role": "user", "content": "B"},
    ]
    written = llama.post("/apply-template", json={"messages": messages}).json()["prompt"]
    assert written == "<|user|>Q {1}<|end|><|assistant|>A<|end|><|user|>B<|end|><|assistant|>"
