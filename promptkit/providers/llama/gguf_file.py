"""What a GGUF file says it is, read by us first: llama.cpp answers every bad file with the same "failed"."""

from __future__ import annotations

import hashlib
import math
import os
import stat
import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from promptkit.errors import BadInput

HINT = "llamacpp:PATH names a GGUF file with a language model; `builtin` needs no file"
AGAIN = "the download or copy was probably cut off: fetch the file again"

# GGUF value types: struct letters; strings (8) and arrays (9) are read apart.
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9
LONGEST = 2**24  # bytes of a text; chat templates have thousands

# ggml tensor types: (values in a block, bytes of a block). A type that is newer than this table is not measured.
BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 40),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
    23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2),
    34: (256, 54), 35: (256, 66), 39: (32, 17), 40: (64, 36), 41: (128, 18),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class GgufFile:
    """The header of a GGUF file whose tensor data is all there."""

    path: Path
    size: int
    modified_ns: int
    architecture: str
    name: str
    context: int | None  # tokens it was trained for
    chat_template: str | None

    @property
    def sha256(self) -> str:
        """Of the whole file; read once a process, and again when size or time of the file change."""
        return _sha256(str(self.path), self.size, self.modified_ns)


@cache
def _sha256(path: str, size: int, modified_ns: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_gguf(path: str | os.PathLike[str]) -> GgufFile:
    """The header of the file, checked; BadInput in one line for anything llama.cpp could not load."""
    found = Path(path).expanduser().absolute()
    try:
        info = found.stat()
        if stat.S_ISDIR(info.st_mode):
            inside = sorted(found.glob("*.gguf"))
            hint = f"did you mean {inside[0]}?" if inside else HINT
            raise BadInput(f"{found} is a directory, not a GGUF file", hint=hint)
        if not stat.S_ISREG(info.st_mode):  # a pipe would block, a device never ends
            raise BadInput(f"{found} is not a regular file", hint=HINT)
        with found.open("rb") as file:
            values = _Header(file, info.st_size, found).read()
    except FileNotFoundError:
        raise BadInput(f"no such file: {found}", hint=HINT) from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise BadInput(f"cannot read {path}: {reason}", hint=HINT) from None
    architecture = str(values["general.architecture"])
    context = values.get(f"{architecture}.context_length")
    template = values.get("tokenizer.chat_template")
    return GgufFile(
        path=found,
        size=info.st_size,
        modified_ns=info.st_mtime_ns,
        architecture=architecture,
        name=str(values.get("general.name", "")),
        context=context if isinstance(context, int) and context > 0 else None,
        chat_template=template if isinstance(template, str) else None,
    )


class _Header:
    """Reads front to back; every length is checked against the bytes left before it is believed."""

    def __init__(self, file: BinaryIO, size: int, path: Path) -> None:
        self.file, self.size, self.path = file, size, path
        self.at = 0

    def read(self) -> dict[str, Any]:
        """The scalar and string values; raises BadInput when the file cannot be a whole model."""
        self.magic()
        tensors, pairs = self.scalar("Q"), self.scalar("Q")
        # A pair takes at least 13 bytes, a tensor at least 24: a larger count is noise, not a header.
        if pairs * 13 + tensors * 24 > self.size:
            raise self.bad(f"its header is damaged: it announces {tensors} tensors and {pairs} values", AGAIN)
        values: dict[str, Any] = {}
        for _ in range(pairs):
            key = self.string()
            values[key] = self.value(self.scalar("I"))
        self.check(values, tensors)
        self.check_tensors(tensors, values.get("general.alignment", 32))
        return values

    def magic(self) -> None:
        if self.size == 0:
            raise self.bad("the file is empty", AGAIN)
        start = self.file.read(64)
        self.file.seek(0)
        if start[:4] != b"GGUF":
            if start.startswith(b"version https://git-lfs"):
                raise self.bad("a Git LFS pointer, not the model itself", "git lfs pull")
            if start.lstrip()[:5].lower() in (b"<!doc", b"<html"):
                raise self.bad("a web page, not a GGUF file", AGAIN)
            raise self.bad("not a GGUF file", HINT)
        self.take(4)
        version = self.scalar("I")
        if version not in (2, 3):
            if version in (2 << 24, 3 << 24):
                raise self.bad("a big-endian GGUF file, made for another kind of machine", HINT)
            raise self.bad(f"GGUF version {version} cannot be read", "versions 2 and 3 can: convert the model again")

    def check(self, values: dict[str, Any], tensors: int) -> None:
        architecture = values.get("general.architecture")
        if not isinstance(architecture, str) or not architecture:
            raise self.bad("it does not name its architecture", HINT)
        if architecture == "clip":
            raise self.bad("an image encoder, not a language model", HINT)
        parts = values.get("split.count", 0)
        if isinstance(parts, int) and parts > 1:
            merge = "llama-gguf-split --merge FIRST-PART.gguf WHOLE.gguf"
            raise self.bad(f"one of {parts} parts of a model", f"join them first: {merge}")
        if not tensors:
            raise self.bad("it holds no weights (a vocabulary only)", HINT)

    def check_tensors(self, count: int, alignment: Any) -> None:
        if not isinstance(alignment, int) or alignment <= 0 or alignment & (alignment - 1):
            raise self.bad(f"its header is damaged: alignment {alignment!r}", AGAIN)
        end = 0
        for _ in range(count):
            name, dimensions = self.string(), self.scalar("I")
            if dimensions > 8:
                raise self.bad(f"its header is damaged: a tensor of {dimensions} dimensions", AGAIN)
            shape = [self.scalar("Q") for _ in range(dimensions)]
            kind, offset = self.scalar("I"), self.scalar("Q")
            values, size = BLOCKS.get(kind, (1, 0))
            row = shape[0] if shape else 1
            if row % values:
                raise self.bad(f"its header is damaged: tensor {name!r} has rows of {row} values", AGAIN)
            end = max(end, offset + math.prod(shape) // values * size)
        data = -(-self.at // alignment) * alignment
        if data + end > self.size:
            raise self.bad(f"truncated: its tensors need {data + end} bytes and the file has {self.size}", AGAIN)

    def value(self, kind: int, depth: int = 0) -> Any:
        if kind in SCALARS:
            return self.scalar(SCALARS[kind])
        if kind == STRING:
            return self.string()
        if kind != ARRAY or depth > 3:
            raise self.bad(f"its header is damaged: value type {kind}", AGAIN)
        inner, count = self.scalar("I"), self.scalar("Q")
        if inner in SCALARS:  # skipped, as all arrays are: vocabularies are long and nobody asks for them
            self.skip(struct.calcsize("<" + SCALARS[inner]) * count)
            return None
        if count * 8 > self.size - self.at:
            raise self.cut()
        for _ in range(count):
            if inner == STRING:
                self.skip(self.scalar("Q"))
            else:
                self.value(inner, depth + 1)
        return None

    def scalar(self, letter: str) -> Any:
        return struct.unpack("<" + letter, self.take(struct.calcsize("<" + letter)))[0]

    def string(self) -> str:
        length = self.scalar("Q")
        if length > LONGEST and length <= self.size - self.at:
            raise self.bad(f"its header is damaged: a text of {length} bytes", AGAIN)
        return self.take(length).decode("utf-8", "replace")

    def take(self, count: int) -> bytes:
        if count > self.size - self.at:
            raise self.cut()
        taken = self.file.read(count)
        if len(taken) != count:  # it shrank while we were reading
            raise self.cut()
        self.at += count
        return taken

    def skip(self, count: int) -> None:
        if count > self.size - self.at:
            raise self.cut()
        self.file.seek(count, os.SEEK_CUR)
        self.at += count

    def cut(self) -> BadInput:
        return self.bad(f"truncated: the file ends inside its header, after {self.size} bytes", AGAIN)

    def bad(self, what: str, hint: str) -> BadInput:
        return BadInput(f"{self.path}: {what}", hint=hint)
