"""A pack in which some templates stand in for those of their names: versions that are tried, and lie in no file.

The name of the pack carries them, because a problem has nothing but the name; it is equal to the plain name, so all
else that goes by it is as ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from promptkit.prompts.template import Prompt


class Standing(str):
    """A pack's name; who asks the pack of it for a template gets one of these, where there is one of that name."""

    templates: Mapping[str, Prompt]

    @classmethod
    def of(cls, pack: str, *prompts: Prompt) -> Self:
        """The pack's name with these templates in it."""
        name = cls(pack)
        name.templates = {each.name: each for each in prompts}
        return name
