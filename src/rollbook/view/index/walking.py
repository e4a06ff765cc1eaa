"""What a document contributes to the tree of paths, as terms: a node and a key.

Theory: arrays on the way add no level, for a filter's path steps over them: ``nodes.nodeData.memory`` is one node, to
which every element of ``nodeData`` contributes. Elements that are arrays themselves are not stepped into; MongoDB does
not either. What a filter's numeric component could name (``nodeData.0``) is left to the planner.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import TypeAlias

from msgspec import Struct

from rollbook.documents.bounding import holds_more_than
from rollbook.documents.codec import encode_json
from rollbook.documents.paths import Path
from rollbook.documents.values import MISSING, Document, Maybe, Value
from rollbook.view.index.keys import (
    ARRAY,
    LONG,
    OBJECT,
    PRESENT,
    Key,
    digest_of,
    keys_of,
    keys_of_broad,
    size_mark,
)
from rollbook.view.index.ranges import follow_numbers, set_numbers
from rollbook.view.index.trees import PathIndex

Term: TypeAlias = tuple[PathIndex, Key]

Arrays: TypeAlias = list[tuple[PathIndex, list[Value]]]

NOWHERE: Collection[Path] = ()


def spread(node: PathIndex, document: Document, out: list[Term], arrays: Arrays | None) -> None:
    """Append the terms of ``document``, which stands at ``node``; some may come twice.

    Arrays whose elements have their own index are not stepped into, but appended to ``arrays``, when it is given.
    """
    children = node.children
    for name, member in document.items():
        child = children.get(name) or node.child(name)
        if child is None:
            continue
        kind = type(member)
        if kind is str:
            out.append((child, PRESENT))
            if len(member) <= child.text_length_max:  # type: ignore[arg-type]
                out.append((child, member))  # type: ignore[arg-type]
            else:
                out += ((child, LONG), (child, digest_of(member)))  # type: ignore[arg-type]
        elif kind is dict:
            out.append((child, PRESENT))
            out.append((child, OBJECT))
            spread(child, member, out, arrays)  # type: ignore[arg-type]
        elif kind is list:
            spread_array(child, member, out, arrays)  # type: ignore[arg-type]
        else:
            out += [(child, key) for key in keys_of(member, child.text_length_max)]


def spread_array(node: PathIndex, array: list[Value], out: list[Term], arrays: Arrays | None) -> None:
    """Append the terms of the array that stands at ``node``, and of its elements.

    Of an array with too many values only that it is there, unless its elements have their own index.
    """
    is_apart = arrays is not None and node.elements_apart
    if not is_apart and holds_more_than(node.budget.limits.indexed_array_values_max, array):
        out += [(node, key) for key in keys_of_broad(array)]
        return
    out += [(node, key) for key in keys_of(array, node.text_length_max)]
    if arrays is not None and is_apart:
        arrays.append((node, array))
        return
    for element in array:
        if type(element) is dict:
            spread(node, element, out, None)


def own_terms(node: PathIndex, array: list[Value]) -> set[Term]:
    """The terms of the array that stands at ``node``, without what members of its elements contribute."""
    if set(map(type, array)) == {dict}:
        return {(node, PRESENT), (node, ARRAY), (node, size_mark(len(array))), (node, OBJECT)}
    return {(node, key) for key in keys_of(array, node.text_length_max)}


def keys_on(document: Value, node: PathIndex) -> Iterator[Key]:
    """The keys that ``document`` contributes at ``node``, without a walk through the rest.

    ``document`` is what the tree of the node is about: a document, or an element.
    """
    return _keys_below(document, node, 0, node.budget.apart if node.twin is None else NOWHERE)


def _keys_below(value: Value, node: PathIndex, depth: int, apart: Collection[Path]) -> Iterator[Key]:
    path = node.path
    if not isinstance(value, dict) or path[depth] not in value:
        return
    member, depth = value[path[depth]], depth + 1
    if isinstance(member, list):
        is_apart = path[:depth] in apart
        if not is_apart and holds_more_than(node.budget.limits.indexed_array_values_max, member):
            if depth == len(path):
                yield from keys_of_broad(member)
        elif depth == len(path):
            yield from keys_of(member, node.text_length_max)
        else:
            for element in member:
                yield from _keys_below(element, node, depth, NOWHERE)
    elif depth == len(path):
        yield from keys_of(member, node.text_length_max)
    else:
        yield from _keys_below(member, node, depth, apart)


class Difference(Struct, frozen=True):
    """A member ``name`` of the object at ``node`` that is another than before, or came, or went; not both objects."""

    node: PathIndex
    child: PathIndex
    name: str
    before: Maybe
    after: Maybe


def differences(node: PathIndex, before: Document, after: Document) -> Iterator[Difference]:
    """Where two versions of the document at ``node`` differ, as deep down as objects go. Skips what has no index."""
    for name, new in after.items():
        old = before.get(name, MISSING)
        if old is not new:  # what an update did not touch is mostly the same object
            yield from _differences_at(node, name, old, new)
    if not before.keys() <= after.keys():
        for name in before.keys() - after.keys():
            yield from _differences_at(node, name, before[name], MISSING)


def _differences_at(node: PathIndex, name: str, before: Maybe, after: Maybe) -> Iterator[Difference]:
    child = node.child(name)
    if child is None or same(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        yield from differences(child, before, after)
    else:
        yield Difference(node, child, name, before, after)


def terms_of(node: PathIndex, name: str, member: Maybe) -> tuple[set[Term], Arrays]:
    """What one member of the object at ``node`` contributes, and the arrays in it whose elements have an own index."""
    if member is MISSING:
        return set(), []
    kind = type(member)
    if (kind is int or kind is float) and (child := node.child(name)) is not None:  # as most updates are
        return {(child, PRESENT), (child, member)}, []  # type: ignore[arg-type]
    out: list[Term] = []
    arrays: Arrays = []
    spread(node, {name: member}, out, arrays)
    return set(out), arrays


def exchange_terms(number: int, after: Value, went: Iterable[Term], came: Iterable[Term]) -> None:
    """Document ``number``, which is now ``after``, has lost some terms and gained others."""
    columns: dict[PathIndex, tuple[list[float], list[float]]] = {}
    for node, key in went:
        if node.indexed:
            node.remove(key, number)
            if node.column is not None:
                columns.setdefault(node, ([], []))[0].extend(_numbers(key))
    for node, key in came:
        if node.indexed:
            node.add(key, number)
            if node.column is not None:
                columns.setdefault(node, ([], []))[1].extend(_numbers(key))
    for node, (gone, there) in columns.items():
        if not follow_numbers(node, number, gone, there):
            keys = keys_on(after, node)
            set_numbers(node, number, [key for key in keys if isinstance(key, (int, float))])


def _numbers(key: Key) -> tuple[float, ...]:
    return (key,) if isinstance(key, (int, float)) else ()


def same(before: Maybe, after: Maybe) -> bool:
    """Whether two values are the same JSON. (Python's ``==`` takes ``true`` for 1 and ignores the order of fields.)"""
    if before is after:
        return True
    if isinstance(before, (dict, list)):
        return before == after and encode_json(before) == encode_json(after)
    return type(before) is type(after) and before == after
