"""The tree of a filter: what parsing makes, compiling gives meaning to, and others walk (planning, casting).

One rule: the tree is plain. A negation is ``Not`` of its positive (``$ne``, ``$nin``, ``$nor``, ``$exists: false``),
what has to hold together is ``All``, and every ``Field`` holds one operator with its operand as the request gave it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from rollbook.documents.paths import Path
from rollbook.documents.values import Document, Value
from rollbook.language.expressions import Expression


@dataclass(frozen=True, slots=True)
class Field:
    """One operator on one path: ``{"gpus.count": {"$gte": 2}}``. ``path`` is empty in the condition of an element.

    ``options`` are those of ``$regex``. ``at`` points at the operand in the request.
    """

    path: Path
    operator: str
    operand: Value
    options: str = ""
    at: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class ElemMatch:
    """Some element of the array at ``path`` meets ``clause``: a filter of its own fields, or a condition on itself."""

    path: Path
    clause: Filter
    on: Literal["fields", "values"]


@dataclass(frozen=True, slots=True)
class All:
    """Every clause matches; so it does when there is none."""

    clauses: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """At least one clause matches."""

    clauses: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The clause does not match."""

    clause: Filter


@dataclass(frozen=True, slots=True)
class Constant:
    """Every document matches, or none: ``$alwaysTrue``, ``$alwaysFalse``, ``{"$all": []}``."""

    matches: bool


@dataclass(frozen=True, slots=True)
class Computed:
    """The expression of ``$expr`` gives something true for the document."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """The document satisfies the schema, which has been checked."""

    schema: Document


Filter: TypeAlias = Field | ElemMatch | All | Any | Not | Constant | Computed | JsonSchema

EVERYTHING = All(())


def all_of(clauses: list[Filter]) -> Filter:
    """The clauses together; one alone stands for itself."""
    return clauses[0] if len(clauses) == 1 else All(tuple(clauses))
