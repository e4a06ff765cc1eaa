"""Keys: what a document contributes to the index of one path.

Theory: a filter on a path meets several values in one document: the value itself, and when it is an array, the array
and each of its elements. A string or a number is its own key; a long string's key is its digest, for long strings are
mostly unique, and would weigh more than they help. Everything else that filters ask for is a mark. What one document
contributes is a set: ``["gpu", "gpu"]`` counts once. Since ``5 == 5.0`` in Python as in MongoDB, and since booleans
have marks of their own, equal keys are equal values (digests: almost surely) and the reverse.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import TypeAlias

from rollbook.documents.values import Value


class TypeTag:
    """A key that is no string and no number. Marks are equal only to themselves."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


Key: TypeAlias = str | int | float | bytes | TypeTag

DIGEST_BYTES = 8

PRESENT = TypeTag("present")
"""There is a value, whatever it is."""
NULL = TypeTag("null")
TRUE = TypeTag("true")
FALSE = TypeTag("false")
OBJECT = TypeTag("object")
"""There is an object: the value itself, or an element of it."""
ARRAY = TypeTag("array")
"""The value is an array."""
NESTED = TypeTag("nested array")
"""The value is an array that holds an array."""
EMPTY_ARRAY = TypeTag("empty array")
"""The value is an empty array, or an array that holds one."""
LONG = TypeTag("long string")
"""There is a string too long to be a key itself."""

UNKNOWN = TypeTag("not indexed")
"""There is an array with more values than are indexed: what else it would contribute, here and below, is unknown."""

MARKS = (PRESENT, NULL, TRUE, FALSE, OBJECT, ARRAY, NESTED, EMPTY_ARRAY, LONG, UNKNOWN)

_BY_NAME = {mark.name: mark for mark in MARKS}

_sizes: dict[int, TypeTag] = {}

_SIZE = "size "


def size_mark(size: int) -> TypeTag:
    """The mark of arrays with ``size`` elements."""
    mark = _sizes.get(size)
    if mark is None:
        mark = _sizes[size] = TypeTag(f"{_SIZE}{size}")
    return mark


def size_of(mark: TypeTag) -> int | None:
    """The size that a mark stands for; None when it is no mark of a size."""
    return int(mark.name[len(_SIZE) :]) if mark.name.startswith(_SIZE) else None


def mark_named(name: str) -> TypeTag:
    """The mark with this name. Refuses (KeyError) a name that no mark has."""
    return size_mark(int(name[len(_SIZE) :])) if name.startswith(_SIZE) else _BY_NAME[name]


def scalar_key(value: Value, text_length_max: int) -> Key:
    """The key of a value that is no array: objects are all one to the index, and long strings have a digest."""
    kind = type(value)
    if kind is str:
        return value if len(value) <= text_length_max else digest_of(value)  # type: ignore[arg-type, return-value]
    if kind is bool:
        return TRUE if value else FALSE
    if value is None:
        return NULL
    if kind is dict:
        return OBJECT
    return value  # type: ignore[return-value]


def digest_of(text: str) -> bytes:
    """The key of a long string."""
    return blake2b(text.encode(), digest_size=DIGEST_BYTES).digest()


def keys_of(value: Value, text_length_max: int) -> Iterator[Key]:
    """Every key of a value at its path; what its members contribute belongs to their own paths."""
    yield PRESENT
    if type(value) is not list:
        yield from _keys_of_one(value, text_length_max)
        return
    yield ARRAY
    yield size_mark(len(value))
    if not value:
        yield EMPTY_ARRAY
    for element in value:
        if type(element) is list:
            yield NESTED
            if not element:
                yield EMPTY_ARRAY
        else:
            yield from _keys_of_one(element, text_length_max)


def keys_of_broad(array: list[Value]) -> Iterator[Key]:
    """The keys of an array with more values than are indexed."""
    yield from (PRESENT, ARRAY, UNKNOWN, size_mark(len(array)))


def _keys_of_one(value: Value, text_length_max: int) -> tuple[Key, ...]:
    key = scalar_key(value, text_length_max)
    return (LONG, key) if type(key) is bytes else (key,)
