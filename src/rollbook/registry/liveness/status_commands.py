"""Commands on the status of a cluster alone: a beat's own, the registry's mark for a silent one, and taking it back."""

from collections.abc import Callable
from typing import ClassVar

from msgspec import Struct

from rollbook.clusters.acceptance import SchemaRules, accept_update
from rollbook.clusters.large_documents import decode_stored
from rollbook.clusters.liveness import REGISTERED, STATUS, StatusOverride, status_in, status_of
from rollbook.documents.editing import identical, with_members
from rollbook.documents.values import Document, Maybe
from rollbook.errors import ClusterNotFound
from rollbook.limits import Limits, RequestBudget
from rollbook.registry.writing.commands import Current, Decision, updated

TOUCHED = frozenset({(STATUS,)})
NOT_DUE = "not due"


class SetStatus(Struct, frozen=True):
    """Write the status that the cluster says it has; nothing when it has it already."""

    id: str
    status: str
    rules: SchemaRules
    limits: Limits
    verb: ClassVar[str] = "heartbeat"

    def decide(self, current: Current | None, budget: RequestBudget) -> Decision:
        if current is None:
            raise ClusterNotFound(f"no cluster has the id {self.id!r}")
        return _with_status(current, self.status, self.rules, self.limits)

    def proposed(self, before: Document, budget: RequestBudget) -> Document:
        return with_members(before, {STATUS: self.status})


class GoLive(Struct, frozen=True):
    """Write ``status`` for a cluster that is ``registered`` and sends heartbeats; any other status stays."""

    id: str
    status: str
    rules: SchemaRules
    limits: Limits
    verb: ClassVar[str] = "heartbeat"

    def decide(self, current: Current | None, budget: RequestBudget) -> Decision:
        if current is None or status_in(current.body) != REGISTERED:
            return Decision(None, None if current is None else current.body)
        return _with_status(current, self.status, self.rules, self.limits)

    def proposed(self, before: Document, budget: RequestBudget) -> Document:
        return with_members(before, {STATUS: self.status})


class MarkUnreachable(Struct, frozen=True):
    """Write ``status`` for a cluster that is silent, if ``is_due`` says so still when it comes to it."""

    id: str
    status: str
    is_due: Callable[[], bool]
    rules: SchemaRules
    limits: Limits
    verb: ClassVar[str] = "heartbeat"

    def decide(self, current: Current | None, budget: RequestBudget) -> Decision:
        if current is None or not self.is_due():
            return Decision(None, None if current is None else current.body, outcome=NOT_DUE)
        return _with_status(current, self.status, self.rules, self.limits)

    def proposed(self, before: Document, budget: RequestBudget) -> Document:
        return with_members(before, {STATUS: self.status})


class RestoreStatus(Struct, frozen=True):
    """Take a mark back, if the document is the one that was seen (``revision``) and still has the mark's status."""

    id: str
    mark: StatusOverride
    revision: int
    rules: SchemaRules
    limits: Limits
    verb: ClassVar[str] = "heartbeat"

    def decide(self, current: Current | None, budget: RequestBudget) -> Decision:
        if current is None or current.revision != self.revision or status_in(current.body) != self.mark.written:
            return Decision(None, None if current is None else current.body)
        return _with_status(current, self.mark.former, self.rules, self.limits)

    def proposed(self, before: Document, budget: RequestBudget) -> Document:
        return with_members(before, {STATUS: self.mark.former})


def _with_status(current: Current, status: Maybe, rules: SchemaRules, limits: Limits) -> Decision:
    before: Document = decode_stored(current.body)
    if identical(status_of(before), status):
        return Decision(None, current.body)
    accepted = accept_update(before, with_members(before, {STATUS: status}), touched=TOUCHED, rules=rules)
    return updated(current, before, accepted, limits=limits)
