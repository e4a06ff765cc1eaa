"""The bounds of a stored document: how deep it is nested, and how many members one object has.

One rule: what an edit shares with the document before it, at the same place, was judged when it was stored. Only what
is new is looked at, and a document that exceeds a bound already may do so as far as it did.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

from rollbook.documents.codec import is_within
from rollbook.documents.sharing import shared_ends
from rollbook.documents.values import MISSING, Document, Maybe, Value
from rollbook.errors import DocumentInvalid, Problem, below
from rollbook.limits import Limits

Container: TypeAlias = dict[str, Value] | list[Value]

NO_DOCUMENT: Document = {}


def check_bounds(document: Document, *, before: Document = NO_DOCUMENT, limits: Limits) -> None:
    """Refuses (DocumentInvalid) nesting deeper, or an object wider, than the limits allow and ``before`` was.

    Does not recurse.
    """
    depth_max, members_max = limits.body_depth_max, limits.object_keys_max
    if before is NO_DOCUMENT and is_within(document, depth_max=depth_max, members_max=members_max):
        return
    measured = False
    for at, container, depth in _new_containers(document, before):
        is_wide = isinstance(container, dict) and len(container) > members_max
        if depth <= depth_max and not is_wide:
            continue
        if not measured:
            measured = True
            depth_before, members_before = _measures(before)
            depth_max, members_max = max(depth_max, depth_before), max(members_max, members_before)
        if depth > depth_max:
            raise _invalid(f"the document would be nested more than {depth_max} levels deep", at)
        if isinstance(container, dict) and len(container) > members_max:
            raise _invalid(f"an object would have {len(container)} members; the most is {members_max}", at)


def may_exceed(body: bytes, *, limits: Limits) -> bool:
    """Whether the document with this JSON may exceed a bound. False is certain, and found at the speed of memory."""
    return body.count(b"[") + body.count(b"{") > limits.body_depth_max or len(body) > limits.object_keys_max


class _Place:
    """A container to look at: how it is reached, what stood there before, and how deep it lies."""

    __slots__ = ("above", "before", "container", "depth", "name")

    def __init__(
        self, above: "_Place | None", name: str | int, container: Container, before: Maybe, depth: int
    ) -> None:
        self.above = above
        self.name = name
        self.container = container
        self.before = before
        self.depth = depth

    def pointer(self) -> str:
        """The JSON Pointer of the container."""
        names: list[str | int] = []
        place = self
        while place.above is not None:
            names.append(place.name)
            place = place.above
        at = ""
        for name in reversed(names):
            at = below(at, name)
        return at


def _new_containers(document: Document, before: Document) -> Iterator[tuple[_Place, Container, int]]:
    """The containers that do not stand where they stood in ``before``, each with its depth, the root's being 1."""
    waiting = [_Place(None, "", document, before, 1)]
    while waiting:
        place = waiting.pop()
        yield place, place.container, place.depth
        waiting += _inside(place)


def _inside(place: _Place) -> Iterator[_Place]:
    container, before, depth = place.container, place.before, place.depth + 1
    if isinstance(container, dict):
        stood = before if isinstance(before, dict) else {}
        for name, value in container.items():
            if isinstance(value, (dict, list)) and value is not (former := stood.get(name, MISSING)):
                yield _Place(place, name, value, former, depth)
        return
    if not isinstance(before, list):
        before = []
    start, end = shared_ends(before, container)
    known = {id(element) for element in before[start : len(before) - end]}
    for index, value in enumerate(container[start : len(container) - end], start):
        if isinstance(value, (dict, list)) and id(value) not in known:
            yield _Place(place, index, value, MISSING, depth)


def _measures(document: Document) -> tuple[int, int]:
    """How deep the document is nested, and how many members its widest object has."""
    depth = members = 0
    for _, container, level in _new_containers(document, NO_DOCUMENT):
        depth = max(depth, level)
        if isinstance(container, dict):
            members = max(members, len(container))
    return depth, members


def _invalid(problem: str, place: _Place) -> DocumentInvalid:
    at = place.pointer()
    return DocumentInvalid(problem, at=at, problems=[Problem(at, problem)])


def holds_more_than(values_max: int, container: Document | list[Value]) -> bool:
    """Whether there are more values in it, those in its members included. Looks at no more of them than it must."""
    left = values_max
    level: list[Any] = [container]
    while level:
        left -= sum(map(len, level))
        if left < 0:
            return True
        level = [
            member
            for value in level
            for member in (value.values() if type(value) is dict else value)
            if type(member) is dict or type(member) is list
        ]
    return False
