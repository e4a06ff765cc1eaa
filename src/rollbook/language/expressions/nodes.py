"""The tree of an expression: what parsing makes and compiling gives meaning to. Plain data; knows no operator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec import Struct

from rollbook.documents.paths import Path
from rollbook.documents.values import Maybe


class Constant(Struct, frozen=True):
    """A value that no document changes. MISSING where an optional argument was not given."""

    value: Maybe


class Variable(Struct, frozen=True):
    """A variable and a path in it: ``"$$x.y"``; ``"$a.b"`` is the path ``a.b`` in ``CURRENT``."""

    name: str
    path: Path = ()


class ObjectOf(Struct, frozen=True):
    """An object whose members are expressions: ``{"total": "$gpus.count"}``."""

    members: tuple[tuple[str, Expression], ...]


class ArrayOf(Struct, frozen=True):
    """An array whose elements are expressions: ``["$a", 1]``."""

    elements: tuple[Expression, ...]


class Call(Struct, frozen=True):
    """An operator that is a function of its arguments' values, and where it stands (a JSON Pointer).

    It ``spends`` when it is given the request's ``RequestBudget`` first, and is not ``foldable`` when it gives another
    value each time.
    """

    name: str
    evaluate: Callable[..., Maybe]
    arguments: tuple[Expression, ...]
    at: str
    spends: bool = False
    foldable: bool = True


class FormCall(Struct, frozen=True):
    """An operator that binds variables or evaluates only some of its arguments; ``parts`` are of its own making."""

    name: str
    compile: Callable[[Any, Any], Any]
    parts: Any
    at: str


Expression: TypeAlias = Constant | Variable | ObjectOf | ArrayOf | Call | FormCall
