"""A workspace that was lent to root's programs, given back: see inside/lowered.py."""

from __future__ import annotations

import os

from promptkit.sandbox.inside.lowered import NOBODY, UNUSED


def take_back(folder: str, owner: int) -> None:
    """Make what the program's user owns below `folder` its `owner`'s again, if the folder was lent at all."""
    if owner in (UNUSED, NOBODY) or os.lstat(folder).st_uid not in (UNUSED, NOBODY):
        return
    for parent, folders, files in os.walk(folder):
        for path in (parent, *(os.path.join(parent, name) for name in (*folders, *files))):
            if os.lstat(path).st_uid in (UNUSED, NOBODY):
                os.lchown(path, owner, -1)
