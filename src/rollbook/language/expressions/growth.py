"""How expressions are kept from making and doing too much: they count here what they make and what they go through.

One rule: size is judged before memory is taken or time is spent. A value may hold another many times over without using
memory (``["$$a", "$$a"]``, and so on, doubles at each step), so who goes to a value's leaves asks first: ``walk`` or
``key_of``.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from rollbook.documents.ordering import SortKey, sort_key
from rollbook.documents.values import Maybe
from rollbook.errors import WorkExceeded
from rollbook.limits import DEFAULT_LIMITS, RequestBudget

ELEMENT_BYTES = 16
VALUE_BYTES_MAX = DEFAULT_LIMITS.value_bytes_max

_Item = TypeVar("_Item")


def make_room(work: RequestBudget, size_bytes: int) -> None:
    """Count a value that is about to be made; refuses (WorkExceeded) when it, or all of them, are too large."""
    if size_bytes > VALUE_BYTES_MAX:
        raise _too_large()
    work.allocate(size_bytes)
    work.spend(1 + (size_bytes >> 10))


def make_elements(work: RequestBudget, count: int) -> None:
    """Count an array or object of ``count`` elements that is about to be made."""
    make_room(work, count * ELEMENT_BYTES)


def counted(items: Iterable[_Item], bytes_of: Callable[[_Item], int], work: RequestBudget) -> Iterator[_Item]:
    """The items that a value is made of one by one; refuses (WorkExceeded) as soon as the value becomes too large."""
    bytes_left = VALUE_BYTES_MAX
    for item in items:
        size_bytes = bytes_of(item)
        bytes_left -= size_bytes
        if bytes_left < 0:
            raise _too_large()
        make_room(work, size_bytes)
        yield item


def read(work: RequestBudget, text: str) -> None:
    """Count the work of going through a text."""
    work.spend(1 + (len(text) >> 10))


def walk(work: RequestBudget, value: Maybe) -> None:
    """Count the work of going to the leaves of a value; refuses (WorkExceeded) what is too large or too deep."""
    work.spend(1 + check_size(value) // ELEMENT_BYTES)


def key_of(value: Maybe) -> SortKey:
    """The value's place in MongoDB's order; refuses (WorkExceeded) what is too large or too deep to be walked."""
    if isinstance(value, (list, dict)):
        check_size(value)
    return sort_key(value)


def check_size(value: Maybe) -> int:
    """The size in bytes, as if nothing were shared; refuses (WorkExceeded) what no document may be as large or as deep.

    Does not recurse, and stops where it has seen too much.
    """
    size_bytes = 0
    level: list[Maybe] = [value]
    for _ in range(DEFAULT_LIMITS.body_depth_max):
        following: list[Maybe] = []
        for container in level:
            if isinstance(container, str):
                size_bytes += len(container)
            elif isinstance(container, (dict, list)):
                size_bytes += ELEMENT_BYTES * len(container)
                members = container.values() if isinstance(container, dict) else container
                following += [member for member in members if isinstance(member, (str, dict, list))]
            if size_bytes > VALUE_BYTES_MAX:
                raise _too_large()
        if not following:
            return size_bytes
        level = following
    raise WorkExceeded("an expression makes a value that is nested too deeply", mongo_code=15)


def _too_large() -> WorkExceeded:
    return WorkExceeded("an expression makes a value larger than a document may be", mongo_code=10334)
