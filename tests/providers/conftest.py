"""What every provider test starts from."""

from __future__ import annotations

import pytest
from local_model import disown_model_threads


@pytest.fixture(autouse=True)
def count_from_here() -> None:
    disown_model_threads()
