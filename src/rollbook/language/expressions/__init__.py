"""Expressions: what an aggregation expression means, exactly as MongoDB says, on JSON.

``parse_expression`` makes a tree of JSON, ``compile_expression`` a function of the tree, which gives the value in a
scope: ``scope_of(document)``. ``checked_result`` refuses a result that JSON can't hold.
"""

from rollbook.language.expressions.compiling import compile_expression
from rollbook.language.expressions.nodes import Expression
from rollbook.language.expressions.parsing import parse_expression
from rollbook.language.expressions.results import checked_result
from rollbook.language.expressions.scopes import Evaluate, Scope, scope_of

__all__ = [
    "Evaluate",
    "Expression",
    "Scope",
    "checked_result",
    "compile_expression",
    "parse_expression",
    "scope_of",
]
