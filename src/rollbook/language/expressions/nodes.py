"""The tree of an expression: what parsing makes and compiling gives meaning to. Plain data; knows no operator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from rollbook.documents.paths import Path
from rollbook.documents.values import Maybe


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that no document changes. MISSING where an optional argument was not given."""

    value: Maybe


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable and a path in it: ``"$$x.y"``; ``"$a.b"`` is the path ``a.b`` in ``CURRENT``."""

    name: str
    path: Path = ()


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """An object whose members are expressions: ``{"total": "$gpus.count"}``."""

    members: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class ArrayOf:
    """An array whose elements are expressions: ``["$a", 1]``."""

    elements: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """An operator that is a function of its arguments' values, and where it stands (a JSON Pointer).

    It ``spends`` when it is given the request's ``Work`` first, and is not ``foldable`` when it gives another value
    each time.
    """

    name: str
    evaluate: Callable[..., Maybe]
    arguments: tuple[Expression, ...]
    at: str
    spends: bool = False
    foldable: bool = True


@dataclass(frozen=True, slots=True)
class FormCall:
    """An operator that binds variables or evaluates only some of its arguments; ``parts`` are of its own making."""

    name: str
    compile: Callable[[Any, Any], Any]
    parts: Any
    at: str


Expression: TypeAlias = Constant | Variable | ObjectOf | ArrayOf | Call | FormCall
