"""An index as plain records, and back: what a snapshot holds.

One rule: a record holds only what msgpack has (numbers, strings, bytes, lists), so reading one can run nothing. Whoever
writes records of another kind, or other keys, raises ``RECORDS_VERSION``.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pyroaring import BitMap

from rollbook.view.elements import ElementIndex
from rollbook.view.indexes import Index
from rollbook.view.keys import Key, Mark, mark_named
from rollbook.view.trees import PathIndex, nodes_below

RECORDS_VERSION = 2

ID = ["id"]
NO_TEXTS: Mapping[Key, Key] = {}

Record = list[Any]


def records_of(index: Index) -> Iterator[Record]:
    """The records of an index: its documents, then each of its trees, node by node."""
    yield ["documents", index.size, index.live.serialize()]
    for node in nodes_below(index.root):
        yield ["node", *_content_of(node)]
    for at, own in index.elements.items():
        yield ["elements", at.path, *own.state()]
        for node in nodes_below(own.root):
            yield ["element node", at.path, *_content_of(node)]


def fill(index: Index, records: Iterable[Record], ids: Iterable[str]) -> list[int]:
    """Fill an empty index, made with the same settings, from the records of another.

    Returns all numbers of documents. For the memory's sake its postings have these objects in common, and as keys of
    ``id`` the ``ids``.
    """
    shared: list[int] = []
    same_ids: dict[Key, Key] = {id: id for id in ids}
    for kind, *content in records:
        match kind:
            case "documents":
                index.size, live = content
                index.live = BitMap.deserialize(live)
                shared = list(range(index.size))
            case "elements":
                path, *state = content
                _elements_at(index, path).restore(*state)
            case "node":
                path, *filling = content
                _fill(_node_at(index.root, path), filling, shared, same_ids if path == ID else NO_TEXTS)
            case "element node":
                of, path, *filling = content
                _fill(_node_at(_elements_at(index, of).root, path), filling, None, NO_TEXTS)
    index.prepare()
    return shared


def _content_of(node: PathIndex) -> Record:
    singles: dict[type, tuple[list[Any], array[int]]] = {kind: ([], array("I")) for kind in (str, float, Mark)}
    several: list[tuple[Any, bytes]] = []
    for key in _in_order(node):
        posting = node.postings[key]
        if isinstance(posting, int):
            keys, numbers = singles[float if isinstance(key, int) else type(key)]
            keys.append(_plain(key))
            numbers.append(posting)
        else:
            several.append((_plain(key), posting.serialize()))
    packed = [[keys, numbers.tobytes()] for keys, numbers in singles.values()]
    return [node.path, node.overflowed, packed, several, node.lone_digests.state()]


def _in_order(node: PathIndex) -> Iterator[Key]:
    """The keys, strings in order where an order is kept, so that reading them back need not sort."""
    if node.texts is None:
        yield from node.postings
        return
    yield from node.texts
    for key in node.postings:
        if not isinstance(key, str):
            yield key


def _fill(node: PathIndex, filling: list[Any], shared: list[int] | None, same_texts: Mapping[Key, Key]) -> None:
    node.overflowed, packed, several, lone_digests = filling
    node.lone_digests.restore(lone_digests)
    for plain, places in packed:
        keys: Iterable[Key] = map(_key, plain) if plain and isinstance(plain[0], list) else plain
        keys = [same_texts.get(key, key) for key in keys] if same_texts else keys
        numbers: Iterable[int] = array("I", places)
        numbers = numbers if shared is None else map(shared.__getitem__, numbers)
        node.postings.update(zip(keys, numbers, strict=True))
    node.postings.update((_key(key), BitMap.deserialize(posting)) for key, posting in several)


def _plain(key: Key) -> Any:
    return [key.name] if isinstance(key, Mark) else key


def _key(plain: Any) -> Key:
    return mark_named(plain[0]) if isinstance(plain, list) else plain


def _node_at(root: PathIndex, path: Iterable[str]) -> PathIndex:
    node = root
    for name in path:
        child = node.child(name)
        assert child is not None, "the bounds are the same as when the snapshot was made"
        node = child
    return node


def _elements_at(index: Index, path: Iterable[str]) -> ElementIndex:
    return index.elements[_node_at(index.root, path)]
