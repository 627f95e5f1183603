"""Worked examples: questions with their answers and, where wanted, the reasoning between the two.

They are kept in a file (a YAML list, JSON lines or CSV), chosen for a question, put in an order, and held to what a
prompt has room for; one that asks the question itself, or nearly, is never shown.
"""

from __future__ import annotations

from promptkit.examples.budget import BYTES, estimated, fitting
from promptkit.examples.example import FIELDS, FORM, Example, Given, listed, same
from promptkit.examples.guard import Leakage, asks, guard
from promptkit.examples.ordering import Order, ordered, usual
from promptkit.examples.selection import LIKENESS, Embedded, Policy, chosen, narrowed
from promptkit.examples.stores import of_pack, read

__all__ = [
    "BYTES",
    "FIELDS",
    "FORM",
    "LIKENESS",
    "Embedded",
    "Example",
    "Given",
    "Leakage",
    "Order",
    "Policy",
    "asks",
    "chosen",
    "estimated",
    "fitting",
    "guard",
    "listed",
    "narrowed",
    "of_pack",
    "ordered",
    "read",
    "same",
    "usual",
]
