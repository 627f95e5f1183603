"""Trains the built-in model end to end: `python -m training`. Stopped at any moment, the same command goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from training import corpus, tokenizer
from training.model import Shape

SHIPPED = Path(__file__).parents[1] / "promptkit" / "_data" / "builtin.gguf"


def main(
    folder: Annotated[Path, typer.Option(help="Where lessons and checkpoints are kept.")] = Path("build/training"),
    tokens: Annotated[float, typer.Option(help="Tokens to train on.")] = 40e6,
    minutes: Annotated[float | None, typer.Option(help="Train so long instead.")] = None,
    lessons: Annotated[float, typer.Option(help="Tokens of lessons to draw; they are repeated as needed.")] = 40e6,
    width: Annotated[int, typer.Option(min=32, help="Width of the model; heads of 32.")] = 192,
    layers: Annotated[int, typer.Option(help="Layers of the model.")] = 7,
    seed: Annotated[int, typer.Option(help="Of lessons and weights.")] = 0,
    jobs: Annotated[int, typer.Option(help="Processes that draw lessons.")] = 2,
    start: Annotated[Path | None, typer.Option(help="A GGUF file made here, or a model.pt, to go on from.")] = None,
    rate: Annotated[float, typer.Option(help="Times the usual learning rate.")] = 1.0,
    target: Annotated[Path, typer.Option(help="The GGUF file to write.")] = SHIPPED,
) -> None:
    """Draw the lessons, train, and write the GGUF file."""
    if width % 32:
        raise typer.BadParameter(f"the width is a multiple of 32, not {width}")
    from training.export import export
    from training.shipped import unpack
    from training.trainer import Plan, train

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = folder / "tokenizer.json"
    if start and start.suffix == ".gguf":
        unpack(start, folder / "start.pt", vocabulary)
        start = folder / "start.pt"
    if not vocabulary.exists():
        print("tokenizer …", flush=True)
        tokenizer.learn(vocabulary)
    corpus.draw(folder, vocabulary, tokens=round(lessons), seed=seed, jobs=jobs)
    size = tokenizer.load(vocabulary).get_vocab_size()
    shape = Shape(vocabulary=size)
    shape = replace(shape, width=width, layers=layers, heads=width // 32, inner=32 * round(width / 12))  # q8_0 packs 32
    train(Plan(folder, shape, round(tokens), minutes=minutes, seed=seed, rate=rate, start=start))
    export(folder / "model.pt", vocabulary, target)
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB; `promptkit bench builtin` measures it")


if __name__ == "__main__":
    typer.run(main)
