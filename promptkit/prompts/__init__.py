"""Prompt templates as files: front matter, then a Jinja2 body rendered in an immutable sandbox.

A pack is a folder of templates with a `pack.md`. A template that a pack does not have comes from `general`.
A body may be split into turns by lines `[[system]]`, `[[user]]`, `[[assistant]]`; the split is made before
rendering, so text put into a template can never open a turn. A template may include and extend others, which are
looked for as templates are; their texts count towards its digest.
"""

from promptkit.prompts.cases import Case, cases_of
from promptkit.prompts.checking import check, unusable
from promptkit.prompts.family import Pack, pack, packs, usable_pack
from promptkit.prompts.linting import lint
from promptkit.prompts.shelf import DEFAULT_PACK, copies, everything, find, load, worded
from promptkit.prompts.stead import Standing
from promptkit.prompts.template import Prompt

__all__ = [
    "DEFAULT_PACK",
    "Case",
    "Pack",
    "Prompt",
    "Standing",
    "cases_of",
    "check",
    "copies",
    "everything",
    "find",
    "lint",
    "load",
    "pack",
    "packs",
    "unusable",
    "usable_pack",
    "worded",
]
