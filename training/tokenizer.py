"""The tokenizer: byte-level BPE whose numbers are digits, so that arithmetic has one form.

Merges are learned from text without digits; then a space with the digit or letter after it becomes one token, so that
" 13" is " 1", "3". llama.cpp knows this kind as `gpt-2`; a test holds the two to the same tokens.
"""

from __future__ import annotations

import json
import random
import re
import string
from pathlib import Path

from gguf import GGUFReader
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from training.corpus import turns
from training.mixture import SHARES

END, USER, ASSISTANT, SYSTEM, PAD = SPECIAL = ("<|end|>", "<|user|>", "<|assistant|>", "<|system|>", "<|pad|>")
VOCABULARY = 896
SPACE = "Ġ"  # how byte-level BPE writes a space


def learn(path: Path, *, seed: int = 7, lessons: int = 25_000) -> Tokenizer:
    """Learn the merges from sampled lessons, save the tokenizer and return it."""
    rng = random.Random(seed)
    kinds = list(SHARES)
    drawn = rng.choices(kinds, [SHARES[kind][0] for kind in kinds], k=lessons)
    texts = [re.sub(r"\d", "", text) for kind in drawn for _, text in turns(SHARES[kind][1](rng), rng)]
    needed = [(SPACE, character) for character in string.digits + string.ascii_letters]
    learned = _byte_level(models.BPE())
    learned.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY - len(needed),
            special_tokens=list(SPECIAL),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    model = json.loads(learned.to_str())["model"]
    merges, vocabulary = [tuple(merge) for merge in model["merges"]], model["vocab"]
    for pair in needed:
        if pair not in merges:
            merges.append(pair)
            vocabulary["".join(pair)] = len(vocabulary)
    tokenizer = assembled(vocabulary, merges)
    tokenizer.save(str(path))
    return tokenizer


def assembled(vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> Tokenizer:
    """The tokenizer of these tokens and merges, as training uses it."""
    tokenizer = _byte_level(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in SPECIAL])
    return tokenizer


def vocabulary(reader: GGUFReader) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """The tokens of a GGUF file with their numbers, and the merges in their order."""
    tokens, merges = (reader.fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "merges"))
    pairs = [(left, right) for left, _, right in (merge.partition(" ") for merge in merges)]
    return {token: at for at, token in enumerate(tokens)}, pairs


def load(path: Path) -> Tokenizer:
    """A saved tokenizer."""
    return Tokenizer.from_file(str(path))


def _byte_level(model: models.BPE) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer
