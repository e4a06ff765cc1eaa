"""The command on the nodes of a cluster: it decides on the newest list, so nodes that join at once are all there."""

from msgspec import Struct

from rollbook.clusters.acceptance import SchemaRules, accept_update
from rollbook.clusters.large_documents import decode_stored
from rollbook.clusters.membership import find_node
from rollbook.clusters.nodes import NODE_LIST
from rollbook.errors import ClusterNotFound
from rollbook.limits import DEFAULT_LIMITS, Limits, RequestBudget
from rollbook.registry.writing.commands import ANY_REVISION, Current, Decision, Precondition, updated
from rollbook.registry.writing.node_edits import NodeEdit

TOUCHED = frozenset({NODE_LIST})


class EditNodes(Struct, frozen=True):
    """Edit the list of nodes of a cluster.

    ``node`` is the id of the one that has to be there; None when the edit is about the list.
    """

    id: str
    edit: NodeEdit
    rules: SchemaRules
    node: str | None = None
    precondition: Precondition = ANY_REVISION
    limits: Limits = DEFAULT_LIMITS

    def decide(self, current: Current | None, budget: RequestBudget) -> Decision:
        if current is None:
            raise ClusterNotFound(f"no cluster has the id {self.id!r}")
        before = decode_stored(current.body)
        if self.node is None or find_node(before, self.node) is not None:  # else the edit says so: 404 before 412
            self.precondition.check(current.revision)
        after, outcome = self.edit(before, budget)
        accepted = accept_update(before, after, touched=TOUCHED, rules=self.rules)
        return updated(current, before, accepted, limits=self.limits, outcome=outcome)
