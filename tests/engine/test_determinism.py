"""A run is a function of question, parameters, seed and completions: never of the order in which replies arrive."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from players import Player, player
from watching import Seen, facts

from promptkit import api
from promptkit.journal import Journal
from promptkit.providers.scripted import Scripted

SHUFFLES = range(6)
PLAIN: list[tuple[str, str, dict[str, Any]]] = [
    (strategy, pack, {}) for strategy in ("direct", "cot", "sc", "tot") for pack in ("general", "game24")
]
TREES = [
    ("tot", pack, {"generate": generate, "evaluate": evaluate, "select": select, "b": 2, "k": 3, "n_evaluate": 3})
    for pack in ("general", "game24")
    for generate in ("sample", "propose")
    for evaluate in ("value", "vote")
    for select in ("greedy", "sample")
]


@pytest.mark.parametrize(("strategy", "pack", "params"), PLAIN + TREES)
def test_the_order_of_arrival_changes_nothing(strategy: str, pack: str, params: dict[str, Any]) -> None:
    async def once(shuffle: int) -> tuple[dict[str, Any], list[Any], list[str | None], set[Any]]:
        seen, script = Seen(), Player(shuffle=shuffle, longest=0.003)
        with Journal.open(None) as journal:
            outcome = await api.arun(
                strategy,
                "4 5 6 10",
                pack=pack,
                model=player(script),
                journal=journal,
                sinks=[seen],
                concurrency=1 + 5 * shuffle,  # nor does how many calls are in flight
                **params,
            )
        body = facts(outcome)
        return body, seen.tree, seen.best, set(script.asked)

    async def all_orders() -> list[Any]:
        return [await once(shuffle) for shuffle in SHUFFLES]

    first, *others = asyncio.run(all_orders())
    if strategy == "tot":
        assert len(first[1]) > 5
    for other in others:
        assert other == first


def test_the_shuffles_do_shuffle() -> None:
    async def order(shuffle: int) -> list[tuple[int, ...]]:
        arrived: list[tuple[int, ...]] = []
        script = Player(shuffle=shuffle, longest=0.02)

        async def noting(request: Any) -> str:
            said = await script(request)
            arrived.append(request.draw)
            return said

        with Journal.open(None) as journal:
            await api.arun("sc", "what?", model=Scripted(noting), journal=journal, n=8)
        return arrived[:5]

    orders = [asyncio.run(order(shuffle)) for shuffle in SHUFFLES]
    assert len({tuple(order) for order in orders}) > 1


def test_another_run_seed_gives_another_tree() -> None:
    def tree(seed: int) -> list[Any]:
        seen = Seen()
        with Journal.open(None) as journal:
            api.run("tot", "4 5 6 10", pack="game24", model=player(Player()), journal=journal, sinks=[seen], seed=seed)
        return seen.tree

    assert tree(1) == tree(1)
    assert tree(1) != tree(2)
