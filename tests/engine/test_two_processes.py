"""Two processes with the same question and the same journal buy each sample once, between them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

CHILD = """
import asyncio, json, sys, time
from pathlib import Path
from promptkit import api
from promptkit.journal import Journal, key
from promptkit.types import Capabilities
from promptkit.providers.scripted import Scripted
from players import reply
from watching import facts

path, log, start, batch, strategy, pack, params = sys.argv[1:]

async def say(request):
    with open(log, "a", buffering=1) as file:
        file.write(key(request, "scripted:both") + "\\n")
    await asyncio.sleep(0.01)
    return reply(request)

time.sleep(max(0.0, float(start) - time.time()))
capabilities = Capabilities(native_n=int(batch), batch=int(batch), local=True)
model = Scripted(say, name="both", identity="scripted:both", capabilities=capabilities)
with Journal.open(Path(path)) as journal:
    outcome = api.run(strategy, "1 2 3 4", pack=pack, model=model, journal=journal, **json.loads(params))
print(json.dumps(facts(outcome)))
"""


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize(
    ("strategy", "pack", "params"), [("sc", "general", {"n": 20}), ("tot", "game24", {"b": 2}), ("tot", "general", {})]
)
def test_together_they_buy_everything_once(
    tmp_path: Path, batch: int, strategy: str, pack: str, params: dict[str, int]
) -> None:
    log = tmp_path / "calls"
    arguments = [
        str(tmp_path / "journal.db"),
        str(log),
        str(time.time() + 0.8),  # both have started Python by then
        str(batch),
        strategy,
        pack,
        json.dumps(params),
    ]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])}
    children = [
        subprocess.Popen([sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE, text=True, env=env)
        for _ in range(2)
    ]
    said = [child.communicate(timeout=100)[0] for child in children]
    assert [child.returncode for child in children] == [0, 0]
    first, second = (json.loads(text) for text in said)
    assert first == second
    bought = Counter(log.read_text().split())
    assert bought
    assert set(bought.values()) == {1}, f"{sum(n - 1 for n in bought.values())} samples were bought twice"
