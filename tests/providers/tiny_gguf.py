"""The smallest GGUF files llama.cpp loads: one layer of random weights over an alphabet of bytes."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import gguf
import numpy as np

WIDTH, FEED, HEADS = 32, 64, 2
PIECES = [*"abcdefghijklmnopqrstuvwxyz", "\u2581"]
TEMPLATE = "{% for m in messages %}{{ m['role'] + ' ' + m['content'] + '\n' }}{% endfor %}"


def write_tiny(path: Path, *, context: int = 512, drop: Collection[str] = (), seed: int = 0) -> Path:
    """Write a model of about 60 kB; `drop` names header values and tensors to leave out."""
    writer = gguf.GGUFWriter(path, "llama")
    numbers = {
        "context_length": context,
        "embedding_length": WIDTH,
        "block_count": 1,
        "feed_forward_length": FEED,
        "attention.head_count": HEADS,
    }
    for key, value in numbers.items():
        if key not in drop:
            writer.add_uint32(f"llama.{key}", value)
    writer.add_float32("llama.attention.layer_norm_rms_epsilon", 1e-5)
    kinds = gguf.TokenType
    vocabulary = [("<unk>", kinds.UNKNOWN), ("<s>", kinds.CONTROL), ("</s>", kinds.CONTROL)]
    vocabulary += [(f"<0x{byte:02X}>", kinds.BYTE) for byte in range(256)]
    vocabulary += [(piece, kinds.NORMAL) for piece in PIECES]
    writer.add_tokenizer_model("llama")
    writer.add_token_list([text for text, _ in vocabulary])
    writer.add_token_scores([-float(rank) for rank in range(len(vocabulary))])
    writer.add_token_types([int(kind) for _, kind in vocabulary])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    if "chat_template" not in drop:
        writer.add_chat_template(TEMPLATE)
    random = np.random.default_rng(seed)
    shapes = {
        "token_embd": (len(vocabulary), WIDTH),
        "blk.0.attn_q": (WIDTH, WIDTH),
        "blk.0.attn_k": (WIDTH, WIDTH),
        "blk.0.attn_v": (WIDTH, WIDTH),
        "blk.0.attn_output": (WIDTH, WIDTH),
        "blk.0.ffn_gate": (FEED, WIDTH),
        "blk.0.ffn_up": (FEED, WIDTH),
        "blk.0.ffn_down": (WIDTH, FEED),
    }
    for name, shape in shapes.items():
        if name not in drop:
            writer.add_tensor(f"{name}.weight", random.normal(0, 0.3, shape).astype(np.float32))
    for name in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"):
        if name not in drop:
            writer.add_tensor(f"{name}.weight", np.ones(WIDTH, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
