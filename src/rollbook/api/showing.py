"""Showing: what callers see by rules that are logged, which the audit log has to know.

One rule: what a logged rule alone shows is in the audit log before it is answered.
"""

from collections.abc import Mapping

from rollbook.api.declarations import Operation
from rollbook.clusters.large_documents import decode_stored
from rollbook.security.access import READING, Access
from rollbook.security.roles import CLUSTER_VERBS
from rollbook.view.views import View

EVENT = "shown"


def is_shown(operation: Operation, access: Access, names: Mapping[str, str], view: View) -> bool:
    """Whether an answer may show what a logged rule alone shows: of one cluster, if it has any; of many, always."""
    if operation.verb not in CLUSTER_VERBS and operation.verb != "explain":
        return False
    verb = operation.verb if operation.verb in READING else "read"
    if verb not in access.logged:
        return False
    entry = view.entry(names["id"]) if "id" in names and verb == "read" else None
    if entry is None:
        return True
    document = decode_stored(entry.body)
    return access.sight(verb).shown(document) != access.unlogged.sight(verb).shown(document)
