"""Edits of a cluster's list of nodes: what joining, replacing, changing, leaving and synchronising make of a cluster.

One rule: an edit is made from the newest document, and has no effect but its result and what it spends of its budget. A
node is judged here only as far as its id; the rest is judged as part of the cluster.
"""

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from rollbook.clusters.large_documents import decode_stored
from rollbook.clusters.membership import (
    find_node,
    with_kept_members,
    with_nodes,
    with_synchronised_nodes,
    without_node,
)
from rollbook.clusters.nodes import node_id
from rollbook.documents.json_patches import PatchOperation
from rollbook.documents.values import Document, Value
from rollbook.errors import DocumentInvalid, NodeExists, NodeNotFound, Problem, below
from rollbook.limits import RequestBudget

OnConflict: TypeAlias = Literal["replace", "refuse"]

Outcome: TypeAlias = Literal["joined", "replaced", ""]

NodeChange: TypeAlias = Callable[[Document, RequestBudget], Document]
"""A node after it was changed."""


class NodeEdit(Struct, frozen=True):
    """An edit of the list of nodes.

    ``apply`` gives the cluster after it, and what was done. ``locate`` gives the place in the request (a JSON Pointer)
    of a place inside a node of that cluster, by the node's index, its id, and the pointer inside it.
    """

    apply: Callable[[Document, RequestBudget], tuple[Document, Outcome]]
    locate: Callable[[int, str | None, str], str]


def joining(nodes: Sequence[Value], *, on_conflict: OnConflict = "replace", at: Callable[[int], str]) -> NodeEdit:
    """Nodes join; those with the id of one that is there take its place, or the join is refused (NodeExists).

    ``at`` is the place of each node in the request.
    """
    joined = [checked_node(node, at=at(place)) for place, node in enumerate(nodes)]
    places: dict[str | None, int] = {}
    for place, node in enumerate(joined):
        if places.setdefault(node_id(node), place) != place:
            raise _invalid(f"the id {node['id']!r} stands twice in the request", below(at(place), "id"))

    def edit(cluster: Document, budget: RequestBudget) -> tuple[Document, Outcome]:
        known = [find_node(cluster, str(node["id"])) is not None for node in joined]
        if on_conflict == "refuse" and True in known:
            place = known.index(True)
            problem = f"the cluster has a node with the id {joined[place]['id']!r} already"
            raise NodeExists(problem, at=below(at(place), "id"))
        return with_nodes(cluster, with_kept_members(cluster, joined)), "replaced" if all(known) else "joined"

    return NodeEdit(edit, lambda index, id, inside: at(places[id]) + inside if id in places else "")


def replacing(id: str, node: Value) -> NodeEdit:
    """The node ``id`` becomes ``node``."""
    replacement = checked_node(node, id=id)
    return patching(id, lambda node, budget: replacement)


def patching(id: str, change: NodeChange, *, locate: Callable[[str], str] = lambda inside: inside) -> NodeEdit:
    """The node ``id`` is changed; its id stays. ``locate`` gives the place in the request of a place in the node."""

    def edit(cluster: Document, budget: RequestBudget) -> tuple[Document, Outcome]:
        changed = change(_known(cluster, id), budget)
        return with_nodes(cluster, [checked_node(changed, id=id, at_id=locate("/id"))]), ""

    return NodeEdit(edit, lambda index, name, inside: locate(inside) if name == id else "")


def leaving(id: str) -> NodeEdit:
    """The node ``id`` leaves."""

    def edit(cluster: Document, budget: RequestBudget) -> tuple[Document, Outcome]:
        _known(cluster, id)
        return without_node(cluster, id), ""

    return NodeEdit(edit, lambda index, id, inside: "")


def synchronising(nodes: Value) -> NodeEdit:
    """The cluster has these nodes, and no others."""
    if not isinstance(nodes, list):
        raise _invalid("the nodes of a cluster are an array", "")
    reported = [checked_node(node, at=below("", index)) for index, node in enumerate(nodes)]

    def edit(cluster: Document, budget: RequestBudget) -> tuple[Document, Outcome]:
        return with_synchronised_nodes(cluster, reported), ""

    return NodeEdit(edit, lambda index, id, inside: below("", index) + inside)


def place_in_patch(patch: Value, inside: str) -> str:
    """Where in a patch of a node (JSON Pointers) the operator stands that made what is at ``inside`` the node.

    In a merge patch places are those of the node. The whole patch, where no operator names the place.
    """
    if not isinstance(patch, dict) or not any(name.startswith("$") for name in patch):
        return inside
    for operator, members in patch.items():
        for path in members if isinstance(members, dict) else ():
            named = "".join(below("", component) for component in path.split("."))
            if f"{inside}/".startswith(f"{named}/"):
                return below(below("", operator), path) + inside.removeprefix(named)
            if named.startswith(f"{inside}/"):
                return below(below("", operator), path)
    return ""


def place_in_json_patch(operations: Sequence[PatchOperation], inside: str) -> str:
    """Where in a JSON Patch of a node the last operation stands that made what is at ``inside`` the node.

    The whole patch, where no operation names the place.
    """
    for operation in reversed(operations):
        named = "".join(below("", key) for key in operation.path)
        if operation.name != "test" and f"{inside}/".startswith(f"{named}/"):
            is_given = operation.name in ("add", "replace")
            return below(operation.at, "value") + inside.removeprefix(named) if is_given else operation.at
        if operation.name != "test" and named.startswith(f"{inside}/"):
            return operation.at
    return ""


def node_in(body: bytes, id: str) -> Document:
    """The node ``id`` of a stored cluster. Refuses (NodeNotFound) when there is none."""
    return _known(decode_stored(body), id)


def checked_node(node: Value, *, id: str | None = None, at: str = "", at_id: str | None = None) -> Document:
    """The node, with an id: ``id`` where it names none. Refuses (DocumentInvalid) another one, and what is no node."""
    at_id = below(at, "id") if at_id is None else at_id
    if not isinstance(node, dict):
        raise _invalid("a node is an object", at)
    if "id" not in node and id is not None:
        return {"id": id, **node}
    given = node_id(node)
    if not given:
        raise _invalid("a node needs an id, a text", at_id)
    if id is not None and given != id:
        raise _invalid(f"the id is {given!r}, but the address says {id!r}", at_id)
    return node


def _known(cluster: Document, id: str) -> Document:
    node = find_node(cluster, id)
    if node is None:
        raise NodeNotFound(f"cluster {cluster['id']!r} has no node with the id {id!r}")
    return node


def _invalid(problem: str, at: str) -> DocumentInvalid:
    return DocumentInvalid(problem, at=at, problems=[Problem(at, problem)])
