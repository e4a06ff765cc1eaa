"""Filling what a document may leave out: defaults, each at its documented place among the members that are given.

One rule: what is given is never changed or moved, and a document that lacks nothing is returned as it is. Nothing
is filled in where a writer who sees a part of a document may not see what is there.
"""

from collections.abc import Mapping
from typing import cast

from rollbook.clusters.nodes import node_id
from rollbook.clusters.schema import CLUSTER, URL_MAP, Fields, Presence
from rollbook.documents.values import MISSING, Document, Maybe, Value

AT_CREATION = frozenset({Presence.KEPT, Presence.FILLED})
AT_ANY_WRITE = frozenset({Presence.KEPT})


def with_defaults(document: Document, presences: frozenset[Presence], *, before: Maybe = MISSING) -> Document:
    """The document with its absent fields of these presences filled; parts that are those of ``before`` stay."""
    return _filled(CLUSTER, document, presences, before)


def without_fillings(before: Document, after: Document, filled: Document) -> Document:
    """``filled`` without the members that neither of the two has; what is new in ``after`` stays whole."""
    return cast(Document, _without(before, after, filled))


def _filled(kind: Fields, value: Document, presences: frozenset[Presence], before: Maybe) -> Document:
    previous = before if isinstance(before, dict) else {}
    changes: dict[str, Value] = {}
    for name, member in kind.members.items():
        given = value.get(name, MISSING)
        if given is MISSING and member.presence in presences and member.default is not MISSING:
            changes[name] = given = _fresh(member.default)
        stood = previous.get(name, MISSING)
        if isinstance(given, dict) and isinstance(member.kind, Fields) and given is not stood:
            whole = _filled(member.kind, given, presences, stood)
            if whole is not given:
                changes[name] = whole
    return with_documented(value, changes, kind) if changes else value


def with_kept(given: Document, before: Document) -> Document:
    """A document that replaces ``before``, with what the registry fills as it stood there, where it is not given.

    That is every documented field which is filled at creation or whenever it is absent, and ``config.urlMap``.
    """
    return _kept(CLUSTER, given, before)


def _kept(kind: Fields, given: Document, before: Document) -> Document:
    changes: dict[str, Value] = {}
    for name, member in kind.members.items():
        value, stood = given.get(name, MISSING), before.get(name, MISSING)
        if stood is MISSING or value is stood:
            continue
        if isinstance(member.kind, Fields) and isinstance(stood, dict) and member.kind is not URL_MAP:
            inside: Maybe = {} if value is MISSING else value
            if isinstance(inside, dict):
                whole = _kept(member.kind, inside, stood)
                if whole is not value and (whole or value is not MISSING):
                    changes[name] = whole
        elif value is MISSING and (member.presence in AT_CREATION or member.kind is URL_MAP):
            changes[name] = stood
    return with_documented(given, changes, kind) if changes else given


def with_documented(given: Document, members: Mapping[str, Value], kind: Fields) -> Document:
    """``given`` with ``members`` set; one that it lacks goes after its nearest documented predecessor."""
    if members.keys() <= given.keys():
        return {**given, **members}
    order = list(kind.members)
    names = list(given)
    for name in members:
        if name not in given:
            preceding = (names.index(other) + 1 for other in reversed(order[: order.index(name)]) if other in names)
            names.insert(next(preceding, 0), name)
    return {name: members[name] if name in members else given[name] for name in names}


def with_value(given: Document, path: tuple[str, ...], value: Value, kind: Fields = CLUSTER) -> Document:
    """``given`` with ``value`` at a documented path; objects on the way are made where they are absent."""
    name, *rest = path
    if rest:
        below = kind.members[name].kind
        assert isinstance(below, Fields)
        inner = given.get(name)
        value = with_value(inner if isinstance(inner, dict) else {}, tuple(rest), value, below)
    return with_documented(given, {name: value}, kind)


def _fresh(default: Value) -> Value:
    """A default of one's own: an empty array or object must not be shared between documents."""
    return type(default)() if isinstance(default, (list, dict)) else default


def _without(before: Maybe, after: Maybe, filled: Value) -> Value:
    match before, after, filled:
        case dict(), dict(), dict():
            return {
                name: _without(before.get(name, MISSING), after.get(name, MISSING), member)
                for name, member in filled.items()
                if name in before or name in after
            }
        case list(), list(), list() if len(after) == len(filled):
            known = {node_id(element): element for element in before if node_id(element) is not None}
            pairs = zip(after, filled, strict=True)
            return [_without(known.get(node_id(element), MISSING), element, member) for element, member in pairs]
    return filled
