"""The mean of the weights of several trainings that went on from one another: `python -m training.average`.

Two ends of one line of training are each better at something; their mean keeps most of both (arXiv:2203.05482).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.__main__ import SHIPPED


def main(
    models: Annotated[list[Path], typer.Argument(help="The model.pt files, all of one shape and one tokenizer.")],
    vocabulary: Annotated[Path, typer.Option(help="Their tokenizer.json.")] = Path("build/training/tokenizer.json"),
    target: Annotated[Path, typer.Option(help="The GGUF file to write.")] = SHIPPED,
) -> None:
    """Average the weights and write the GGUF file."""
    import torch

    from training.export import export

    states = [torch.load(path, weights_only=True) for path in models]
    first = states[0]
    if any(state["shape"] != first["shape"] for state in states):
        raise typer.BadParameter("they are not of one shape")
    weights = {name: sum(state["weights"][name].float() for state in states) / len(states) for name in first["weights"]}
    mean = target.with_suffix(".pt")
    torch.save({**first, "weights": weights}, mean)
    try:
        export(mean, vocabulary, target)
    finally:
        mean.unlink()
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB; `promptkit bench builtin` measures it")


if __name__ == "__main__":
    typer.run(main)
