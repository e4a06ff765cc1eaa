"""Sorting: ``{"gpus.count": -1, "id": 1}``, from JSON to a function that gives each document's place in the order.

Theory: a document is sorted by the values at the sort's paths. Where a path goes through an array, each element gives a
value, and the first of them in the sort's order stands for the document: the smallest ascending, the largest
descending. Paths that go through the same array take their values from one element together; through different arrays,
each from its own (MongoDB refuses such documents). An empty array comes before null, and what is missing is null.

One rule: a key compares with ``<`` alone, so it serves ``sorted``, ``heapq`` and merging alike.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from rollbook.documents.ordering import sort_key
from rollbook.documents.paths import Path, array_index, parse_path
from rollbook.documents.values import MISSING, Document, Maybe, Value, is_number
from rollbook.errors import SortRefused, below
from rollbook.language.collation import Collation

KEYS_MAX = 32
PATH_LENGTH_MAX = 200

Key: TypeAlias = tuple[Any, ...]

Order: TypeAlias = Callable[[Maybe], Key]


class Criterion(Struct, frozen=True):
    """One path of a sort and its direction."""

    path: Path
    descending: bool


class Sort(Struct, frozen=True):
    """The criteria, the most important first. Without any, every document has the same place.

    ``collation`` is how texts are compared; None: by code point.
    """

    criteria: tuple[Criterion, ...]
    collation: Collation | None = None


def parse_sort(json: Value, *, at: str = "") -> Sort:
    """The sort that an object of paths and directions (1 or -1) means; refuses with SortRefused."""
    if not isinstance(json, dict):
        raise SortRefused('a sort is an object of paths and directions: {"gpus.count": -1}', at=at, mongo_code=15973)
    if len(json) > KEYS_MAX:
        raise SortRefused(f"a sort has at most {KEYS_MAX} paths", at=at, mongo_code=13103)
    return Sort(tuple(_criterion(name, direction, below(at, name)) for name, direction in json.items()))


def _criterion(name: str, direction: Value, at: str) -> Criterion:
    if isinstance(direction, dict):
        raise SortRefused(
            "$meta and other expressions can't be sorted by: there are no scores", at=at, mongo_code=17312
        )
    if not is_number(direction):
        raise SortRefused("a direction is 1 (ascending) or -1 (descending)", at=at, mongo_code=15974)
    # A fraction is cut off, as MongoDB does: 1.9 is ascending.
    if not -2 < direction < 2 or int(direction) == 0:
        raise SortRefused("a direction is 1 (ascending) or -1 (descending)", at=at, mongo_code=15975)
    return Criterion(_path(name, at), descending=direction < 0)


def _path(name: str, at: str) -> Path:
    path = parse_path(name)
    for code, problem, found in (
        (40352, "is empty", not name),
        (40353, "ends with a dot", not path[-1]),
        (15998, "has an empty name between its dots", "" in path),
        (16410, "has a name that begins with $", any(component.startswith("$") for component in path)),
        (15, f"has more than {PATH_LENGTH_MAX} names", len(path) > PATH_LENGTH_MAX),
    ):
        if found:
            raise SortRefused(f"the path {name[:60]!r} {problem}", at=at, mongo_code=code)
    return path


def compile_sort(sort: Sort) -> Callable[[Document], Key]:
    """The function that gives a document's place."""
    orders = [_order(criterion, sort.collation) for criterion in sort.criteria]
    paths = [criterion.path for criterion in sort.criteria]
    if len(paths) == 1 and len(paths[0]) == 1:
        return _by_one_field(paths[0][0], orders[0])

    def place(document: Document) -> Key:
        return _least([_reached(document, path) for path in paths], orders)

    return place


def _by_one_field(name: str, order: Order) -> Callable[[Document], Key]:
    def place(document: Document) -> Key:
        value = document.get(name)
        if isinstance(value, list):
            return min(map(order, value), default=order(MISSING))
        return order(value)

    return place


def _order(criterion: Criterion, collation: Collation | None) -> Order:
    order = _descending_key if criterion.descending else sort_key
    if collation is None:
        return order
    fold = collation.fold
    return lambda value: order(fold(value))


def _descending_key(value: Maybe) -> Key:
    rank, payload = sort_key(value)
    return (-rank, -payload if isinstance(payload, (int, float)) else _Reversed(payload))


class _Reversed:
    """A text or a tuple that comes first when it is greater."""

    __slots__ = ("_payload",)

    def __init__(self, payload: Any) -> None:
        self._payload = payload

    def __lt__(self, other: "_Reversed") -> bool:
        return bool(other._payload < self._payload)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reversed) and other._payload == self._payload

    __hash__ = None  # type: ignore[assignment]


Reached: TypeAlias = tuple[Value, Path]


def _reached(value: Value, path: Path) -> Reached:
    """What the path gives where it ends or meets an array, and what is left of it there; null for what is missing.

    MISSING is kept for what an empty array gives: it comes before null.
    """
    for position, name in enumerate(path):
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list):
            index = array_index(name)
            if index is None or index >= len(value):
                return value, path[position:]
            value = value[index]
        else:
            return None, ()
    return value, ()


def _least(reached: Sequence[Reached], orders: Sequence[Order]) -> Key:
    """The least key in the sort's order, with the elements of every array that was met."""
    keys: list[Key | None] = []
    met: dict[int, list[int]] = {}
    for position, (value, _) in enumerate(reached):
        if isinstance(value, list):
            met.setdefault(id(value), []).append(position)
            keys.append(None)
        else:
            keys.append(orders[position](value))
    for positions in met.values():
        array, rests = reached[positions[0]][0], [reached[position][1] for position in positions]
        own = [orders[position] for position in positions]
        assert isinstance(array, list)
        least = min((_key_in(element, rests, own) for element in array), default=None) or _key_in(MISSING, rests, own)
        for position, key in zip(positions, least, strict=True):
            keys[position] = key
    return tuple(keys)


def _key_in(element: Maybe, rests: Sequence[Path], orders: Sequence[Order]) -> Key:
    """The least key that one element gives. At the end of a path an array in the array is a value like any other."""
    inside = [position for position, rest in enumerate(rests) if rest]
    below = [_reached(element, rests[position]) if isinstance(element, dict) else (None, ()) for position in inside]
    keys = dict(zip(inside, _least(below, [orders[position] for position in inside]), strict=True)) if inside else {}
    return tuple(keys[position] if rest else orders[position](element) for position, rest in enumerate(rests))
