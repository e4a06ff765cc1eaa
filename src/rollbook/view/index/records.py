"""An index as plain records, and back: what a snapshot holds.

One rule: a record holds only what msgpack has (numbers, strings, bytes, lists), so reading one can run nothing. Who
writes records of another kind, or other keys, raises ``RECORDS_VERSION``.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pyroaring import BitMap

from rollbook.view.index.elements import ElementIndex
from rollbook.view.index.indexes import Index
from rollbook.view.index.keys import Key, TypeTag, mark_named
from rollbook.view.index.ranges import put_in_order
from rollbook.view.index.trees import PathIndex, nodes_below

RECORDS_VERSION = 4

ID = ("id",)
NO_IDS: Mapping[int, str] = {}

Record = list[Any]


def records_of(index: Index, ids: Mapping[int, str]) -> Iterator[Record]:
    """The records of an index: its documents, then each of its trees, node by node. ``ids``: those of its documents."""
    yield ["documents", index.size, index.live.serialize()]
    for node in nodes_below(index.root):
        yield ["node", *_content_of(node, ids if node.path == ID else NO_IDS)]
    for at, own in index.elements.items():
        yield ["elements", at.path, *own.state()]
        for node in nodes_below(own.root):
            yield ["element node", at.path, *_content_of(node, NO_IDS)]


def fill(index: Index, records: Iterable[Record], ids: Mapping[int, str]) -> None:
    """Fill an empty index, made with the same settings, from the records of another.

    For the memory's sake its keys of ``id`` are the very objects in ``ids``.
    """
    for kind, *content in records:
        match kind:
            case "documents":
                index.size, live = content
                index.live = BitMap.deserialize(live)
            case "elements":
                path, *state = content
                _elements_at(index, path).restore(*state)
            case "node":
                path, *filling = content
                _fill(_node_at(index.root, path), filling, ids, index.size)
            case "element node":
                of, path, *filling = content
                elements = _elements_at(index, of)
                _fill(_node_at(elements.root, path), filling, NO_IDS, elements.size)


def _content_of(node: PathIndex, ids: Mapping[int, str]) -> Record:
    """Texts that are just the ``ids`` are left out."""
    texts: tuple[list[str], array[int]] = [], array("I")
    floats: tuple[list[float], array[int]] = [], array("I")
    marks: tuple[list[str], array[int]] = [], array("I")
    several: list[tuple[Any, bytes]] = []
    for key in _in_order(node):
        posting = node.postings[key]
        if not isinstance(posting, int):
            several.append(([key.name] if isinstance(key, TypeTag) else key, posting.serialize()))
            continue
        keys, numbers = texts if isinstance(key, str) else marks if isinstance(key, TypeTag) else floats
        keys.append(key.name if isinstance(key, TypeTag) else key)  # type: ignore[arg-type]
        numbers.append(posting)
    are_ids = ids and len(ids) == len(texts[0]) and texts[0] == [ids.get(number) for number in texts[1]]
    singles = [[keys, numbers.tobytes()] for keys, numbers in ((None, texts[1]) if are_ids else texts, floats, marks)]
    return [node.path, node.overflowed, *singles, several, node.lone_digests.state()]


def _in_order(node: PathIndex) -> Iterator[Key]:
    """The keys, strings in order where an order is kept, so that reading them back need not sort."""
    if node.texts is None:
        yield from node.postings
        return
    yield from node.texts
    for key in node.postings:
        if not isinstance(key, str):
            yield key


def _fill(node: PathIndex, filling: list[Any], ids: Mapping[int, str], size: int) -> None:
    """Numbers of documents, or elements, are less than ``size``."""
    node.overflowed, (texts, texts_at), (floats, floats_at), (marks, marks_at), several, lone_digests = filling
    node.lone_digests.restore(lone_digests)
    postings = node.postings
    if texts is None:
        texts = [ids[number] for number in array("I", texts_at)]
        postings.update(zip(ids.values(), ids, strict=True))  # in the order of the memory: twice as fast
    else:
        postings.update(zip(texts, array("I", texts_at), strict=True))
    postings.update(zip(floats, array("I", floats_at), strict=True))
    postings.update(zip(map(mark_named, marks), array("I", marks_at), strict=True))
    bitmaps: dict[Key, BitMap] = {
        mark_named(key[0]) if isinstance(key, list) else key: BitMap.deserialize(posting) for key, posting in several
    }
    postings.update(bitmaps)
    numbers = len(floats) + sum(isinstance(key, (int, float)) for key in bitmaps)
    put_in_order(node, [*texts, *(key for key in bitmaps if isinstance(key, str))], numbers, size)


def _node_at(root: PathIndex, path: Iterable[str]) -> PathIndex:
    node = root
    for name in path:
        child = node.child(name)
        assert child is not None, "the bounds are the same as when the snapshot was made"
        node = child
    return node


def _elements_at(index: Index, path: Iterable[str]) -> ElementIndex:
    return index.elements[_node_at(index.root, path)]
