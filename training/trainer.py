"""Training: Muon on the matrices, AdamW on the rest, cosine to near zero; resumable at any moment.

On a CPU one single-threaded process per core works best (no barrier to wait at when cores are shared): gradients are
averaged over gloo, and every process orthogonalises its share of the matrices. On a GPU there is one process.
"""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor

from training.model import Llama, Shape

TOKENS_A_STEP = 6144
MUON_RATE, ADAM_RATE = 0.02, 3e-3
WARM_UP = 60  # steps
FLOOR = 0.02  # of the rate, at the end
SAVED_EVERY = 60.0  # seconds
SAID_EVERY = 15.0


@dataclass(frozen=True)
class Plan:
    """What is trained, on what, for how long."""

    folder: Path  # holds tokenizer.json, shard-*.npz and validation.npz; gets the checkpoints
    shape: Shape
    tokens: int  # to be seen in all, padding not counted
    minutes: float | None = None  # instead of `tokens`: the schedule follows the clock
    seed: int = 0
    rate: float = 1.0  # times the rates above; below 1 to go on from a trained model
    start: Path | None = None  # weights to begin with


Arrays = dict[str, np.ndarray[Any, Any]]


def train(plan: Plan) -> None:
    """Train, or go on where an earlier call was stopped; the weights are in `folder`/model.pt."""
    if torch.cuda.is_available():
        _work(0, 1, plan)
        return
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ.setdefault("MASTER_PORT", str(_free_port()))
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.multiprocessing.spawn(_work, args=(cores, plan), nprocs=cores)


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _work(rank: int, ranks: int, plan: Plan) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the last checkpoint is what is kept
    if ranks > 1:
        torch.set_num_threads(1)
        dist.init_process_group("gloo", rank=rank, world_size=ranks)
    _Trainer(rank, ranks, plan).run()
    if ranks > 1:
        dist.destroy_process_group()


class _Trainer:
    def __init__(self, rank: int, ranks: int, plan: Plan) -> None:
        self.rank, self.ranks, self.plan = rank, ranks, plan
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(plan.seed)
        self.model = Llama(plan.shape).to(self.device)
        if plan.start:
            self.model.load_state_dict(torch.load(plan.start, weights_only=True)["weights"])
        self.compute = torch.compile(self.model)
        self.matrices = [p for p in self.model.blocks.parameters() if p.ndim == 2]
        others = [p for p in self.model.parameters() if all(p is not m for m in self.matrices)]
        self.optimizers: list[torch.optim.Optimizer] = [
            torch.optim.Muon(self.matrices[rank::ranks], lr=MUON_RATE * plan.rate, weight_decay=0.01, momentum=0.95),
            torch.optim.AdamW(others, lr=ADAM_RATE * plan.rate, betas=(0.9, 0.98), weight_decay=0.0),
        ]
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["full_rate"] = group["lr"]
        self.step, self.seen, self.seconds, self.loss = 0, 0, 0.0, math.nan
        self.checkpoint = plan.folder / f"checkpoint-{rank}.pt"
        if self.checkpoint.exists():
            self._load()

    def run(self) -> None:
        data = _joined(sorted(self.plan.folder.glob("shard-*.npz")))
        batches = _Batches(data, self.plan.seed, self.rank, self.ranks)
        began, said, saved = time.monotonic() - self.seconds, 0.0, time.monotonic()
        while (done := self._progress()) < 1:
            self._rate(done)
            batch = batches.at(self.step)
            loss = self._loss(batch)
            loss.backward()
            self._update(loss.item(), int((batch["part"] != 255).sum()), time.monotonic() - began)
            if self.rank == 0 and time.monotonic() - said > SAID_EVERY:
                said = time.monotonic()
                self._say(done)
            if self._agreed(time.monotonic() - saved > SAVED_EVERY):
                saved = time.monotonic()
                self._save()
        self._save()
        if self.rank == 0:
            self._finish()

    def _progress(self) -> float:
        if self.plan.minutes is not None:
            return self.seconds / (60 * self.plan.minutes)
        return self.seen / self.plan.tokens

    def _rate(self, done: float) -> None:
        warm = min(1.0, (self.step + 1) / WARM_UP)
        share = warm * (FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi * done)) / 2)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["full_rate"] * share

    def _loss(self, batch: Arrays) -> Tensor:
        tokens = torch.from_numpy(batch["tokens"].astype(np.int64)).to(self.device)
        taught = torch.from_numpy(batch["taught"]).to(self.device)
        part = torch.from_numpy(batch["part"]).to(self.device)
        length = tokens.shape[1]
        cos, sin = self.model.positions(length, torch.bfloat16)
        seen = (part[:, :, None] == part[:, None, :]) & torch.ones(
            length, length, dtype=torch.bool, device=self.device
        ).tril()
        mask = torch.zeros(seen.shape, dtype=torch.bfloat16, device=self.device).masked_fill_(~seen, float("-inf"))
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            hidden = self.compute(tokens, cos, sin, mask[:, None])
            wanted = taught[:, 1:]
            logits = self.model.logits(hidden[:, :-1][wanted])
        return F.cross_entropy(logits.float(), tokens[:, 1:][wanted])

    def _update(self, loss: float, tokens: int, seconds: float) -> None:
        parameters = list(self.model.parameters())
        grads = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
        if self.ranks > 1:
            flat = torch.cat([*(g.view(-1) for g in grads), torch.tensor([loss, float(tokens), seconds])])
            dist.all_reduce(flat)
            flat /= self.ranks
            at = 0
            for p, g in zip(parameters, grads, strict=True):
                p.grad = flat[at : at + g.numel()].view_as(g)
                at += g.numel()
            loss, tokens, seconds = flat[-3].item(), round(flat[-2].item() * self.ranks), flat[-1].item()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        for p in parameters:
            p.grad = None
        if self.ranks > 1:
            self._exchange()
        self.step, self.seen, self.seconds = self.step + 1, self.seen + tokens, seconds
        self.loss = loss if math.isnan(self.loss) else 0.97 * self.loss + 0.03 * loss

    def _exchange(self) -> None:
        """Every process gets the matrices that another one has moved."""
        for owner in range(self.ranks):
            share = self.matrices[owner :: self.ranks]
            flat = torch.cat([p.data.view(-1) for p in share])
            dist.broadcast(flat, owner)
            if owner != self.rank:
                at = 0
                for p in share:
                    p.data.copy_(flat[at : at + p.numel()].view_as(p))
                    at += p.numel()

    def _agreed(self, wish: bool) -> bool:
        if self.ranks == 1:
            return wish
        if self.step % 10:  # asking costs a round trip
            return False
        word = torch.tensor([float(wish)])
        dist.broadcast(word, 0)
        return bool(word.item())

    def _say(self, done: float) -> None:
        speed = self.seen / self.seconds if self.seconds else 0
        left = self.seconds / done - self.seconds if done > 0 else math.nan
        print(
            f"step {self.step:6d}  {done:6.1%}  loss {self.loss:.4f}  {self.seen / 1e6:6.2f} M tokens  "
            f"{speed:6,.0f} tokens/s  {left / 60:5.1f} min left",
            flush=True,
        )

    def _save(self) -> None:
        state = {
            "weights": self.model.state_dict(),
            "shape": asdict(self.plan.shape),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "step": self.step,
            "seen": self.seen,
            "seconds": self.seconds,
            "loss": self.loss,
        }
        fresh = self.checkpoint.with_suffix(".new")
        torch.save(state, fresh)
        fresh.replace(self.checkpoint)

    def _load(self) -> None:
        state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["weights"])
        for optimizer, kept in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        self.step, self.seen, self.seconds, self.loss = (state[k] for k in ("step", "seen", "seconds", "loss"))

    def _finish(self) -> None:
        """Write the weights alone, with what is known about them."""
        validation = _joined([self.plan.folder / "validation.npz"])
        with torch.no_grad():
            losses = [self._loss(batch).item() for batch in _in_order(validation)]
        facts = {"tokens": self.seen, "steps": self.step, "seconds": self.seconds, "validation": float(np.mean(losses))}
        torch.save(
            {"weights": self.model.state_dict(), "shape": asdict(self.plan.shape), **facts},
            self.plan.folder / "model.pt",
        )
        print(f"done: {facts}", flush=True)


class _Batches:
    """The batch of any step: which rows it has follows from the step and the seed, so a resumed run goes on exactly."""

    def __init__(self, data: dict[str, Arrays], seed: int, rank: int, ranks: int) -> None:
        self.data, self.seed, self.rank, self.ranks = data, seed, rank, ranks
        self.rows = {kind: TOKENS_A_STEP // (each["tokens"].shape[1] * ranks) for kind, each in data.items()}
        steps = {kind: len(each["tokens"]) // (self.rows[kind] * ranks) for kind, each in data.items()}
        self.order = [kind for kind in steps for _ in range(steps[kind])]
        self.place = [at for kind in steps for at in range(steps[kind])]
        self.epoch = -1
        self.steps: Any = None
        self.perms: dict[str, Any] = {}

    def at(self, step: int) -> Arrays:
        epoch, within = divmod(step, len(self.order))
        if epoch != self.epoch:
            random = np.random.default_rng((self.seed, epoch))
            self.epoch, self.steps = epoch, random.permutation(len(self.order))
            self.perms = {kind: random.permutation(len(each["tokens"])) for kind, each in self.data.items()}
        chosen = int(self.steps[within])
        kind, at = self.order[chosen], self.place[chosen]
        n = self.rows[kind]
        start = (at * self.ranks + self.rank) * n
        rows = self.perms[kind][start : start + n]
        return {name: each[rows] for name, each in self.data[kind].items()}


def _joined(paths: Sequence[Path]) -> dict[str, Arrays]:
    """Shards as one set of short rows and one of long ones."""
    shards = [np.load(path) for path in paths]
    return {
        kind: {name: np.concatenate([s[f"{kind}_{name}"] for s in shards]) for name in ("tokens", "taught", "part")}
        for kind in ("short", "long")
    }


def _in_order(data: dict[str, Arrays], rows: int = 12) -> Iterator[Arrays]:
    short = data["short"]
    for start in range(0, len(short["tokens"]) - rows + 1, rows):
        yield {name: each[start : start + rows] for name, each in short.items()}
