"""A folder for one program, made for it and removed after it, whatever it has made of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile


def made() -> str:
    """A new folder that only its owner can open."""
    return tempfile.mkdtemp(prefix="promptkit-")


def removed(folder: str) -> None:
    """Nothing is left of `folder`, and nothing outside it was touched."""
    # Not by tempfile: some of its versions follow a link out where a folder cannot be emptied, and open that.
    with contextlib.suppress(OSError, RecursionError):
        os.chmod(folder, 0o700)
        for parent, folders, _ in os.walk(folder):
            for name in folders:
                path = os.path.join(parent, name)
                if not os.path.islink(path):
                    os.chmod(path, 0o700)  # before it is walked into
        shutil.rmtree(folder)
    if os.path.exists(folder) and os.name == "posix":  # deeper than a path may be long
        subprocess.run(["chmod", "-R", "u+rwX", "--", folder], capture_output=True, check=False)
        subprocess.run(["rm", "-rf", "--", folder], capture_output=True, check=False)
