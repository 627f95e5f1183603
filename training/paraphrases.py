"""Other wordings of the packs' prompts, so that the exact one does not matter much."""

from __future__ import annotations

SHARE = 0.12  # of the lessons of a template that has other wordings

WORDINGS: dict[tuple[str, str], tuple[str, ...]] = {
    ("game24", "solve"): (
        "Make 24 with + - * / from {{ question }}.\nGive the answer only.",
        "Use numbers and basic arithmetic operations (+ - * /) to obtain 24.\nInput: {{ question }}",
    ),
    ("game24", "cot"): (
        "Make 24 with + - * / from {{ question }}.\nThink step by step.",
        "Use numbers and basic arithmetic operations (+ - * /) to obtain 24.\nInput: {{ question }}\n"
        "Think step by step.",
    ),
    ("game24", "propose"): (
        "Numbers left: {{ state }}\nList possible next steps to 24, one a line.",
        "Propose next steps to make 24.\nInput: {{ state }}",
    ),
    ("game24", "value"): (
        "Can these numbers make 24? Answer sure, likely or impossible.\nInput: {{ state }}",
        "Numbers left: {{ state }}\nIs 24 possible (sure/likely/impossible)?",
    ),
    ("words", "solve"): (
        "{{ question }}\nGive the answer only.",
        "Question: {{ question }}\nAnswer with a number.",
    ),
    ("words", "cot"): (
        "{{ question }}\nThink step by step.",
        "Question: {{ question }}\nLet's think step by step.",
        "{{ question }}\nSolve it step by step.",
    ),
}
