"""Scopes: what ``$$`` names stand for while an expression is evaluated on one document.

One rule: a scope belongs to who made it. A form that binds a variable evaluates in a copy (``{**scope, name: value}``,
or one copy whose entry it changes from element to element), so no binding is seen outside its form.
"""

from collections.abc import Callable
from typing import TypeAlias

from rollbook.documents.values import Maybe, Value

Scope: TypeAlias = dict[str, Maybe]

Evaluate: TypeAlias = Callable[[Scope], Maybe]


def scope_of(root: Value, **variables: Maybe) -> Scope:
    """The scope of one document: ``$$ROOT`` and ``$$CURRENT`` are ``root``; ``variables`` by name without ``$$``.

    ``NOW`` may be given here, as an ISO string; else it is the time at which the expression was compiled.
    """
    return {"ROOT": root, "CURRENT": root, **variables}
