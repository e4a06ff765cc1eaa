"""Reading a document as it was meant: numbers sent as text, ``null`` for absent, one-element arrays for their element.

One rule: only documented places, and only what is certain; what can't be read stays as it is, for the validator to
name. A part that is the very object that stood there before is left alone.
"""

from rollbook.clusters.differences import new_elements
from rollbook.clusters.modes import Demands
from rollbook.clusters.numerals import number_in
from rollbook.clusters.schema import CLUSTER, Fields, Kind, ListOf, Number, Text
from rollbook.documents.editing import with_elements, with_members
from rollbook.documents.values import MISSING, Document, Maybe, Value


def normalized(document: Document, demands: Demands, *, before: Maybe = MISSING) -> Document:
    """The document read as it was meant; the very same object when there is nothing to read otherwise."""
    return _members(CLUSTER, document, demands, before)


def _normal(kind: Kind, value: Value, demands: Demands, before: Maybe) -> Value:
    match kind, value:
        case Number(), str():
            number = number_in(value)
            return value if number is None else number
        case Fields(), dict():
            return _members(kind, value, demands, before)
        case ListOf(item), list() if not isinstance(item, Text):
            return _elements(kind, value, demands, before)
    return value


def _members(kind: Fields, value: Document, demands: Demands, before: Maybe) -> Document:
    if kind.unwraps_arrays:
        value = _unwrapped(value)
    previous = before if isinstance(before, dict) else {}
    changes: dict[str, Maybe] = {}
    for name, given in value.items():
        member, stood = kind.members.get(name), previous.get(name, MISSING)
        if member is None or given is stood:
            continue
        if given is None and member.presence in demands.nullable:
            changes[name] = MISSING
        elif (read := _normal(member.kind, given, demands, stood)) is not given:
            changes[name] = read
    return with_members(value, changes)


def _elements(kind: ListOf, value: list[Value], demands: Demands, before: Maybe) -> list[Value]:
    changes: dict[int, Value] = {}
    for index, element in new_elements(value, before):
        if (read := _normal(kind.item, element, demands, MISSING)) is not element:
            changes[index] = read
    return with_elements(value, changes)


def _unwrapped(value: Document) -> Document:
    if not holds_wrapped(value):
        return value
    return {name: _element_of(given) for name, given in value.items()}


def holds_wrapped(value: Document) -> bool:
    """Whether a member is a one-element array."""
    return any(isinstance(given, list) and len(given) == 1 for given in value.values())


def _element_of(value: Value) -> Value:
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value
