"""Commands on the nodes of a cluster: each decides on the newest list, so nodes that join at once are all there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rollbook.clusters.acceptance import SchemaRules, accept_update
from rollbook.clusters.membership import (
    find_node,
    with_kept_members,
    with_node,
    with_synchronised_nodes,
    without_node,
)
from rollbook.clusters.nodes import NODE_LIST, node_id
from rollbook.documents.codec import decode_stored
from rollbook.documents.values import Document, Value
from rollbook.errors import ClusterNotFound, DocumentInvalid, NodeExists, NodeNotFound, Problem
from rollbook.limits import DEFAULT_LIMITS, Limits
from rollbook.registry.commands import ANY_REVISION, Decision, Precondition, Standing, encoded

OnConflict: TypeAlias = Literal["replace", "refuse"]

TOUCHED = frozenset({NODE_LIST})


NodeEdit: TypeAlias = Callable[[Document], tuple[Document, str]]
"""The cluster after the edit, and what was done: ``joined``, ``replaced``, or nothing to tell."""


@dataclass(frozen=True, slots=True)
class EditNodes:
    """Edit the list of nodes of a cluster."""

    id: str
    edit: NodeEdit
    rules: SchemaRules
    precondition: Precondition = ANY_REVISION
    limits: Limits = DEFAULT_LIMITS

    def decide(self, current: Standing | None) -> Decision:
        if current is None:
            raise ClusterNotFound(f"no cluster has the id {self.id!r}")
        self.precondition.check(current.revision)
        before = decode_stored(current.body)
        after, outcome = self.edit(before)
        accepted = accept_update(before, after, touched=TOUCHED, rules=self.rules)
        body = encoded(accepted.document, limits=self.limits)
        return Decision(None if body == current.body else "updated", body, accepted.warnings, outcome)


def joining(node: Value, *, on_conflict: OnConflict = "replace") -> NodeEdit:
    """A node joins; the node with its id is replaced, or the join refused (NodeExists)."""
    joined = _checked(node)

    def edit(cluster: Document) -> tuple[Document, str]:
        known = find_node(cluster, _id_of(joined))
        if known is not None and on_conflict == "refuse":
            raise NodeExists(f"the cluster has a node with the id {_id_of(joined)!r} already", at="/id")
        kept = with_kept_members(cluster, joined)
        assert isinstance(kept, dict)
        return with_node(cluster, kept), "joined" if known is None else "replaced"

    return edit


def replacing(id: str, node: Value) -> NodeEdit:
    """The node ``id`` becomes ``node``, or joins as it."""
    replacement = _checked(node, id=id)

    def edit(cluster: Document) -> tuple[Document, str]:
        known = find_node(cluster, id)
        return with_node(cluster, replacement), "joined" if known is None else "replaced"

    return edit


def patching(id: str, change: Callable[[Document], Document]) -> NodeEdit:
    """The node ``id`` is changed; its id stays."""

    def edit(cluster: Document) -> tuple[Document, str]:
        return with_node(cluster, _checked(change(_known(cluster, id)), id=id)), ""

    return edit


def leaving(id: str) -> NodeEdit:
    """The node ``id`` leaves."""

    def edit(cluster: Document) -> tuple[Document, str]:
        _known(cluster, id)
        return without_node(cluster, id), ""

    return edit


def synchronising(nodes: Value) -> NodeEdit:
    """The cluster has these nodes, and no others."""
    if not isinstance(nodes, list):
        raise DocumentInvalid(problems=[Problem("", "the nodes of a cluster are an array")])
    reported = [_checked(node, at=f"/{index}") for index, node in enumerate(nodes)]
    return lambda cluster: (with_synchronised_nodes(cluster, reported), "")


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


def _known(cluster: Document, id: str) -> Document:
    node = find_node(cluster, id)
    if node is None:
        raise NodeNotFound(f"cluster {cluster['id']!r} has no node with the id {id!r}")
    return node


def _checked(node: Value, *, id: str | None = None, at: str = "") -> Document:
    """The node, with an id: ``id`` where it names none. The rest is judged as part of the cluster."""
    if not isinstance(node, dict):
        raise DocumentInvalid("a node is an object", at=at, problems=[Problem(at, "a node is an object")])
    if "id" not in node and id is not None:
        return {"id": id, **node}
    given = node_id(node)
    if not given or (id is not None and given != id):
        problem = "a node needs an id, a text" if not given else f"the id is {given!r}, but the address says {id!r}"
        raise DocumentInvalid(problem, at=f"{at}/id", problems=[Problem(f"{at}/id", problem)])
    return node


def _id_of(node: Document) -> str:
    id = node_id(node)
    assert id is not None
    return id
