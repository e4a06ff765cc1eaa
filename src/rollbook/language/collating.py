"""Puts a collation into what was parsed: filters, sorts, projections and pipelines compare texts by it from then on.

One rule: what would compare by code point all the same is refused, so nothing takes half of a collation.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from rollbook.documents.values import Maybe
from rollbook.errors import LanguageRefused
from rollbook.language.collation import Collation, holds_text
from rollbook.language.expressions.nodes import Call, Constant, FormCall
from rollbook.language.filters.nodes import Field, JsonSchema
from rollbook.language.pipelines.accumulators.fields import Field as GroupField
from rollbook.language.pipelines.grouping import Grouping
from rollbook.language.pipelines.operators import Stage
from rollbook.language.sorting import Sort

Tree = TypeVar("Tree")

COMPARING = frozenset({"$eq", "$gt", "$gte", "$lt", "$lte", "$in"})
"""Operators of filters that compare values."""

COMPARING_CALLS = frozenset({"$cmp", "$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$indexOfArray"})
"""Operators of expressions that compare values and return none of them."""

CHOOSING = frozenset(
    {"$min", "$max", "$minN", "$maxN", "$sortArray", "$setUnion", "$setIntersection", "$setDifference", "$setEquals"}
    | {"$setIsSubset", "$addToSet", "$top", "$topN", "$bottom", "$bottomN", "$bucket", "$bucketAuto"}
)
"""Operators that compare values by code point, whatever the collation."""

COMMAND_NOT_SUPPORTED = 115


def collated(tree: Tree, collation: Collation | None) -> Tree:
    """The same tree, which compares texts by ``collation``; the very same object where nothing compares texts.

    Refuses (LanguageRefused) operators that can't.
    """
    return tree if collation is None else _Collating(collation).tree(tree)


class _Collating:
    """Walks a tree of any language here: all of them are made of structs and tuples."""

    def __init__(self, collation: Collation) -> None:
        self._collation = collation

    def tree(self, tree: Any) -> Any:
        """The tree with the collation in it."""
        match tree:
            case Field(operator=operator, operand=operand):
                return (
                    replace(tree, collation=self._collation) if operator in COMPARING and holds_text(operand) else tree
                )
            case Sort():
                return replace(tree, collation=self._collation)
            case Constant() | JsonSchema():
                return tree
            case Call(name=name) | FormCall(name=name) if name in CHOOSING:
                raise _refused(name, tree.at)
            case Call(name=name) if name in COMPARING_CALLS:
                return replace(self._parts(tree), evaluate=self._folding(tree.evaluate))
            case GroupField(accumulator=accumulator) if accumulator.name in CHOOSING:
                raise _refused(accumulator.name, "")
            case Grouping():
                return replace(self._parts(tree), collation=self._collation)
            case Stage(operator=operator, parts=parts):
                if operator.name in CHOOSING:
                    raise _refused(operator.name, "")
                return replace(tree, parts=self.tree(parts))
        return self._parts(tree)

    def _parts(self, tree: Any) -> Any:
        if isinstance(tree, (tuple, list)):
            elements = type(tree)(map(self.tree, tree))
            return tree if all(map(_is, elements, tree)) else elements
        if isinstance(tree, dict):
            members = {name: self.tree(part) for name, part in tree.items()}
            return tree if all(map(_is, members.values(), tree.values())) else members
        if not isinstance(tree, Struct):
            return tree
        parts = {name: getattr(tree, name) for name in tree.__struct_fields__}
        changed = {name: new for name, part in parts.items() if (new := self.tree(part)) is not part}
        return replace(tree, **changed) if changed else tree

    def _folding(self, evaluate: Callable[..., Maybe]) -> Callable[..., Maybe]:
        fold = self._collation.fold
        return lambda *values: evaluate(*map(fold, values))


def _is(left: Any, right: Any) -> bool:
    return left is right


def _refused(name: str, at: str) -> LanguageRefused:
    why = f"{name} compares texts by code point, so it can't stand in a request with a collation"
    return LanguageRefused(why, at=at, mongo_code=COMMAND_NOT_SUPPORTED)
