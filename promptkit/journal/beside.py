"""What lies among completions and is no model's: programs' results and people's answers, told by how names begin."""

from __future__ import annotations

from promptkit.journal import answers, programs

PREFIXES = (programs.PREFIX, answers.PREFIX)


def is_one(column: str) -> str:
    """SQL that tells such a name from a completion's."""
    tests = (f"substr({column}, 1, {len(prefix)}) = '{prefix}'" for prefix in PREFIXES)
    return f"({' OR '.join(tests)})"
