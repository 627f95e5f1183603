"""What libraries log while a command runs: shown where their own switches ask for it (OPENAI_LOG), keys left out."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from promptkit.redaction import redacted


class Redacted(logging.LogRecord):
    """A log record whose text and traceback have no keys in them."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        if self.exc_info:  # formatters take this text where it is there
            self.exc_text = redacted("".join(traceback.format_exception(*self.exc_info)).rstrip("\n"), foreign=True)

    def getMessage(self) -> str:
        """The message without keys."""
        return redacted(super().getMessage(), foreign=True)


@contextmanager
def without_keys() -> Iterator[None]:
    """Within it, whatever any library logs has no keys in it: it may be what a server said of one."""
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(Redacted)
    try:
        yield
    finally:
        logging.setLogRecordFactory(before)
