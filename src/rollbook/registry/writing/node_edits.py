"""Edits of a cluster's list of nodes: what joining, replacing, changing, leaving and synchronising make of a cluster.

One rule: an edit is made from the newest document, and has no effect but its result and what it spends of its budget. A
node is judged here only as far as its id; the rest is judged as part of the cluster.
"""

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from rollbook.clusters.large_documents import decode_stored
from rollbook.clusters.membership import (
    find_node,
    with_kept_members,
    with_nodes,
    with_synchronised_nodes,
    without_node,
)
from rollbook.clusters.nodes import node_id
from rollbook.documents.values import Document, Value
from rollbook.errors import DocumentInvalid, NodeExists, NodeNotFound, Problem, below
from rollbook.limits import RequestBudget

OnConflict: TypeAlias = Literal["replace", "refuse"]

NodeEdit: TypeAlias = Callable[[Document, RequestBudget], tuple[Document, str]]
"""The cluster after the edit, and what was done: ``joined``, ``replaced``, or an empty string."""

NodeChange: TypeAlias = Callable[[Document, RequestBudget], Document]
"""A node after it was changed."""


def joining(nodes: Sequence[Value], *, on_conflict: OnConflict = "replace", at: Callable[[int], str]) -> NodeEdit:
    """Nodes join; those with the id of one that is there take its place, or the join is refused (NodeExists).

    ``at`` tells where in the request each node stands.
    """
    joined = [checked_node(node, at=at(place)) for place, node in enumerate(nodes)]

    def edit(cluster: Document, budget: RequestBudget) -> tuple[Document, str]:
        known = [find_node(cluster, str(node["id"])) is not None for node in joined]
        if on_conflict == "refuse" and True in known:
            place = known.index(True)
            problem = f"the cluster has a node with the id {joined[place]['id']!r} already"
            raise NodeExists(problem, at=below(at(place), "id"))
        return with_nodes(cluster, with_kept_members(cluster, joined)), "replaced" if all(known) else "joined"

    return edit


def replacing(id: str, node: Value) -> NodeEdit:
    """The node ``id`` becomes ``node``."""
    replacement = checked_node(node, id=id)
    return patching(id, lambda node, budget: replacement)


def patching(id: str, change: NodeChange) -> NodeEdit:
    """The node ``id`` is changed; its id stays."""

    def edit(cluster: Document, budget: RequestBudget) -> tuple[Document, str]:
        return with_nodes(cluster, [checked_node(change(_known(cluster, id), budget), id=id)]), ""

    return edit


def leaving(id: str) -> NodeEdit:
    """The node ``id`` leaves."""

    def edit(cluster: Document, budget: RequestBudget) -> tuple[Document, str]:
        _known(cluster, id)
        return without_node(cluster, id), ""

    return edit


def synchronising(nodes: Value) -> NodeEdit:
    """The cluster has these nodes, and no others."""
    if not isinstance(nodes, list):
        raise _invalid("the nodes of a cluster are an array", "")
    reported = [checked_node(node, at=below("", index)) for index, node in enumerate(nodes)]
    return lambda cluster, budget: (with_synchronised_nodes(cluster, reported), "")


def merged(document: Document, patch: Document) -> Document:
    """The document after a JSON Merge Patch (RFC 7396): null removes a member, objects merge, all else replaces."""
    result = dict(document)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            standing = result.get(name)
            result[name] = merged(standing if isinstance(standing, dict) else {}, value)
        else:
            result[name] = value
    return result


def node_in(body: bytes, id: str) -> Document:
    """The node ``id`` of a stored cluster. Refuses (NodeNotFound) when there is none."""
    return _known(decode_stored(body), id)


def checked_node(node: Value, *, id: str | None = None, at: str = "") -> Document:
    """The node, with an id: ``id`` where it names none. Refuses (DocumentInvalid) another one, and what is no node."""
    if not isinstance(node, dict):
        raise _invalid("a node is an object", at)
    if "id" not in node and id is not None:
        return {"id": id, **node}
    given = node_id(node)
    if not given:
        raise _invalid("a node needs an id, a text", below(at, "id"))
    if id is not None and given != id:
        raise _invalid(f"the id is {given!r}, but the address says {id!r}", below(at, "id"))
    return node


def _known(cluster: Document, id: str) -> Document:
    node = find_node(cluster, id)
    if node is None:
        raise NodeNotFound(f"cluster {cluster['id']!r} has no node with the id {id!r}")
    return node


def _invalid(problem: str, at: str) -> DocumentInvalid:
    return DocumentInvalid(problem, at=at, problems=[Problem(at, problem)])
