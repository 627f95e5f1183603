"""The trained weights as a GGUF file for llama.cpp: q8_0 matrices, float norms, the tokenizer and the chat template."""

from __future__ import annotations

import json
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf import GGUFWriter

from training.model import EPSILON
from training.tokenizer import END, PAD, SPECIAL, load

NAME = "promptkit builtin"
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
TENSORS = {
    "query": "attn_q",
    "key": "attn_k",
    "value": "attn_v",
    "out": "attn_output",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
}


def export(weights: Path, tokenizer: Path, target: Path) -> None:
    """Write `target` from a trained model.pt and its tokenizer.json."""
    trained = torch.load(weights, weights_only=True, map_location="cpu")
    shape, state = trained["shape"], trained["weights"]
    writer = GGUFWriter(target, "llama")
    writer.add_name(NAME)
    writer.add_license("MIT")
    writer.add_context_length(shape["context"])
    writer.add_embedding_length(shape["width"])
    writer.add_block_count(shape["layers"])
    writer.add_feed_forward_length(shape["inner"])
    writer.add_head_count(shape["heads"])
    writer.add_head_count_kv(shape["heads"])
    writer.add_rope_dimension_count(shape["width"] // shape["heads"])
    writer.add_rope_freq_base(shape["theta"])
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_vocab_size(shape["vocabulary"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    _vocabulary(writer, tokenizer)
    _put(writer, "token_embd.weight", state["embedding.weight"])
    _put(writer, "output_norm.weight", state["norm"])
    for layer in range(shape["layers"]):
        _put(writer, f"blk.{layer}.attn_norm.weight", state[f"blocks.{layer}.attention_norm"])
        _put(writer, f"blk.{layer}.ffn_norm.weight", state[f"blocks.{layer}.feed_norm"])
        for ours, theirs in TENSORS.items():
            _put(writer, f"blk.{layer}.{theirs}.weight", state[f"blocks.{layer}.{ours}.weight"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _vocabulary(writer: GGUFWriter, path: Path) -> None:
    model = json.loads(path.read_text("utf-8"))["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].__getitem__)
    ids = load(path)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if t in SPECIAL else gguf.TokenType.NORMAL for t in tokens])
    writer.add_token_merges([" ".join(merge) for merge in model["merges"]])
    writer.add_eos_token_id(ids.token_to_id(END))
    writer.add_eot_token_id(ids.token_to_id(END))
    writer.add_pad_token_id(ids.token_to_id(PAD))
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def _put(writer: GGUFWriter, name: str, weight: torch.Tensor) -> None:
    array = weight.float().numpy()
    if array.ndim == 1:
        writer.add_tensor(name, array)
    else:
        packed = gguf.quants.quantize(array.astype(np.float32), gguf.GGMLQuantizationType.Q8_0)
        writer.add_tensor(name, packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
