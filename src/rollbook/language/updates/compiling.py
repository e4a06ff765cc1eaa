"""An update to a function from document to document. One rule: the document it is given stays as it is."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TypeAlias, assert_never

from msgspec import Struct

from rollbook.documents.editing import identical
from rollbook.documents.ordering import equal
from rollbook.documents.paths import Path
from rollbook.documents.values import MISSING, Document
from rollbook.errors import IdImmutable, below
from rollbook.language.filters import Filter, compile_filter
from rollbook.language.updates.nodes import Change, Modification, Rename, Replacement, Update
from rollbook.language.updates.operators import Clock, Occasion
from rollbook.language.updates.parsing import RENAME, paths_of
from rollbook.language.updates.positional import located, matched_position
from rollbook.language.updates.renaming import moved_value
from rollbook.language.updates.table import OPERATORS
from rollbook.language.updates.targets import MATCHED, varies
from rollbook.language.updates.trees import Fields, Leaf, leaves_of, tree_of
from rollbook.language.updates.walking import Walk
from rollbook.limits import RequestBudget

ON_INSERT = "$setOnInsert"

Apply: TypeAlias = Callable[[Document], Document]


def utc_now() -> datetime:
    """The current time."""
    return datetime.now(UTC)


def compile_update(
    update: Update,
    *,
    filter: Filter | None = None,
    work: RequestBudget | None = None,
    clock: Clock = utc_now,
    inserts: bool = False,
) -> Apply:
    """The function that applies the update: it gives the very same object when nothing changes, else a new document
    that shares all that did not.

    ``inserts``: the document is a new one, and ``$setOnInsert`` sets its fields.
    ``filter`` gives positional ``$`` its position, and a document that it does not match is left alone. The clock is
    read once, and not for each document. What the update can't do to one is refused when it is applied (UpdateRefused).
    """
    match update:
        case Replacement():
            apply = _replacing(update)
        case Modification():
            apply = _Plan(update, filter, Occasion(clock, work), inserts).function()
        case _:
            assert_never(update)
    if filter is None:
        return apply
    matches = compile_filter(filter, work=work)
    return lambda document: apply(document) if matches(document) else document


def touched_paths(update: Update) -> frozenset[Path] | None:
    """The paths that an update may change, each up to the first position that varies; None means any path."""
    if isinstance(update, Replacement):
        return None
    return frozenset(_fixed_part(path) for path in paths_of(update.changes))


def _fixed_part(path: Path) -> Path:
    if not varies(path):
        return path
    return path[: next(position for position in range(len(path)) if varies(path[position : position + 1]))]


def _replacing(update: Replacement) -> Apply:
    def apply(document: Document) -> Document:
        kept = document.get(update.identity, MISSING)
        given = update.document.get(update.identity, kept)
        if kept is not MISSING and not equal(kept, given):
            raise _identity_changed(update.identity, below(update.at, update.identity))
        rest = {name: value for name, value in update.document.items() if name != update.identity}
        replaced = rest if given is MISSING else {update.identity: given, **rest}
        return document if identical(replaced, document) else replaced

    return apply


def _identity_changed(identity: str, at: str) -> IdImmutable:
    return IdImmutable(f"{identity!r} is the identity of the document and can't change", at=at, mongo_code=66)


class _Plan(Struct, frozen=True):
    """A modification being compiled. Its tree is made once, or for each document where ``$`` or ``$rename`` asks it."""

    update: Modification
    filter: Filter | None
    occasion: Occasion
    inserts: bool

    def function(self) -> Apply:
        update, limits, work = self.update, self.update.limits, self.occasion.work
        selects = {name: compile_filter(filter, work=work) for name, filter in update.array_filters.items()}
        tree_for = self._tree_maker()

        def apply(document: Document) -> Document:
            tree = tree_for(document)
            walk = Walk(selects, work, limits.backfill_elements_max, limits.value_bytes_max)
            edited = walk.edited(tree, document)
            if edited is document:
                return document
            assert isinstance(edited, dict)
            self._check_identity(tree, document, edited)
            return edited

        return apply

    def _tree_maker(self) -> Callable[[Document], Fields]:
        leaves = [self._leaf(change) for change in self.update.changes if isinstance(change, Change)]
        renames = [change for change in self.update.changes if isinstance(change, Rename)]
        if not renames and not any(MATCHED in leaf.path for leaf in leaves):
            tree = tree_of((leaf.path, leaf) for leaf in leaves)
            return lambda _: tree
        return lambda document: tree_of(
            [*self._located(leaves, document), *self._moves(renames, document)],
        )

    def _leaf(self, change: Change) -> Leaf:
        sets = self.inserts and change.operator == ON_INSERT
        operator = OPERATORS["$set" if sets else change.operator]
        operand = operator.prepare(change.operand, self.occasion) if operator.prepare else change.operand
        return Leaf(operator.edit(operand), change.path, change.operator, change.at, change.weight, operator.yields)

    def _located(self, leaves: list[Leaf], document: Document) -> Iterator[tuple[Path, Leaf]]:
        position = None
        for leaf in leaves:
            if MATCHED not in leaf.path:
                yield leaf.path, leaf
                continue
            position = position or matched_position(self.filter, document, at=leaf.at, work=self.occasion.work)
            yield located(leaf.path, position), leaf

    def _moves(self, renames: list[Rename], document: Document) -> Iterator[tuple[Path, Leaf]]:
        for rename in renames:
            value = moved_value(document, rename, self.update.limits)
            if value is not MISSING:
                yield rename.target, Leaf(OPERATORS["$set"].edit(value), rename.target, RENAME, rename.at)
                yield rename.source, Leaf(OPERATORS["$unset"].edit(value), rename.source, RENAME, rename.at, 0, True)

    def _check_identity(self, tree: Fields, document: Document, edited: Document) -> None:
        identity = self.update.identity
        if identity not in tree.children:
            return
        if not equal(document.get(identity, MISSING), edited.get(identity, MISSING)):
            raise _identity_changed(identity, next(leaves_of(tree.children[identity])).at)
