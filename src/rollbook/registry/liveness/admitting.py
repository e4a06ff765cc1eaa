"""Whose heartbeats are heard: those of callers who have the verb for the cluster, and no others.

One rule: a heartbeat that is refused has no effect, so it is judged before it is heard.
"""

from rollbook.clusters.large_documents import decode_stored
from rollbook.clusters.liveness import STATUS
from rollbook.clusters.nodes import node_id, nodes_in
from rollbook.documents.codec import encode_to_keep
from rollbook.documents.editing import with_members
from rollbook.errors import ClusterNotFound, PermissionDenied
from rollbook.registry.liveness.heartbeats import Heartbeat
from rollbook.security.access import Access
from rollbook.view.entries import Entry

VERB = "heartbeat"


def admitted(access: Access, entry: Entry, heartbeat: Heartbeat) -> Entry:
    """The entry as the sender of a heartbeat sees it; the very same one when all is shown.

    Refuses a cluster that the sender does not see (ClusterNotFound), and what it may not do (PermissionDenied).
    """
    if access.is_unbounded(VERB):
        return entry
    document = decode_stored(entry.body)
    mask = access.mask_for(VERB, document)
    if mask is None:
        raise ClusterNotFound(f"no cluster has the id {entry.id!r}")
    if not access.covers(VERB, document):
        raise PermissionDenied(f"you may not use the verb {VERB!r} on the cluster {entry.id!r}")
    shown = mask.masked(document)
    if heartbeat.status is not None:
        changed = with_members(shown, {STATUS: heartbeat.status})
        if access.unwritable(VERB, document, shown, changed):
            raise PermissionDenied(f"you may not change {STATUS!r} with the verb {VERB!r}")
    return entry if shown is document else entry._replace(held=encode_to_keep(shown), packing=None)


def unlisted(entry: Entry, heartbeat: Heartbeat) -> tuple[str, ...]:
    """The nodes that a heartbeat names and that the cluster, as its sender sees it, does not have."""
    listed = set(map(node_id, nodes_in(decode_stored(entry.body))))
    return tuple(dict.fromkeys(id for id in heartbeat.nodes if id not in listed))
