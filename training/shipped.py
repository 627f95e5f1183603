"""A GGUF file of this repository read back, so that training can go on from it."""

from __future__ import annotations

from pathlib import Path

import gguf
import torch
from gguf import GGUFReader

from training.export import TENSORS
from training.tokenizer import assembled, vocabulary


def unpack(file: Path, weights: Path, tokenizer: Path) -> None:
    """Write the weights and the tokenizer of `file` as training keeps them; q8_0 rounding stays in."""
    reader = GGUFReader(file)
    tensors = {tensor.name: _floats(tensor) for tensor in reader.tensors}
    state = {"embedding.weight": tensors["token_embd.weight"], "norm": tensors["output_norm.weight"]}
    for layer in range(int(reader.fields["llama.block_count"].contents())):
        here, there = f"blocks.{layer}", f"blk.{layer}"
        state[f"{here}.attention_norm"] = tensors[f"{there}.attn_norm.weight"]
        state[f"{here}.feed_norm"] = tensors[f"{there}.ffn_norm.weight"]
        for ours, theirs in TENSORS.items():
            state[f"{here}.{ours}.weight"] = tensors[f"{there}.{theirs}.weight"]
    torch.save({"weights": state}, weights)
    assembled(*vocabulary(reader)).save(str(tokenizer))


def _floats(tensor: gguf.ReaderTensor) -> torch.Tensor:
    values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
    return torch.from_numpy(values.copy())
