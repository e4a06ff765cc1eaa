"""The tree of a projection: a branch for every object on the way, a leaf for what is said about a field. Plain data.

One rule: a leaf says what happens to the field, the projection's mode what happens to all others.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

from msgspec import Struct

from rollbook.language.expressions import Expression
from rollbook.language.filters import Filter


class Mode(Enum):
    """Whether the fields that a projection doesn't name stay (EXCLUSION) or go (INCLUSION)."""

    INCLUSION = "inclusion"
    EXCLUSION = "exclusion"


class Included(Struct, frozen=True):
    """The field stays: ``{"status": 1}``."""


class Excluded(Struct, frozen=True):
    """The field goes: ``{"joinCommand": 0}``."""


class Computed(Struct, frozen=True):
    """The field gets the value of an expression: ``{"total": {"$sum": "$nodes.memory"}}``. Where it stands: ``at``."""

    expression: Expression
    at: str


class Sliced(Struct, frozen=True):
    """Of the field's array stay ``count`` elements after ``skip``: ``{"nodes": {"$slice": [5, 10]}}``.

    Without ``skip``, the first ``count``, or the last of them when ``count`` is negative. A negative ``skip`` counts
    from the end.
    """

    skip: int | None
    count: int


class FirstMatch(Struct, frozen=True):
    """Of the field's array stays the first element that ``$elemMatch`` matches; ``filter`` is on the field."""

    filter: Filter


class Positional(Struct, frozen=True):
    """Of the first array on the way stays the element that the query matched: ``{"nodes.$": 1}``. It stands ``at``."""

    at: str


class Branch(Struct, frozen=True):
    """What is said about the members of an object, in the order in which it is said."""

    members: tuple[tuple[str, Node], ...]


Leaf: TypeAlias = Included | Excluded | Computed | Sliced | FirstMatch | Positional
Node: TypeAlias = Leaf | Branch


class Projection(Struct, frozen=True):
    """A parsed projection; without a mode it changes nothing."""

    mode: Mode | None
    fields: Branch


def may_compute(projection: Projection) -> bool:
    """Whether it says more than which fields stay and go, so that one document can cost much."""

    def computes(node: Node) -> bool:
        if isinstance(node, Branch):
            return any(computes(member) for _, member in node.members)
        return not isinstance(node, (Included, Excluded, Sliced))

    return computes(projection.fields)
