"""A small Llama: RMS norm, rotary positions, SwiGLU, tied embeddings (arXiv:2302.13971), as llama.cpp runs it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-5


@dataclass(frozen=True)
class Shape:
    """The sizes of a model."""

    vocabulary: int
    width: int = 192
    layers: int = 7
    heads: int = 6
    inner: int = 512  # width of the feed-forward layers
    theta: float = 10_000.0  # base of the rotary frequencies
    context: int = 1024  # tokens; what the file allows

    @property
    def head(self) -> int:
        """Width of a head."""
        return self.width // self.heads


class Block(nn.Module):
    """Attention, then a feed-forward layer, each on the normalised stream and added to it."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width, inner = shape.width, shape.inner
        self.heads = shape.heads
        self.attention_norm = nn.Parameter(torch.ones(width))
        self.feed_norm = nn.Parameter(torch.ones(width))
        self.query, self.key, self.value, self.out = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.gate, self.up = (nn.Linear(width, inner, bias=False) for _ in range(2))
        self.down = nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None) -> Tensor:
        """x: (rows, tokens, width); mask is added to the attention scores, None is causal."""
        rows, length, width = x.shape
        h = F.rms_norm(x, (width,), self.attention_norm, EPSILON)
        split = (rows, length, self.heads, width // self.heads)
        q, k = (_turned(project(h).view(split), cos, sin) for project in (self.query, self.key))
        v = self.value(h).view(split).transpose(1, 2)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
        x = x + self.out(mixed.transpose(1, 2).reshape(rows, length, width))
        h = F.rms_norm(x, (width,), self.feed_norm, EPSILON)
        result: Tensor = x + self.down(F.silu(self.gate(h)) * self.up(h))
        return result


def _turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions on neighbouring pairs: llama.cpp's order, so that nothing is permuted on export."""
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2).transpose(1, 2)


class Llama(nn.Module):
    """Tokens to the hidden state from which the next token is read."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.Parameter(torch.ones(shape.width))
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                spread = 0.02 if name.startswith("embedding") else weight.shape[1] ** -0.5
                if name.endswith(("out.weight", "down.weight")):  # what is added to the stream, in 2 x layers places
                    spread *= (2 * shape.layers) ** -0.5
                nn.init.normal_(weight, std=spread)

    def positions(self, length: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
        """Cosines and sines of the rotary angles, (1, length, 1, head / 2)."""
        frequency = self.shape.theta ** (-torch.arange(0, self.shape.head, 2).float() / self.shape.head)
        angle = torch.outer(torch.arange(length).float(), frequency)[None, :, None, :]
        device = self.norm.device
        return angle.cos().to(device, dtype), angle.sin().to(device, dtype)

    def forward(self, tokens: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None = None) -> Tensor:
        """The normalised last hidden state, (rows, tokens, width)."""
        x = self.embedding(tokens).to(cos.dtype)
        for block in self.blocks:
            x = block(x, cos, sin, mask)
        return F.rms_norm(x, (self.shape.width,), self.norm, EPSILON)

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores of every token of the vocabulary."""
        return F.linear(hidden, self.embedding.weight.to(hidden.dtype))
