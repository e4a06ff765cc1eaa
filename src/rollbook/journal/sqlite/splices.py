"""The difference of two bodies as one splice: what was cut out where, and what was put there.

A heartbeat changes a few bytes of a document of many kilobytes; the journal keeps those bytes, and can walk from any
version to the next or back. A splice never cuts a UTF-8 character in two, so its texts are texts.
"""

from msgspec import Struct


class Splice(Struct, frozen=True):
    """Replace ``removed``, which stands at byte ``start``, by ``inserted``."""

    start: int
    removed: bytes
    inserted: bytes

    def applied(self, before: bytes) -> bytes:
        """The later body. Refuses (ValueError) a body that this splice was not made from."""
        return _replaced(before, self.start, self.removed, self.inserted)

    def undone(self, after: bytes) -> bytes:
        """The earlier body. Refuses (ValueError) a body that this splice did not make."""
        return _replaced(after, self.start, self.inserted, self.removed)


def splice_between(before: bytes, after: bytes) -> Splice:
    """The smallest splice that makes ``after`` of ``before``, both UTF-8."""
    start = _common_prefix(before, after)
    while start and (_inside_character(before, start) or _inside_character(after, start)):
        start -= 1
    kept = _common_suffix(before, after, at_most=min(len(before), len(after)) - start)
    while kept and _inside_character(before, len(before) - kept):
        kept -= 1
    return Splice(start, before[start : len(before) - kept], after[start : len(after) - kept])


def undo(body: bytearray, start: int, removed: bytes, inserted: bytes) -> None:
    """As ``Splice.undone``, in place: walks over many splices copy only what differs."""
    end = start + len(inserted)
    _check(body[start:end], inserted, start)
    body[start:end] = removed


def _replaced(body: bytes, start: int, old: bytes, new: bytes) -> bytes:
    end = start + len(old)
    _check(body[start:end], old, start)
    return body[:start] + new + body[end:]


def _check(found: bytes | bytearray, expected: bytes, start: int) -> None:
    if found != expected:
        raise ValueError(f"the body does not hold the expected text at byte {start}")


def _common_prefix(left: bytes, right: bytes) -> int:
    """How many leading bytes are the same: by halving, since comparing slices runs at the speed of memory."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_suffix(left: bytes, right: bytes, *, at_most: int) -> int:
    low, high = 0, at_most
    while low < high:
        middle = (low + high + 1) // 2
        if left[len(left) - middle : len(left) - low] == right[len(right) - middle : len(right) - low]:
            low = middle
        else:
            high = middle - 1
    return low


def _inside_character(body: bytes, position: int) -> bool:
    return position < len(body) and body[position] & 0xC0 == 0x80
