"""The index as a tree of paths. The node of a path holds, for each key, the documents that contribute it.

One rule: what is not indexed is known. Where a bound keeps a member out, its parent is ``overflowed``; where a string
is too long to be a key itself, ``LONG`` has the document; where an array has too many values, ``UNKNOWN`` has it. A
plan never takes "not indexed" for "not there".
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pyroaring import BitMap

from rollbook.documents.paths import Path
from rollbook.limits import DEFAULT_LIMITS, Limits
from rollbook.view.index.columns import Column
from rollbook.view.index.keys import Key
from rollbook.view.index.ordered import OrderedKeys
from rollbook.view.index.pairs import PairsKept
from rollbook.view.index.postings import Posting, bitmap_of
from rollbook.view.index.unique_digests import UniqueDigests


class IndexBounds:
    """How many paths one index may still have, and the other bounds on it.

    Below the paths ``only_digests`` all strings are treated as long ones are.
    """

    __slots__ = ("_only_digests", "apart", "limits", "paths_left")

    def __init__(self, limits: Limits = DEFAULT_LIMITS, *, only_digests: Iterable[Path] = ()) -> None:
        self.limits = limits
        self.paths_left = limits.indexed_paths_max
        self._only_digests = tuple(only_digests)
        self.apart: set[Path] = set()
        """The paths of documents at which the elements of arrays have an index of their own, however many there are."""

    def only_digests_at(self, path: Path) -> bool:
        """Whether strings at ``path`` are no keys themselves, however short."""
        return any(path[: len(above)] == above for above in self._only_digests)


class PathIndex:
    """The index of one path: ``postings`` by key, and ``children`` by the next component.

    One rule: a digest that one document alone has is no key of ``postings``, but one of ``lone_digests``.
    """

    __slots__ = (
        "budget",
        "children",
        "column",
        "elements_apart",
        "indexed",
        "lone_digests",
        "numbers",
        "overflowed",
        "pairs",
        "path",
        "postings",
        "text_length_max",
        "texts",
        "twin",
        "without_column",
    )

    def __init__(self, path: Path, budget: IndexBounds, *, twin: "PathIndex | None" = None) -> None:
        self.path = path
        self.budget = budget
        self.twin = twin
        """In an index of elements: the same path in the index of documents."""
        self.elements_apart = False
        """The elements of the arrays at this path have an index of their own."""
        self.text_length_max = 0 if budget.only_digests_at(path) else budget.limits.indexed_text_length_max
        """Longer strings are not keys themselves."""
        self.indexed = True
        """Whether the postings are kept; where they are not, this path is only walked."""
        self.children: dict[str, PathIndex] = {}
        self.postings: dict[Key, Posting] = {}
        self.lone_digests = UniqueDigests()
        self.overflowed = False
        self.texts: OrderedKeys[str] | None = None
        self.numbers: OrderedKeys[float] | None = None
        self.column: Column | None = None
        self.without_column = False
        """Some number here does not fit a column."""
        self.pairs: PairsKept | None = None
        """The postings turned around, as they are now; every change of them takes it away, after it."""

    def get(self, key: Key) -> BitMap:
        """The documents with this key, to read only."""
        return bitmap_of(self.posting(key))

    def posting(self, key: Key) -> Posting | None:
        """The documents with this key, to read only; None where there are none."""
        posting = self.postings.get(key)
        return self.lone_digests.get(key) if posting is None and isinstance(key, bytes) else posting

    def set(self, key: Key, posting: Posting) -> None:
        """The documents with ``key`` are these now: one, or several."""
        if not isinstance(key, bytes):
            self.postings[key] = posting
        elif isinstance(posting, int):
            self.postings.pop(key, None)
            self.lone_digests.add(key, posting)
        else:
            self.lone_digests.discard(key)
            self.postings[key] = posting

    def child(self, name: str) -> "PathIndex | None":
        """The node of a member, made when there is none; None when a bound keeps it out, or no filter can name it."""
        child = self.children.get(name)
        if child is not None or "." in name:
            return child
        twin = None if self.twin is None else self.twin.child(name)
        if twin is None and (self.twin is not None or not self._may_grow()):
            self.overflowed = True
            return None
        child = self.children[name] = PathIndex((*self.path, name), self.budget, twin=twin)
        return child

    def _may_grow(self) -> bool:
        """Whether the bounds allow another child. They count the paths of documents; elements' paths go with them."""
        if self.budget.paths_left <= 0 or len(self.children) >= self.budget.limits.indexed_members_max:
            return False
        self.budget.paths_left -= 1
        return True

    def add(self, key: Key, number: int) -> None:
        """Document ``number`` has ``key``. Adding twice is harmless."""
        posting = self.posting(key)
        if posting is None:
            self.set(key, number)
            self._key_came(key)
        elif not isinstance(posting, int):
            posting.add(number)
        elif posting != number:
            self.set(key, BitMap((posting, number)))
        self.pairs = None

    def add_all(self, key: Key, numbers: Sequence[int]) -> None:
        """As ``add``, for each of some documents."""
        if len(numbers) == 1:
            self.add(key, numbers[0])
            return
        posting = self.posting(key)
        if isinstance(posting, BitMap):
            posting.update(numbers)
            self.pairs = None
            return
        came = BitMap(numbers if posting is None else (posting, *numbers))
        self.set(key, came if len(came) > 1 else came[0])
        if posting is None:
            self._key_came(key)
        self.pairs = None

    def add_keys(self, keys: Mapping[Key, Sequence[int]]) -> None:
        """As ``add_all``, for each of some keys."""
        postings = self.postings
        digests: dict[bytes, int] = {}
        is_unordered = self.texts is None and self.numbers is None
        for key, numbers in keys.items():
            if len(numbers) > 1:
                self.add_all(key, numbers)
            elif type(key) is bytes and key not in postings:
                digests[key] = numbers[0]
            elif is_unordered and key not in postings:
                postings[key] = numbers[0]
            else:
                self.add(key, numbers[0])
        for digest, number in self.lone_digests.add_new(digests):
            self.add(digest, number)
        self.pairs = None

    def remove(self, key: Key, number: int) -> None:
        """Document ``number`` does not have ``key`` any more."""
        posting = self.posting(key)
        if isinstance(posting, int):
            if posting == number:
                self._drop(key)
        elif posting is not None:
            posting.discard(number)
            if len(posting) == 1:
                self.set(key, posting[0])
        self.pairs = None

    def ordered_texts(self) -> OrderedKeys[str]:
        """The strings among the keys, in order."""
        if self.texts is None:
            self.texts = OrderedKeys([key for key in self.postings if isinstance(key, str)])
        return self.texts

    def ordered_numbers(self) -> OrderedKeys[float]:
        """The numbers among the keys, in order."""
        if self.numbers is None:
            self.numbers = OrderedKeys([key for key in self.postings if isinstance(key, (int, float))])
        return self.numbers

    def _drop(self, key: Key) -> None:
        if isinstance(key, bytes):
            self.lone_digests.discard(key)
        else:
            del self.postings[key]
            self._key_went(key)

    def _key_came(self, key: Key) -> None:
        if isinstance(key, str):
            if self.texts is not None:
                self.texts.add(key)
        elif isinstance(key, (int, float)) and self.numbers is not None:
            self.numbers.add(key)

    def _key_went(self, key: Key) -> None:
        if isinstance(key, str):
            if self.texts is not None:
                self.texts.remove(key)
        elif isinstance(key, (int, float)) and self.numbers is not None:
            self.numbers.remove(key)


def nodes_below(node: PathIndex) -> Iterator[PathIndex]:
    """The node and all nodes below it."""
    yield node
    for child in node.children.values():
        yield from nodes_below(child)
