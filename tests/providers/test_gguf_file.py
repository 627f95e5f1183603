from __future__ import annotations

import contextlib
import hashlib
import os
import random
import struct
from pathlib import Path

import pytest
from tiny_gguf import TEMPLATE, write_tiny

from promptkit.errors import BadInput
from promptkit.providers.llama.gguf_file import read_gguf


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_tiny(tmp_path / "tiny.gguf", context=300)


def refused(path: Path) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read_gguf(path)
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value


def test_reads_what_the_file_says(tiny: Path) -> None:
    file = read_gguf(tiny)
    assert (file.architecture, file.context, file.chat_template) == ("llama", 300, TEMPLATE)
    assert file.size == tiny.stat().st_size
    assert file.sha256 == hashlib.sha256(tiny.read_bytes()).hexdigest()


def test_home_is_expanded(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tiny.parent))
    assert read_gguf("~/tiny.gguf").path == tiny


def test_the_digest_follows_the_file(tmp_path: Path) -> None:
    path = write_tiny(tmp_path / "m.gguf")
    first = read_gguf(path).sha256
    write_tiny(path, seed=1)
    os.utime(path, ns=(1, 1))  # a clock too coarse to tell the two writes apart must not matter here
    assert read_gguf(path).sha256 != first


def test_optional_values_may_be_missing(tmp_path: Path) -> None:
    file = read_gguf(write_tiny(tmp_path / "m.gguf", drop={"chat_template", "context_length"}))
    assert file.chat_template is None
    assert file.context is None


def test_missing_file(tmp_path: Path) -> None:
    error = refused(tmp_path / "nowhere.gguf")
    assert "no such file" in error.message
    assert "builtin" in error.hint


def test_directory_offers_the_file_inside(tiny: Path) -> None:
    error = refused(tiny.parent)
    assert "directory" in error.message
    assert str(tiny) in error.hint


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    assert "not a regular file" in refused(tmp_path / "pipe.gguf").message


def test_null_byte_in_the_path() -> None:
    assert "cannot read" in refused(Path("a\0b.gguf")).message.replace("\0", "")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty"),
        (b"G", "not a GGUF"),
        (b"GGUF", "truncated"),
        (b"GGUF\x03\0\0\0", "truncated"),
        (b"PK\x03\x04" * 50, "not a GGUF"),
        (b"<!DOCTYPE html><html>Not found</html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
        (b"GGUF" + struct.pack(">IQQ", 3, 1, 1), "big-endian"),
        (b"GGUF" + struct.pack("<IQQ", 1, 1, 1), "version 1"),
        (b"GGUF" + struct.pack("<IQQ", 99, 1, 1), "version 99"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**63, 2**63), "damaged"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 2**62) + b"\0" * 50, "truncated"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<QcI", 1, b"k", 77) + b"\0" * 50, "value type 77"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<QcIIQ", 1, b"k", 9, 8, 2**60), "truncated"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<QcIIQ", 1, b"k", 9, 9, 1) * 9, "truncated|value type"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 0), "architecture"),
    ],
)
def test_bad_content(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=expected):
        read_gguf(path)
    refused(path)


def test_every_truncation_is_noticed(tiny: Path, tmp_path: Path) -> None:
    whole, cut = tiny.read_bytes(), tmp_path / "cut.gguf"
    # The file may end in padding: what counts is where the last tensor ends.
    for size in [*range(0, len(whole) - 64, 997), len(whole) - 64]:
        cut.write_bytes(whole[:size])
        refused(cut)


def test_noise_in_the_header_is_a_clean_error_or_harmless(tiny: Path, tmp_path: Path) -> None:
    whole, noisy, chance = tiny.read_bytes(), tmp_path / "noisy.gguf", random.Random(0)
    for _ in range(200):
        content = bytearray(whole)
        for _ in range(8):
            content[chance.randrange(4, 7000)] = chance.randrange(256)
        noisy.write_bytes(content)
        with contextlib.suppress(BadInput):
            read_gguf(noisy)


def test_a_part_of_a_model_is_refused(tmp_path: Path) -> None:
    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    header = b"GGUF" + struct.pack("<IQQ", 3, 0, 2)
    header += text("general.architecture") + struct.pack("<I", 8) + text("llama")
    header += text("split.count") + struct.pack("<IH", 2, 3)
    path = tmp_path / "part.gguf"
    path.write_bytes(header)
    assert "--merge" in refused(path).hint
