"""The command on the nodes of a cluster: it decides on the newest list, so nodes that join at once are all there."""

from typing import ClassVar

from msgspec import Struct

from rollbook.clusters.acceptance import SchemaRules, accept_update
from rollbook.clusters.large_documents import decode_stored
from rollbook.clusters.membership import find_node
from rollbook.clusters.nodes import NODE_LIST, node_id, nodes_in
from rollbook.documents.values import Document
from rollbook.errors import ClusterNotFound, DocumentInvalid, Problem, below
from rollbook.limits import DEFAULT_LIMITS, Limits, RequestBudget
from rollbook.registry.writing.commands import Current, Decision, updated
from rollbook.registry.writing.node_edits import NodeEdit
from rollbook.registry.writing.preconditions import ANY_REVISION, Precondition

TOUCHED = frozenset({NODE_LIST})
IN_LIST = below(below("", NODE_LIST[0]), NODE_LIST[1]) + "/"


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
    verb: ClassVar[str] = "nodes"

    def decide(self, current: Current | None, budget: RequestBudget) -> Decision:
        if current is None:
            raise ClusterNotFound(f"no cluster has the id {self.id!r}")
        before = decode_stored(current.body)
        if self.node is None or find_node(before, self.node) is not None:  # else the edit says so: 404 before 412
            self.precondition.check(current.revision)
        after, outcome = self.edit.apply(before, budget)
        if self.rules.of_a_part:  # totals that are not seen follow when what is hidden is back
            after = {name: member for name, member in after.items() if name in before or name == NODE_LIST[0]}
        try:
            accepted = accept_update(before, after, touched=TOUCHED, rules=self.rules)
            return updated(current, before, accepted, limits=self.limits, outcome=outcome)
        except DocumentInvalid as refusal:
            raise self._located(refusal, after) from None

    def proposed(self, before: Document, budget: RequestBudget) -> Document:
        return self.edit.apply(before, budget)[0]

    def _located(self, refusal: DocumentInvalid, after: Document) -> DocumentInvalid:
        """The refusal with the places of the request in place of those of the cluster ``after`` the edit."""
        problems = [self._located_problem(each, after) for each in refusal.problems]
        if not problems:
            return refusal
        others = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return DocumentInvalid(f"{problems[0].problem}{others}", at=problems[0].at, problems=problems)

    def _located_problem(self, problem: Problem, after: Document) -> Problem:
        if not problem.at.startswith(IN_LIST):
            return Problem("", problem.problem)
        index, slash, inside = problem.at.removeprefix(IN_LIST).partition("/")
        id = node_id(nodes_in(after)[int(index)])
        sentence = problem.problem.removeprefix(f"{'.'.join(NODE_LIST)}.{index}.")
        return Problem(self.edit.locate(int(index), id, slash + inside), sentence)
