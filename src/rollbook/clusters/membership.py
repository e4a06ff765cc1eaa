"""Nodes joining and leaving a cluster: the list of nodes edited, and what the cluster says of them derived again.

One rule: these functions take a document and return one; the argument is never changed. A caller of an operation
on nodes leaves the totals to the registry, so they are derived here whatever they were, where the list is complete.
"""

from collections.abc import Iterable, Sequence

from rollbook.clusters.filling import with_value
from rollbook.clusters.modes import STORED
from rollbook.clusters.node_lists import follow, is_unique, place_of
from rollbook.clusters.nodes import NODE_LIST, gpu_models, node_id, nodes_in
from rollbook.clusters.normalizing import normalized
from rollbook.clusters.totals import MODEL_NAMES, NODE_COUNT, TOTALS, derived_total
from rollbook.documents.editing import value_at
from rollbook.documents.values import Document, Value

SEARCHES_MAX = 4
"""More nodes than these are found in one walk through the list."""

KEPT_MEMBERS = ("tags", "nodeMetadata")
"""What people write about a node and its own reports do not know: a report without them leaves them alone."""


def find_node(document: Document, id: str) -> Document | None:
    """The first node with this id; None when there is none."""
    nodes = nodes_in(document)
    place = place_of(nodes, id)
    node = None if place is None else nodes[place]
    return node if isinstance(node, dict) else None


def with_nodes(document: Document, nodes: Sequence[Document]) -> Document:
    """The cluster with ``nodes`` in its list: each in the place of the node with its id, else at the end."""
    listed = list(nodes_in(document))
    places = _places_in(nodes_in(document), nodes)
    for node in nodes:
        place = places.setdefault(node_id(node), len(listed))
        listed[place : place + 1] = [node]
    return _with_nodes(document, listed)


def without_node(document: Document, id: str) -> Document:
    """The cluster without the nodes of this id."""
    nodes = nodes_in(document)
    listed = [*nodes]
    if (place := place_of(nodes, id)) is not None:
        del listed[place]
        if not is_unique(nodes):
            listed = [node for node in listed if node_id(node) != id]
    return _with_nodes(document, listed)


def with_synchronised_nodes(document: Document, reported: Iterable[Document]) -> Document:
    """The cluster with the reported nodes and no others; each keeps the KEPT_MEMBERS that its report leaves out."""
    return _with_nodes(document, [*with_kept_members(document, reported)])


def with_kept_members(document: Document, nodes: Iterable[Document]) -> list[Document]:
    """The nodes, each with the KEPT_MEMBERS of the cluster's node of its id, where it has none itself."""
    listed, reported = nodes_in(document), list(nodes)
    places = _places_in(listed, reported)
    known = {id: listed[place] for id, place in places.items()}
    return [{**node, **_kept(known.get(node_id(node), {}), node)} for node in reported]


def _places_in(listed: list[Value], nodes: Sequence[Document]) -> dict[str | None, int]:
    """Where the first node stands of each id of ``nodes`` that a listed one has."""
    ids = set(map(node_id, nodes))
    if len(ids) > SEARCHES_MAX:
        return {id: place for place, node in reversed(list(enumerate(listed))) if (id := node_id(node)) in ids}
    places = {id: place_of(listed, id) for id in ids if id is not None}
    return {id: place for id, place in places.items() if place is not None}


def _kept(known: Value, node: Document) -> Document:
    if not isinstance(known, dict):
        return {}
    return {name: known[name] for name in KEPT_MEMBERS if name in known and name not in node}


def _with_nodes(document: Document, nodes: list[Value]) -> Document:
    listed = with_value(with_value(document, NODE_LIST, nodes), NODE_COUNT, len(nodes))
    changed = normalized(listed, STORED["default"], before=document)
    follow(nodes_in(document), nodes_in(changed))
    for total in TOTALS:
        derived = derived_total(changed, total)
        if derived is not None:
            changed = with_value(changed, total, derived)
    if isinstance(value_at(changed, MODEL_NAMES), list):
        models: list[Value] = [*gpu_models(nodes_in(changed))]
        changed = with_value(changed, MODEL_NAMES, models)
    return changed
