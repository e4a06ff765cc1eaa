"""What is wrong with a document, and which of its fields no schema knows: every place, not only the first.

One rule: a part that is the very object that stood at the same place before (``before``) is not looked at again; so
one changed leaf among 5,000 nodes costs the look at one node. With ``before``, only faults in changed parts come out;
``ratcheting`` drops those that the stored document had already. Nothing is refused here (see ``acceptance``).
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from rollbook.clusters.differences import new_elements
from rollbook.clusters.findings import Finding, Place
from rollbook.clusters.ids import is_node_id
from rollbook.clusters.modes import Demands
from rollbook.clusters.node_lists import LONG, is_unique
from rollbook.clusters.nodes import NODE_LIST, node_id, nodes_in
from rollbook.clusters.schema import (
    CLUSTER,
    LARGEST,
    TEXT,
    Fields,
    Flag,
    Free,
    Kind,
    ListOf,
    Member,
    NodeId,
    Number,
    Text,
)
from rollbook.documents.values import MISSING, Document, Maybe, Value, is_number


def findings_in(document: Document, demands: Demands, *, before: Maybe = MISSING) -> Iterator[Finding]:
    """Everything that breaks the schema, in documented order."""
    return _members(CLUSTER, document, demands, before, ())


def unknown_fields_in(document: Document, *, before: Maybe = MISSING) -> Iterator[Finding]:
    """Every member that no schema documents, outside free-form fields."""
    return _unknown(CLUSTER, document, before, ())


def repeated_ids_in(after: Document, before: Document) -> list[Finding]:
    """The nodes of ``after`` that stand beside another of their id and did not in ``before``, in order.

    The totals of a cluster count every node of its list, those that repeat an id too.
    """
    old, new = nodes_in(before), nodes_in(after)
    if new is old or (len(new) >= LONG and is_unique(new)):
        return []
    come, gone = new_elements(new, old), new_elements(old, new)
    left = Counter(node_id(node) for _, node in gone)
    added = Counter(node_id(node) for _, node in come) - left
    del added[None]
    if not added:
        return []
    excess = Counter(id for node in new if (id := node_id(node)) in added)
    stood = Counter(id for node in old if (id := node_id(node)) in added)
    found = []
    for index, node in reversed(come):
        id = node_id(node)
        if id is not None and excess[id] > max(1, stood[id]):
            excess[id] -= 1
            found.append(Finding((*NODE_LIST, index, "id"), "repeated", id, NodeId()))
    return found[::-1]


def _members(
    kind: Fields, value: Mapping[str, Value], demands: Demands, before: Maybe, place: Place
) -> Iterator[Finding]:
    previous = before if isinstance(before, dict) else {}
    for name, member in kind.members.items():
        if name not in value:
            if member.presence in demands.demanded:
                yield from _missing(member, demands, (*place, name))
            continue
        given, stood = value[name], previous.get(name, MISSING)
        if given is not stood:
            yield from _wrong(member, given, demands, stood, (*place, name))


def _missing(member: Member, demands: Demands, place: Place) -> Iterator[Finding]:
    """Report a missing object as its missing demanded members, leaf by leaf."""
    leaves = member.kind.members if isinstance(member.kind, Fields) else {}
    asked = [(name, leaf) for name, leaf in leaves.items() if leaf.presence in demands.demanded]
    for name, leaf in asked:
        yield from _missing(leaf, demands, (*place, name))
    if not asked:
        yield Finding(place, "missing", MISSING, member.kind, member.meaning)


def _wrong(member: Member, value: Value, demands: Demands, before: Maybe, place: Place) -> Iterator[Finding]:
    kind = member.kind
    if isinstance(kind, Fields) and isinstance(value, dict):
        yield from _members(kind, value, demands, before, place)
    elif isinstance(kind, ListOf) and isinstance(value, list):
        if kind.item == TEXT and set(map(type, value)) <= {str}:
            return
        item = Member(kind.item, "", member.presence)
        for index, element in new_elements(value, before):
            yield from _wrong(item, element, demands, MISSING, (*place, index))
    elif kind == NodeId() and value == "":
        yield Finding(place, "missing", value, kind, member.meaning)
    elif not _is_of(kind, value):
        yield Finding(place, "wrong", value, kind, member.meaning)
    elif value == "" and kind == Text(may_be_empty=False) and member.presence in demands.demanded:
        yield Finding(place, "missing", value, kind, member.meaning)


def _is_of(kind: Kind, value: Value) -> bool:
    match kind:
        case Text():
            return isinstance(value, str)
        case NodeId():
            return isinstance(value, str) and is_node_id(value)
        case Number(may_be_negative):
            return is_number(value) and (-LARGEST if may_be_negative else 0) <= value <= LARGEST
        case Flag():
            return isinstance(value, bool)
        case Free():
            return True
    return False


def _unknown(kind: Fields | ListOf, value: Value, before: Maybe, place: Place) -> Iterator[Finding]:
    if value is before:
        return
    if isinstance(kind, Fields) and isinstance(value, dict):
        if not value.keys() <= kind.members.keys():
            for name in value:
                if name not in kind.members:
                    yield Finding((*place, name), "unknown", MISSING, None)
        previous = before if isinstance(before, dict) else {}
        for name, inner in kind.nested.items():
            if name in value:
                yield from _unknown(inner, value[name], previous.get(name, MISSING), (*place, name))
    elif isinstance(kind, ListOf) and isinstance(kind.item, (Fields, ListOf)) and isinstance(value, list):
        for index, element in new_elements(value, before):
            yield from _unknown(kind.item, element, MISSING, (*place, index))
