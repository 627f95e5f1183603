"""Text files of the user's: read as UTF-8, or refused with the line that is not."""

from __future__ import annotations

from pathlib import Path

from promptkit.errors import BadInput, UsageError


def text_of(path: str | Path, *, hint: str = "", error: type[UsageError] = BadInput) -> str:
    """The text of a UTF-8 file without its byte order mark; `error` with file:line, `hint` where there is no file."""
    return decoded(Path(path), bytes_of(path, hint=hint, error=error), error=error)


def bytes_of(path: str | Path, *, hint: str = "", error: type[UsageError] = BadInput) -> bytes:
    """The bytes of a file; `error` with the path and `hint` where it cannot be read."""
    try:
        return Path(path).read_bytes()
    except OSError as wrong:
        raise error(f"{path}: {wrong.strerror or wrong}", hint=hint) from wrong


def decoded(path: Path, raw: bytes, *, error: type[UsageError] = BadInput) -> str:
    """The text of a file's bytes; `error` with file:line where they are not UTF-8."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = wrong.object[: wrong.start].count(b"\n") + 1
        raise error(f"{path}:{line}: not UTF-8: {wrong.reason}", hint="save the file as UTF-8") from wrong
