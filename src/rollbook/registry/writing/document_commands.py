"""The command that rewrites a whole document: by a merge patch, by a JSON Patch, or by the document as it shall be."""

from collections.abc import Callable
from typing import ClassVar, TypeAlias

from msgspec import Struct

from rollbook.clusters.acceptance import SchemaRules, accept_update
from rollbook.clusters.filling import with_kept
from rollbook.clusters.large_documents import decode_stored
from rollbook.documents.json_patches import parse_json_patch, patched
from rollbook.documents.merging import merged_members, paths_in_merge
from rollbook.documents.paths import Path
from rollbook.documents.values import Document, Value
from rollbook.errors import ClusterNotFound, DocumentInvalid, Problem, UpdateRefused, below
from rollbook.limits import DEFAULT_LIMITS, Limits, RequestBudget
from rollbook.registry.writing.commands import Current, Decision, updated
from rollbook.registry.writing.preconditions import ANY_REVISION, Precondition

DocumentChange: TypeAlias = Callable[[Document, RequestBudget], Document]
"""A document after it was changed; the argument stays as it is."""


class Rewrite(Struct, frozen=True):
    """Change a cluster's document. ``touched`` are the paths that the change names; None when only the result shows."""

    id: str
    change: DocumentChange
    touched: frozenset[Path] | None
    rules: SchemaRules
    precondition: Precondition = ANY_REVISION
    limits: Limits = DEFAULT_LIMITS
    verb: ClassVar[str] = "update"

    def decide(self, current: Current | None, budget: RequestBudget) -> Decision:
        if current is None:
            raise ClusterNotFound(f"no cluster has the id {self.id!r}")
        self.precondition.check(current.revision)
        before = decode_stored(current.body)
        accepted = accept_update(before, self.proposed(before, budget), touched=self.touched, rules=self.rules)
        return updated(current, before, accepted, limits=self.limits)

    def proposed(self, before: Document, budget: RequestBudget) -> Document:
        return self.change(before, budget)


def merging(patch: Value) -> tuple[DocumentChange, frozenset[Path] | None]:
    """The change that a merge patch means, and the paths that it names. Refuses (UpdateRefused) what is no object."""
    if not isinstance(patch, dict):
        raise UpdateRefused("a merge patch of a cluster is an object", mongo_code=9)
    operator = next((name for name in patch if name.startswith("$")), None)
    if operator is not None:
        problem = "a merge patch has no operators: send an update by PUT, to the same address"
        raise UpdateRefused(problem, at=below("", operator), mongo_code=9)
    return lambda document, budget: merged_members(document, patch), paths_in_merge(patch)


def json_patching(patch: Value, *, limits: Limits) -> tuple[DocumentChange, frozenset[Path] | None]:
    """The change that a JSON Patch means, and the paths that it names. Refuses (UpdateRefused) what RFC 6902 does."""
    operations = parse_json_patch(patch, limits=limits)

    def change(document: Document, budget: RequestBudget) -> Document:
        after = patched(document, operations, work=budget, limits=limits)
        if not isinstance(after, dict):
            raise UpdateRefused("after the patch the document would be no object", mongo_code=9)
        return after

    return change, frozenset(operation.path for operation in operations if operation.name != "test")


def replacing_document(id: str, document: Value) -> tuple[DocumentChange, frozenset[Path] | None]:
    """The change that a whole document means: fields that the registry fills stay, unless they are given.

    Refuses (DocumentInvalid) what is no object.
    """
    if not isinstance(document, dict):
        raise DocumentInvalid("a cluster is an object", problems=[Problem("", "a cluster is an object")])
    given = document if "id" in document else {"id": id, **document}
    return lambda before, budget: with_kept(given, before), None
