"""Many documents into an index at once, some three times as fast as one by one.

Theory: a document taken in alone asks each posting whether it is there yet. Here, walking only appends the document's
number to a list for each key; a chunk of documents later the lists become bitmaps. What follows from the rest is not
walked for but derived then: that there is a value (the union of all keys), and what elements contribute to their
documents (the owners of each posting of elements).

Nodes repeat each other: their GPUs, disks and networks are of a few models. So an object within an element, or within a
document, is walked once: the lists that its number goes to are remembered by its JSON, until a path is seen to repeat
little.

One rule: the index is the same as after inserting one by one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import TypeAlias

from rollbook.documents.bounding import holds_more_than
from rollbook.documents.codec import encode_json
from rollbook.documents.values import Document, Value
from rollbook.view.index.elements import ElementIndex
from rollbook.view.index.indexes import Index
from rollbook.view.index.keys import (
    ARRAY,
    LONG,
    OBJECT,
    PRESENT,
    Key,
    digest_of,
    keys_of,
    keys_of_broad,
    scalar_key,
    size_mark,
)
from rollbook.view.index.ranges import set_numbers
from rollbook.view.index.trees import PathIndex

CHUNK_DOCUMENTS = 16_384

REMEMBERED_BYTES_MAX = 2_048
"""Larger objects are walked each time: they rarely repeat."""
REMEMBERED_MIN, REMEMBERED_SHARE_MAX = 128, 0.5
"""From this many different objects at a path on, none is remembered there if more than this share of them differ."""

CONTAINERS: frozenset[type] = frozenset({dict, list})
OBJECTS: set[type] = {dict}


def load_documents(
    index: Index,
    documents: Iterable[tuple[int, Document]],
    *,
    chunk_documents: int = CHUNK_DOCUMENTS,
    remembered_min: int = REMEMBERED_MIN,
) -> None:
    """Insert documents, numbered upwards from ``index.size``, and prepare the index."""
    loading = Loading(index, remembered_min=remembered_min)
    for taken, (number, document) in enumerate(documents, 1):
        loading.take(number, document)
        if taken % chunk_documents == 0:
            loading.flush()
    loading.flush()
    index.prepare()


Lists: TypeAlias = list[list[int]]
"""The lists of numbers that a value goes to: one for each key that it contributes."""


class _Route:
    """A node while documents are walked: the numbers gathered for each of its keys, and the routes below it.

    ``known`` are the lists of objects met here, by their JSON; None where objects are walked each time. ``met`` counts
    the objects.
    """

    __slots__ = ("keys", "known", "members", "met", "node", "text_length_max")

    def __init__(self, node: PathIndex) -> None:
        self.node = node
        self.text_length_max = node.text_length_max
        self.keys: defaultdict[Key, list[int]] = defaultdict(list)
        self.members: dict[str, _Route] = {}
        self.known: dict[bytes, Lists] | None = None if _leads_to_elements(node) else {}
        self.met = 0

    def open(self, name: str) -> "_Route | None":
        """The route to a member that is met for the first time; None where the index has no node for it."""
        child = self.node.child(name)
        if child is None:
            return None
        route = self.members[name] = _Route(child)
        return route


class Loading:
    """The documents walked since the last flush. Until then nobody may ask the index, nor change it otherwise."""

    def __init__(self, index: Index, *, remembered_min: int = REMEMBERED_MIN) -> None:
        self._index = index
        self._remembered_min = remembered_min
        self._taken: list[int] = []
        self._root = _Route(index.root)
        self._elements = {node: _Route(own.root) for node, own in index.elements.items()}

    def take(self, number: int, document: Document) -> None:
        """Walk one document."""
        self._taken.append(number)
        out: Lists = []
        self._object(self._root, document, out, number)
        for numbers in out:
            numbers.append(number)

    def flush(self) -> None:
        """Turn the lists into postings."""
        if not self._taken:
            return
        self._index.live.update(self._taken)
        self._index.size = max(self._index.size, self._taken[-1] + 1)
        for node, route in self._elements.items():
            self._flush_elements(self._index.elements[node], route, self._route_to(node))
        _flush(self._root)
        self._taken.clear()

    def _object(self, route: _Route, document: Document, out: Lists, owner: int | None) -> None:
        """Add the lists that the members go to. ``owner``: the document, where arrays of elements may be met."""
        # This loop is where loading spends its time.
        members = route.members
        for name, member in document.items():
            below = members.get(name) or route.open(name)
            if below is None:
                continue
            kind = type(member)
            if kind is int or kind is float:
                out.append(below.keys[member])  # type: ignore[index]
            elif kind is str:
                if len(member) <= below.text_length_max:  # type: ignore[arg-type]
                    out.append(below.keys[member])  # type: ignore[index]
                else:
                    out.append(below.keys[LONG])
                    out.append(below.keys[digest_of(member)])  # type: ignore[arg-type]
            elif kind is dict:
                out.append(below.keys[OBJECT])
                if below.known is None:
                    self._object(below, member, out, owner)  # type: ignore[arg-type]
                else:
                    out += self._lists_of(below, member)  # type: ignore[arg-type]
            elif kind is list:
                self._array(below, member, out, owner)  # type: ignore[arg-type]
            else:
                out.append(below.keys[scalar_key(member, below.text_length_max)])

    def _lists_of(self, route: _Route, document: Document) -> Lists:
        """The lists that the members of an object go to, which may be known of one before."""
        route.met += 1
        text, known = encode_json(document), route.known
        lists = None if known is None else known.get(text)
        if lists is None:
            lists = []
            self._object(route, document, lists, None)
            if known is not None and len(text) <= REMEMBERED_BYTES_MAX:
                known[text] = lists
                if len(known) >= self._remembered_min and len(known) > REMEMBERED_SHARE_MAX * route.met:
                    route.known = None
        return lists

    def _array(self, route: _Route, elements: list[Value], out: Lists, owner: int | None) -> None:
        keys, node = route.keys, route.node
        kinds = set(map(type, elements))
        is_flat = kinds.isdisjoint(CONTAINERS)
        is_apart = owner is not None and node.elements_apart
        values_max = node.budget.limits.indexed_array_values_max
        if not is_apart and (len(elements) > values_max if is_flat else holds_more_than(values_max, elements)):
            out += map(keys.__getitem__, keys_of_broad(elements))
            return
        if kinds == OBJECTS:
            out += keys[ARRAY], keys[size_mark(len(elements))], keys[OBJECT]
        else:
            out += map(keys.__getitem__, set(keys_of(elements, route.text_length_max)))
        if is_apart and owner is not None:
            self._elements_of(node, owner, elements)
        elif not is_flat:
            last: Lists | None = None
            for element in elements:
                if type(element) is not dict:
                    continue
                if route.known is None:
                    self._object(route, element, out, None)
                elif (lists := self._lists_of(route, element)) is not last:  # equal elements follow each other
                    out += lists
                    last = lists

    def _elements_of(self, node: PathIndex, owner: int, elements: list[Value]) -> None:
        """Give numbers to the elements of an array that has an index of its own, and walk them."""
        route = self._elements[node]
        for number, element in zip(self._index.elements[node].take(owner, elements), elements, strict=True):
            if type(element) is dict:
                out: Lists = []
                self._object(route, element, out, None)
                for numbers in out:
                    numbers.append(number)

    def _route_to(self, node: PathIndex) -> _Route:
        route = self._root
        for name in node.path:
            below = route.members.get(name) or route.open(name)
            assert below is not None, "the arrays with elements apart were given their nodes first"
            route = below
        return route

    def _flush_elements(self, own: ElementIndex, route: _Route, of_documents: _Route) -> None:
        """What elements contribute, their documents contribute at the twin path."""
        for name, below in route.members.items():
            twin = of_documents.members.get(name) or of_documents.open(name)
            assert twin is not None, "a path of elements is a path of documents"
            for key, numbers in below.keys.items():
                twin.keys[key] += own.owners_of(numbers)
            self._flush_elements(own, below, twin)
        _flush_keys(route)


def _flush(route: _Route) -> None:
    for below in route.members.values():
        _flush(below)
    _flush_keys(route)


def _leads_to_elements(node: PathIndex) -> bool:
    """Whether elements with an index of their own may lie below: they get numbers each time."""
    apart = () if node.twin is not None else node.budget.apart
    return any(path[: len(node.path)] == node.path for path in apart)


def _flush_keys(route: _Route) -> None:
    """Add the numbers of each key to its posting, and all of them to that of ``PRESENT``."""
    keys, node = route.keys, route.node
    if keys and node.indexed:
        keys[PRESENT] = list(chain.from_iterable(keys.values()))
        node.add_keys(keys)
        if node.column is not None:
            _follow_numbers(node, keys)
    keys.clear()
    if route.known is not None:
        route.known.clear()  # which leads to lists that are done with


def _follow_numbers(node: PathIndex, keys: Mapping[Key, Sequence[int]]) -> None:
    """Set the numbers of the documents that came in the column."""
    values: defaultdict[int, list[float]] = defaultdict(list)
    for key, numbers in keys.items():
        if isinstance(key, (int, float)):
            for number in numbers:
                values[number].append(key)
    for number, its_values in values.items():
        set_numbers(node, number, its_values)
