"""Many documents into an index at once, some three times as fast as one by one.

Theory: a document taken in alone asks each posting whether it is there yet. Here, walking only appends the document's
number to a list for each key; a chunk of documents later the lists become bitmaps. What follows from the rest is not
walked for but derived then: that there is a value (the union of all keys), and what elements contribute to their
documents (the owners of each posting of elements).

One rule: the index is the same as after inserting one by one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from rollbook.documents.bounding import holds_more_than
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

CONTAINERS: frozenset[type] = frozenset({dict, list})
OBJECTS: set[type] = {dict}


def load_documents(
    index: Index, documents: Iterable[tuple[int, Document]], *, chunk_documents: int = CHUNK_DOCUMENTS
) -> None:
    """Insert documents, numbered upwards from ``index.size``, and prepare the index."""
    loading = Loading(index)
    for taken, (number, document) in enumerate(documents, 1):
        loading.take(number, document)
        if taken % chunk_documents == 0:
            loading.flush()
    loading.flush()
    index.prepare()


class _Route:
    """A node while documents are walked: the numbers gathered for each of its keys, and the routes below it."""

    __slots__ = ("keys", "members", "node", "text_length_max")

    def __init__(self, node: PathIndex) -> None:
        self.node = node
        self.text_length_max = node.text_length_max
        self.keys: defaultdict[Key, list[int]] = defaultdict(list)
        self.members: dict[str, _Route] = {}

    def open(self, name: str) -> "_Route | None":
        """The route to a member that is met for the first time; None where the index has no node for it."""
        child = self.node.child(name)
        if child is None:
            return None
        route = self.members[name] = _Route(child)
        return route


class Loading:
    """The documents walked since the last flush. Until then nobody may ask the index, nor change it otherwise."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._taken: list[int] = []
        self._root = _Route(index.root)
        self._elements = {node: _Route(own.root) for node, own in index.elements.items()}

    def take(self, number: int, document: Document) -> None:
        """Walk one document."""
        self._taken.append(number)
        self._object(self._root, document, number, apart=True)

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

    def _object(self, route: _Route, document: Document, number: int, *, apart: bool) -> None:
        # This loop is where loading spends its time: it is run some two hundred times for a document.
        members = route.members
        for name, member in document.items():
            below = members.get(name) or route.open(name)
            if below is None:
                continue
            kind = type(member)
            if kind is int or kind is float:
                below.keys[member].append(number)  # type: ignore[index]
            elif kind is str:
                if len(member) <= below.text_length_max:  # type: ignore[arg-type]
                    below.keys[member].append(number)  # type: ignore[index]
                else:
                    below.keys[LONG].append(number)
                    below.keys[digest_of(member)].append(number)  # type: ignore[arg-type]
            elif kind is dict:
                below.keys[OBJECT].append(number)
                self._object(below, member, number, apart=apart)  # type: ignore[arg-type]
            elif kind is list:
                self._array(below, member, number, apart=apart)  # type: ignore[arg-type]
            else:
                below.keys[scalar_key(member, below.text_length_max)].append(number)

    def _array(self, route: _Route, elements: list[Value], number: int, *, apart: bool) -> None:
        keys, node = route.keys, route.node
        kinds = set(map(type, elements))
        is_flat = kinds.isdisjoint(CONTAINERS)
        is_apart = apart and node.elements_apart
        values_max = node.budget.limits.indexed_array_values_max
        if not is_apart and (len(elements) > values_max if is_flat else holds_more_than(values_max, elements)):
            for key in keys_of_broad(elements):
                keys[key].append(number)
            return
        if kinds == OBJECTS:
            for mark in (ARRAY, size_mark(len(elements)), OBJECT):
                keys[mark].append(number)
        else:
            for key in set(keys_of(elements, route.text_length_max)):
                keys[key].append(number)
        if is_flat:
            if is_apart:
                self._index.elements[node].take(number, elements)
            return
        if is_apart:
            own, its_route = self._index.elements[node], self._elements[node]
            for its_number, element in zip(own.take(number, elements), elements, strict=True):
                if type(element) is dict:
                    self._object(its_route, element, its_number, apart=False)
            return
        for element in elements:
            if type(element) is dict:
                self._object(route, element, number, apart=False)

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


def _flush_keys(route: _Route) -> None:
    """Add the numbers of each key to its posting, and all of them to that of ``PRESENT``."""
    keys, node = route.keys, route.node
    if keys and node.indexed:
        keys[PRESENT] = list(chain.from_iterable(keys.values()))
        for key, numbers in keys.items():
            node.add_all(key, numbers)
        if node.column is not None:
            _follow_numbers(node, keys)
    keys.clear()


def _follow_numbers(node: PathIndex, keys: Mapping[Key, Sequence[int]]) -> None:
    """Set the numbers of the documents that came in the column."""
    values: defaultdict[int, list[float]] = defaultdict(list)
    for key, numbers in keys.items():
        if isinstance(key, (int, float)):
            for number in numbers:
                values[number].append(key)
    for number, its_values in values.items():
        set_numbers(node, number, its_values)
