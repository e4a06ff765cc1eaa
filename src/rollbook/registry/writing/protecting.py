"""Protecting a cluster against deletion, and ending that: the document stays, and its history records the caller."""

from typing import ClassVar

from msgspec import Struct

from rollbook.documents.values import MISSING, Document, Maybe
from rollbook.errors import ClusterNotFound, RequestRefused, below
from rollbook.limits import RequestBudget
from rollbook.registry.writing.commands import Current, Decision
from rollbook.registry.writing.preconditions import ANY_REVISION, Precondition


class Protect(Struct, frozen=True):
    """Make a cluster ``protected``, or not. What it is already changes nothing."""

    id: str
    protected: bool
    precondition: Precondition = ANY_REVISION
    verb: ClassVar[str] = "protect"

    def decide(self, current: Current | None, budget: RequestBudget) -> Decision:
        if current is None:
            raise ClusterNotFound(f"no cluster has the id {self.id!r}")
        self.precondition.check(current.revision)
        if current.protected == self.protected:
            return Decision(None, current.body)
        return Decision("protected" if self.protected else "unprotected", current.body)

    def proposed(self, before: Document, budget: RequestBudget) -> Document:
        return before


def parse_reason(body: Maybe) -> str | None:
    """Why, as the body ``{"reason": text}`` says it; None when it does not."""
    if body is MISSING:
        return None
    if not isinstance(body, dict):
        raise RequestRefused('the body can only be {"reason": text}, or empty')
    for name in body:
        if name != "reason":
            raise RequestRefused(f"{name!r} is not known here; the body can only hold 'reason'", at=below("", name))
    reason = body.get("reason")
    if reason is not None and not isinstance(reason, str):
        raise RequestRefused("'reason' must be a text", at="/reason")
    return reason or None
