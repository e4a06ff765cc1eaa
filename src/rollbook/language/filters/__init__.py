"""Filters: which documents a query matches, exactly as MongoDB says, on JSON.

``parse_filter`` makes a tree of JSON, ``compile_filter`` a function of the tree, which decides whether a document
matches. ``parse_condition`` and ``compile_condition`` do the same for a single value. ``first_match`` is what
positional ``$`` stands for.
"""

from rollbook.language.filters.compiling import Predicate, compile_condition, compile_filter
from rollbook.language.filters.nodes import Filter
from rollbook.language.filters.operators import is_operator_object
from rollbook.language.filters.parsing import parse_condition, parse_filter
from rollbook.language.filters.positions import compile_first_match, first_match

__all__ = [
    "Filter",
    "Predicate",
    "compile_condition",
    "compile_filter",
    "compile_first_match",
    "first_match",
    "is_operator_object",
    "parse_condition",
    "parse_filter",
]
