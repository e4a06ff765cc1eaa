"""The tree of a filter: what parsing makes, compiling gives meaning to, and others walk (planning, casting).

One rule: the tree is plain. A negation is ``Not`` of its positive (``$ne``, ``$nin``, ``$nor``, ``$exists: false``),
what has to hold together is ``All``, and every ``Field`` holds one operator with its operand as the request gave it.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

from rollbook.documents.paths import Path
from rollbook.documents.values import Document, Value
from rollbook.language.collation import Collation
from rollbook.language.expressions import Expression


class Field(Struct, frozen=True, eq=False):
    """One operator on one path: ``{"gpus.count": {"$gte": 2}}``. ``path`` is empty in the condition of an element.

    ``options`` are those of ``$regex``; ``collation`` is how texts are compared (None: by code point). ``at`` points at
    the operand in the request, which makes it no other operator.
    """

    path: Path
    operator: str
    operand: Value
    options: str = ""
    at: str = ""
    collation: Collation | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Field) and self._meaning() == other._meaning()

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self._meaning())

    def _meaning(self) -> tuple[Path, str, Value, str, Collation | None]:
        return self.path, self.operator, self.operand, self.options, self.collation


class ElemMatch(Struct, frozen=True):
    """Some element of the array at ``path`` meets ``clause``: a filter of its own fields, or a condition on itself."""

    path: Path
    clause: Filter
    on: Literal["fields", "values"]


class All(Struct, frozen=True):
    """Every clause matches; so it does when there is none."""

    clauses: tuple[Filter, ...]


class Any(Struct, frozen=True):
    """At least one clause matches."""

    clauses: tuple[Filter, ...]


class Not(Struct, frozen=True):
    """The clause does not match."""

    clause: Filter


class Constant(Struct, frozen=True):
    """Every document matches, or none: ``$alwaysTrue``, ``$alwaysFalse``, ``{"$all": []}``."""

    matches: bool


class Computed(Struct, frozen=True):
    """The expression of ``$expr`` gives something true for the document."""

    expression: Expression


class JsonSchema(Struct, frozen=True):
    """The document satisfies the schema, which has been checked."""

    schema: Document


Filter: TypeAlias = Field | ElemMatch | All | Any | Not | Constant | Computed | JsonSchema

EVERYTHING = All(())


def all_of(clauses: list[Filter]) -> Filter:
    """The clauses together; one alone stands for itself."""
    return clauses[0] if len(clauses) == 1 else All(tuple(clauses))
