"""Showing: what callers see by rules that are logged, which the audit log has to know.

One rule: what a logged rule alone shows is in the audit log before it is answered. A read of one cluster as it is may
be found to show nothing of the kind; every other answer counts as if it did.
"""

from collections.abc import Iterable

from rollbook.api.declarations import Operation
from rollbook.clusters.large_documents import decode_stored
from rollbook.security.access import Access
from rollbook.security.roles import CLUSTER_VERBS
from rollbook.view.entries import Entry

EVENT = "shown"
OF_THE_PAST = frozenset({"at", "revision"})
"""Parameters that ask for what was."""

SHOWING = (CLUSTER_VERBS | {"explain"}) - {"heartbeat"}
"""The verbs of operations whose answers show documents, or tell of them."""


def is_shown(
    operation: Operation, access: Access, parameters: Iterable[str], before: Entry | None, after: Entry | None
) -> bool:
    """Whether an answer may show what a logged rule alone shows.

    ``before`` and ``after`` are the cluster that the request names, as it was before it was handled and after that.
    """
    verb = operation.verb
    if verb not in SHOWING or access.logged.isdisjoint(_shown_by(verb)):
        return False
    if verb != "read" or before is None or before is not after or not OF_THE_PAST.isdisjoint(parameters):
        return True
    document = decode_stored(before.body)
    return access.sight(verb).shown(document) != access.unlogged.sight(verb).shown(document)


def _shown_by(verb: str) -> tuple[str, ...]:
    """The verbs whose rules decide what the answer shows: a query may ask to be explained, a write answers a read."""
    return ("read", "explain") if verb == "read" else (verb, "read")
