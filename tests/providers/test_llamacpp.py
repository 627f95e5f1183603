from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import pytest
from local_model import BUILTIN, ENDLESS, ask, draws, opened, python, sample, texts
from tiny_gguf import write_tiny

from promptkit import events
from promptkit.events import Delta, Record
from promptkit.providers.llama.server import Layout, LlamaServer
from promptkit.providers.llama.wire import Reply, Sample, body
from promptkit.providers.llamacpp import open_llamacpp
from promptkit.types import Completion, Request, message


def test_a_batch_is_one_completion_a_request() -> None:
    replies = asyncio.run(sample(ask()))
    assert len(set(texts(replies))) > 1
    assert [reply.model for reply in replies] == ["builtin"] * 4
    assert [reply.usage.input_tokens for reply in replies] == [33, 0, 0, 0]
    assert [reply.usage.output_tokens for reply in replies] == [40] * 4
    assert {reply.finish for reply in replies} == {"length"}
    assert all(reply.usage.calls == reply.usage.samples == 0 for reply in replies)


def test_a_stop_sequence_ends_the_reply() -> None:
    replies = asyncio.run(sample(ask(stop=("(left",))))
    assert all("left" not in reply.text and reply.finish == "stop" for reply in replies)


def test_a_grammar_holds_in_every_sample() -> None:
    replies = asyncio.run(sample(ask(grammar='root ::= "yes" | "no"')))
    assert set(texts(replies)) <= {"yes", "no"}


def test_max_tokens_is_filled() -> None:
    replies = asyncio.run(sample(ask(max_tokens=None, extra=ENDLESS)))
    assert {reply.usage.output_tokens for reply in replies} == {512}


def test_the_context_ends_a_reply() -> None:
    replies = asyncio.run(sample(ask(max_tokens=4000, extra=ENDLESS), context=256))
    assert {reply.finish for reply in replies} == {"length"}


def test_no_temperature_is_the_stated_default() -> None:
    async def main() -> None:
        async with opened() as provider:
            default, stated = ask(temperature=None), ask(temperature=0.8)
            assert json.loads(provider.identity)["decoding"]["temperature"] == 0.8
            # Only the seeds differ: the requests are not equal, so neither are their draws.
            wire = {**body(default, 4), "seed": 0}, {**body(stated, 4), "seed": 0}
            assert wire[0] == wire[1]

    asyncio.run(main())


def test_a_last_assistant_turn_is_history() -> None:
    turns = (message("user", "Input: 4 5 6 10\nPossible next steps:"), message("assistant", "4 + 5"))
    replies = asyncio.run(sample(Request(messages=turns, temperature=0, max_tokens=5), 1))
    assert not replies[0].text.lstrip().startswith("=")  # it says something new: the turn is not continued


def test_pieces_are_emitted_in_the_callers_context() -> None:
    seen: list[tuple[Record, int]] = []

    async def main() -> list[Completion]:
        with events.watch(lambda record: seen.append((record, threading.get_ident()))), events.span("here"):
            return await sample(ask().at(4), start=4)

    replies = asyncio.run(main())
    pieces: dict[tuple[int, ...], str] = {}
    for record, thread in seen:
        if isinstance(record.event, Delta):
            assert record.span == "here"
            assert thread == threading.get_ident()
            pieces[record.event.draw] = pieces.get(record.event.draw, "") + record.event.text
    assert pieces == {(4 + at,): reply.text for at, reply in enumerate(replies)}


@pytest.mark.parametrize("stop", [(), ("\n",), ("6",)])
@pytest.mark.parametrize("which", ["builtin", "random"])
def test_tokens_are_counted_exactly(tmp_path: Path, which: str, stop: tuple[str, ...]) -> None:
    # Random weights write broken UTF-8: there a piece of text may hold several tokens, or a token no text.
    path = BUILTIN if which == "builtin" else write_tiny(tmp_path / "tiny.gguf")

    def counter(server: LlamaServer) -> int:
        lines = [line for line in server.metrics().splitlines() if line.startswith("llamacpp:tokens_predicted_total ")]
        return int(lines[0].split()[1])

    server = LlamaServer(path, Layout(batch=4, context=512))
    try:
        for round in range(3):
            before, reply = counter(server), Reply([Sample() for _ in range(4)])
            request = ask(stop=stop, seed=round)
            server.stream(body(request, 4), lambda chunk, reply=reply: bool(reply.read(chunk)) and False)  # type: ignore[misc]
            assert reply.failure(512, 512) is None
            assert sum(sample.tokens for sample in reply.samples) == counter(server) - before
    finally:
        server.close()


def test_the_same_texts_again_and_again() -> None:
    async def main() -> tuple[list[str], ...]:
        async with opened() as provider:
            first = texts(await provider.complete_many(draws(ask())))
            again = texts(await provider.complete_many(draws(ask())))
        return first, again, texts(await sample(ask())), texts(await sample(ask(), replicas=1, n_gpu_layers=0))

    first, *others = asyncio.run(main())
    assert all(other == first for other in others)
    assert texts(asyncio.run(sample(ask(seed=1)))) != first
    assert texts(asyncio.run(sample(ask(), start=4))) != first


def test_the_same_texts_in_another_process() -> None:
    done = python("print(json.dumps(texts(asyncio.run(sample(ask())))))")
    assert json.loads(done.stdout) == texts(asyncio.run(sample(ask())))
    assert done.stderr == ""


def test_the_same_texts_whatever_else_is_answered() -> None:
    async def main() -> None:
        prompts = [ask(f"Input: {a} {b} 6 10\nPossible next steps:") for a in range(1, 5) for b in range(1, 4)]
        prompts += [ask(f"Input: {a} 5 6 10\nPossible next steps:", temperature=0) for a in range(1, 5)]
        async with opened(replicas=1) as provider:
            alone = [texts(await provider.complete_many(draws(prompt))) for prompt in prompts]
        async with opened(replicas=3) as provider:
            together = await asyncio.gather(*(provider.complete_many(draws(prompt)) for prompt in reversed(prompts)))
        assert [texts(replies) for replies in reversed(together)] == alone

    asyncio.run(main())


def test_a_lone_draw_is_the_one_its_batch_gives() -> None:
    async def main() -> None:
        async with opened() as provider:
            whole = await provider.complete_many(draws(ask(), 8))
            assert (await provider.complete(ask().at(6))).text == whole[6].text
            across = await provider.complete_many(draws(ask(), 4, start=2))
            assert texts(across) == texts(whole[2:6])
            assert sum(reply.usage.output_tokens for reply in across) == 8 * 40  # the surplus was generated too

    asyncio.run(main())


def test_temperature_zero_is_one_text() -> None:
    async def main() -> None:
        async with opened() as provider:
            fresh = await provider.complete(ask(temperature=0.0))
            await provider.complete_many(draws(ask()))
            later = await provider.complete_many(draws(ask(temperature=0.0), 3))
            assert {*texts(later), fresh.text} == {fresh.text}
            assert fresh.usage.output_tokens == 40

    asyncio.run(main())


def test_only_consecutive_draws_are_taken() -> None:
    async def main() -> None:
        async with opened() as provider:
            assert await provider.complete_many(()) == ()
            with pytest.raises(ValueError, match="consecutive"):
                await provider.complete_many((ask().at(0), ask().at(2)))

    asyncio.run(main())


def test_identity_names_what_changes_texts(tmp_path: Path) -> None:
    path = write_tiny(tmp_path / "m.gguf")
    plain = open_llamacpp(str(path), {}).identity
    assert json.loads(plain)["context"] == 512
    for option in ({"batch": 2}, {"context": 256}, {"threads": 2}):
        assert open_llamacpp(str(path), option).identity != plain
    assert open_llamacpp(str(path), {"replicas": 3}).identity == plain
    write_tiny(path, seed=1)
    assert open_llamacpp(str(path), {}).identity != plain
