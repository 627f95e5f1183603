"""Files put beside a question: texts are quoted in the prompt, images go to the model as they are.

Wherever a template writes `{{ question }}`, the texts stand before it, each between marks that it does not contain
itself, and the images go into the same message.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from promptkit.errors import BadInput
from promptkit.types import Blob, Message

LONGEST_TEXT = 900_000  # bytes; a rendered prompt has an end, too
LARGEST_IMAGE = 20_000_000  # bytes, as the large providers have it
_IMAGES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}

Source = str | Path | bytes | Blob  # the path of a file, or what is in one


def attach(source: Source, name: str = "") -> Blob:
    """The attachment, its bytes with it; BadInput when it is neither an image nor text in UTF-8."""
    if isinstance(source, Blob):
        return source
    if isinstance(source, bytes):
        return _blob(source, name or "attachment")
    path = Path(source).expanduser()
    try:
        return _blob(path.read_bytes(), name or path.name)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}", hint="--with FILE, or - for stdin") from error


def attached(sources: Source | Iterable[Source]) -> tuple[Blob, ...]:
    """The attachments; a single one need not be put in a list."""
    return tuple(map(attach, [sources] if isinstance(sources, (str, Path, bytes, Blob)) else sources))


def _blob(data: bytes, name: str) -> Blob:
    media = _image(data)
    if media is None:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:
            hint = "what can be attached: text in UTF-8, and PNG, JPEG, GIF and WebP images"
            raise BadInput(f"{name}: neither text in UTF-8 nor an image", hint=hint)
        if not text.strip():
            raise BadInput(f"{name}: there is nothing in it", hint="leave it out")
        data = text.encode()
    most = LARGEST_IMAGE if media else LONGEST_TEXT
    if len(data) > most:
        raise BadInput(f"{name}: {len(data):,} bytes; at most {most:,} can be attached", hint="attach a part of it")
    name = "".join(c if c.isprintable() and c not in '<>"' else "_" for c in name)[:200]
    kind = "image" if media else "file"
    return Blob(kind, hashlib.sha256(data).hexdigest(), media or "text/plain", name, data)  # type: ignore[arg-type]


def _image(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((media for magic, media in _IMAGES.items() if data.startswith(magic)), None)


def images(parts: Iterable[Blob]) -> tuple[Blob, ...]:
    """Those that a model looks at."""
    return tuple(part for part in parts if part.kind == "image")


def quoted(parts: Iterable[Blob], question: str) -> str:
    """The question with every attached text before it."""
    return "\n\n".join([*(_quoted(part) for part in parts if part.kind == "file"), question])


def _quoted(part: Blob) -> str:
    text, mark, number = data_of(part).decode().strip("\n"), "document", 1
    while f"</{mark}>" in text:  # it cannot end its own quotation
        number += 1
        mark = f"document-{number}"
    return f'<{mark} name="{part.name}">\n{text}\n</{mark}>'


def data_of(part: Blob) -> bytes:
    """Its bytes; BadInput when only its name is known."""
    if not part.data:
        hint = "it was removed from the journal, or never in it: make the run again with it"
        raise BadInput(f"the bytes of {part.name or part.sha256[:12]} are not there", hint=hint)
    return part.data


def shown(messages: tuple[Message, ...], parts: Iterable[Blob]) -> tuple[Message, ...]:
    """The messages with the images before the text of the last thing the user says."""
    seen = images(parts)
    last = max((at for at, turn in enumerate(messages) if turn.role == "user"), default=None)
    if not seen or last is None:
        return messages
    said = replace(messages[last], content=(*seen, *messages[last].content))
    return (*messages[:last], said, *messages[last + 1 :])
