"""Editing by copy on write: a document is never mutated, and its edited form shares whatever did not change.

One rule: who edits copies only the containers on the way to a change, so an edit costs what it touches.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from rollbook.documents.values import MISSING, Document, Int64, Maybe, Value

Key = TypeVar("Key")


def with_members(document: Document, changes: Mapping[str, Maybe]) -> Document:
    """The object with some members set, in the order of ``changes`` where they are new; MISSING removes a member.

    The very same object when there are no changes.
    """
    if not changes:
        return document
    edited = dict(document)
    for name, value in changes.items():
        if value is MISSING:
            edited.pop(name, None)
        else:
            edited[name] = value
    return edited


def with_elements(array: list[Value], changes: Mapping[int, Value]) -> list[Value]:
    """The array with some elements set; indexes beyond its end fill the way to them with null.

    The very same array when there are no changes.
    """
    if not changes:
        return array
    edited = [*array, *[None] * (max(changes) + 1 - len(array))]
    for index, value in changes.items():
        edited[index] = value
    return edited


def identical(left: Maybe, right: Maybe) -> bool:
    """Whether the two would be written as the same JSON: ``5`` and ``5.0`` differ, and so do orders of fields."""
    if left is right:
        return True
    if type(left) is not type(right):
        return False
    match left, right:
        case float(), float():
            return left == right and math.copysign(1.0, left) == math.copysign(1.0, right)
        case dict(), dict():
            return (
                len(left) == len(right)
                and all(ours == theirs for ours, theirs in zip(left, right, strict=True))
                and all(identical(member, right[name]) for name, member in left.items())
            )
        case list(), list():
            return len(left) == len(right) and all(map(identical, left, right))
    return left == right


def with_json_numbers(document: Document, before: Document) -> Document:
    """The document with each ``Int64`` in it as the plain integer that JSON has.

    The very same object where there is none. What it shares with ``before``, which has none, is not looked at.
    """
    return with_members(document, _json_numbers(document.items(), before))


def _json_numbers(members: Iterable[tuple[Key, Value]], before: Mapping[Key, Value]) -> dict[Key, Value]:
    """The members that hold an ``Int64``, without it. One frame a level, for documents may be deep."""
    changes: dict[Key, Value] = {}
    for key, value in members:
        if not isinstance(value, (dict, list, Int64)) or value is (stood := before.get(key, MISSING)):
            continue
        plain: Value
        if isinstance(value, dict):
            plain = with_members(value, _json_numbers(value.items(), stood if isinstance(stood, dict) else {}))
        elif isinstance(value, list):
            elements = dict(enumerate(stood)) if isinstance(stood, list) else {}
            plain = with_elements(value, _json_numbers(enumerate(value), elements))
        else:
            plain = int(value)
        if plain is not value:
            changes[key] = plain
    return changes


def value_at(value: Maybe, path: Sequence[str]) -> Maybe:
    """What stands at the path, taking array elements by their index; MISSING where nothing does."""
    for component in path:
        match value:
            case dict():
                value = value.get(component, MISSING)
            case list():
                index = element_index(component)
                value = value[index] if index is not None and index < len(value) else MISSING
            case _:
                return MISSING
    return value


def element_index(component: str) -> int | None:
    """The array index that a component of an edited path names: decimal digits of a number below 2**32, or None.

    Leading zeros are accepted, as MongoDB does when it edits.
    """
    if not (component.isascii() and component.isdigit()):
        return None
    significant = component.lstrip("0")
    if len(significant) > INDEX_DIGITS_MAX:
        return None
    index = int(significant or "0")
    return index if index < INDEX_LIMIT else None


def depth_of(value: Maybe) -> int:
    """How many containers are nested in one another: 0 for a scalar, 1 for ``[]``. Does not recurse."""
    depth = 0
    level = [value]
    while containers := [container for container in level if isinstance(container, (dict, list))]:
        depth += 1
        level = [
            inner
            for container in containers
            for inner in (container.values() if isinstance(container, dict) else container)
        ]
    return depth


INDEX_LIMIT = 2**32
INDEX_DIGITS_MAX = len(str(INDEX_LIMIT))
