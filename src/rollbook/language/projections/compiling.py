"""The tree of a projection to a function from document to document: what each node means.

Theory of operation: three passes. The *shape* keeps or drops fields, through objects and arrays alike: a scalar where
an inclusion goes deeper vanishes, and the array around it stays. The *fill* adds what is computed (``filling``). The
*slices* cut what the shape has kept. Positional ``$`` comes before all of them, for it looks at the whole document.
Nothing is mutated; what is kept whole is shared with the document.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from rollbook.documents.paths import Path
from rollbook.documents.values import MISSING, Document, Maybe, Value
from rollbook.language.expressions import scope_of
from rollbook.language.filters import Filter
from rollbook.language.projections.arrays import Reshape, choosing, slicing
from rollbook.language.projections.filling import compile_fill, computes
from rollbook.language.projections.nodes import (
    Branch,
    Computed,
    Excluded,
    FirstMatch,
    Mode,
    Node,
    Positional,
    Projection,
    Sliced,
)
from rollbook.limits import RequestBudget


def compile_projection(
    projection: Projection,
    *,
    filter: Filter | None = None,
    work: RequestBudget | None = None,
    now: datetime | None = None,
) -> Callable[[Document], Document]:
    """The function that gives what ``projection`` shows of a document.

    ``filter`` is the query's, which gives positional ``$`` its element; ``now`` is the time that ``$$NOW`` gives.
    """
    if projection.mode is None:
        return lambda document: document
    leaves = list(_leaves(projection.fields, ()))
    work = work or RequestBudget()
    chosen = [choosing(path, filter, at=leaf.at, work=work) for path, leaf in leaves if isinstance(leaf, Positional)]
    shape = _included(projection.fields) if projection.mode is Mode.INCLUSION else _excluded(projection.fields)
    fill = compile_fill(projection.fields, work, now)
    cuts = [slicing(path, leaf) for path, leaf in leaves if isinstance(leaf, Sliced)]
    if fill is None and not chosen and not cuts:
        return shape

    def project(document: Document) -> Document:
        shown = shape(chosen[0](document) if chosen else document)
        if fill is not None:
            fill(shown, scope_of(document))
        for cut in cuts:
            shown = cut(shown)
        return shown

    return project


def _leaves(branch: Branch, parents: Path) -> Iterator[tuple[Path, Node]]:
    for name, node in branch.members:
        if isinstance(node, Branch):
            yield from _leaves(node, (*parents, name))
        else:
            yield (*parents, name), node


def _included(branch: Branch) -> Reshape:
    """A new object of the fields that ``branch`` keeps, in the document's order."""
    whole = {name for name, node in branch.members if not isinstance(node, (Branch, Computed, FirstMatch))}
    parts = {name: _included_below(node) for name, node in branch.members if isinstance(node, Branch)}
    if not parts:
        return lambda document: {name: value for name, value in document.items() if name in whole}

    def include(document: Document) -> Document:
        shown: Document = {}
        for name, value in document.items():
            if name in whole:
                shown[name] = value
            elif name in parts:
                part = parts[name](value)
                if part is not MISSING:
                    shown[name] = part
        return shown

    return include


def _included_below(branch: Branch) -> Callable[[Value], Maybe]:
    include = _included(branch)
    is_filled = computes(branch)

    def include_below(value: Value) -> Maybe:
        if isinstance(value, dict):
            return include(value)
        if isinstance(value, list):
            return [part for element in value if (part := include_below(element)) is not MISSING]
        return value if is_filled else MISSING

    return include_below


def _excluded(branch: Branch) -> Reshape:
    """A new object without the fields that ``branch`` drops."""
    dropped = {name for name, node in branch.members if isinstance(node, Excluded)}
    parts = {name: _excluded_below(node) for name, node in branch.members if isinstance(node, Branch)}

    def exclude(document: Document) -> Document:
        shown = {name: value for name, value in document.items() if name not in dropped}
        for name, without in parts.items():
            if name in shown:
                shown[name] = without(shown[name])
        return shown

    return exclude


def _excluded_below(branch: Branch) -> Callable[[Value], Value]:
    exclude = _excluded(branch)

    def exclude_below(value: Value) -> Value:
        if isinstance(value, dict):
            return exclude(value)
        if isinstance(value, list):
            return [exclude_below(element) for element in value]
        return value

    return exclude_below
