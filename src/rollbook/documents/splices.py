"""The difference of two bodies as splices: what was cut out where, and what was put there.

A heartbeat changes a few bytes of a document of many kilobytes; the journal keeps those bytes, and can walk from any
version to the next or back. A splice never cuts a UTF-8 character in two, so its texts are texts.

Theory: one splice reaches from the first difference to the last. A node that joins a large cluster changes the count
before the list, the list, and the totals after it, with megabytes between that are the same; so where one splice would
be long, it is parted at the stretches that both bodies share. They are found by looking for a few bytes that follow a
difference near the same place in the other body. Which of them are found is a matter of size alone: any splices that
lead from the one body to the other are right.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

PARTED_FROM_BYTES = 4096
"""Shorter splices are left as they are."""

SPLICES_MAX = 16
WINDOW_BYTES = 64 * 1024
PROBE_BYTES = 48
PROBES_AT = (0, 64, 512, 1_024, 4_096)
STRETCH_BYTES_MIN = 512
"""What both bodies share in between has to be so long."""

BLOCK_BYTES = 64 * 1024


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


class _Range(NamedTuple):
    """A part of the body before that gives way to a part of the body after."""

    before: int
    before_end: int
    after: int
    after_end: int

    @property
    def size_bytes(self) -> int:
        return self.before_end - self.before + self.after_end - self.after


def splice_between(before: bytes, after: bytes) -> Splice:
    """The smallest single splice that makes ``after`` of ``before``, both UTF-8."""
    return _splice(before, after, _trimmed(before, after, _Range(0, len(before), 0, len(after))))


def splices_between(before: bytes, after: bytes) -> list[Splice]:
    """Splices that make ``after`` of ``before``, both UTF-8, when they are applied in their order."""
    rest = _trimmed(before, after, _Range(0, len(before), 0, len(after)))
    found: list[Splice] = []
    while rest.size_bytes >= PARTED_FROM_BYTES and len(found) < SPLICES_MAX - 1:
        stretch = _stretch_in(before, after, rest)
        if stretch is None:
            break
        found.append(_splice(before, after, rest._replace(before_end=stretch[0], after_end=stretch[1])))
        rest = _trimmed(before, after, rest._replace(before=stretch[0], after=stretch[1]))
    return [*found, _splice(before, after, rest)]


def _splice(before: bytes, after: bytes, parts: _Range) -> Splice:
    return Splice(parts.after, before[parts.before : parts.before_end], after[parts.after : parts.after_end])


def _trimmed(before: bytes, after: bytes, parts: _Range) -> _Range:
    """The parts without what is the same at their beginnings and at their ends, no character cut in two."""
    most = min(parts.before_end - parts.before, parts.after_end - parts.after)
    kept = _common_prefix(before, parts.before, after, parts.after, most)
    while kept and (_inside_character(before, parts.before + kept) or _inside_character(after, parts.after + kept)):
        kept -= 1
    kept_at_end = _common_suffix(before, parts.before_end, after, parts.after_end, most - kept)
    while kept_at_end and _inside_character(before, parts.before_end - kept_at_end):
        kept_at_end -= 1
    return _Range(
        parts.before + kept, parts.before_end - kept_at_end, parts.after + kept, parts.after_end - kept_at_end
    )


def apply_all(body: bytearray, splices: Sequence[Splice]) -> None:
    """Make of a body the later one, in place. Refuses (ValueError) a body that they were not made from."""
    for splice in splices:
        undo(body, splice.start, splice.inserted, splice.removed)


def undo_all(body: bytearray, splices: Sequence[Splice]) -> None:
    """Make of a body the earlier one, in place. Refuses (ValueError) a body that they did not make."""
    for splice in reversed(splices):
        undo(body, splice.start, splice.removed, splice.inserted)


def undo(body: bytearray, start: int, removed: bytes, inserted: bytes) -> None:
    """As ``Splice.undone``, in place: walks over many splices copy only what differs."""
    end = start + len(inserted)
    _check(body[start:end], inserted, start)
    body[start:end] = removed


def _stretch_in(before: bytes, after: bytes, parts: _Range) -> tuple[int, int] | None:
    """Where in both parts the longest stretch begins that is found in both; None when none is found."""
    best: tuple[int, int] | None = None
    longest = STRETCH_BYTES_MIN - 1
    for at in PROBES_AT:
        for place, other_place in _probed(before, after, parts, at):
            start, other_start = _begin_of_stretch(before, place, after, other_place, parts)
            most = min(parts.before_end - start, parts.after_end - other_start)
            shared = _common_prefix(before, start, after, other_start, most)
            if shared > longest:
                longest, best = shared, (start, other_start)
        if longest >= WINDOW_BYTES:
            break
    return best


def _probed(before: bytes, after: bytes, parts: _Range, at: int) -> Iterator[tuple[int, int]]:
    """Where in the one part and in the other the same few bytes stand: those that stand ``at`` in one of them."""
    if parts.after + at + PROBE_BYTES <= parts.after_end:
        probe = after[parts.after + at : parts.after + at + PROBE_BYTES]
        found = before.find(probe, parts.before, min(parts.before_end, parts.before + WINDOW_BYTES))
        if found >= 0:
            yield found, parts.after + at
    if parts.before + at + PROBE_BYTES <= parts.before_end:
        probe = before[parts.before + at : parts.before + at + PROBE_BYTES]
        found = after.find(probe, parts.after, min(parts.after_end, parts.after + WINDOW_BYTES))
        if found >= 0:
            yield parts.before + at, found


def _begin_of_stretch(before: bytes, place: int, after: bytes, other_place: int, parts: _Range) -> tuple[int, int]:
    """Where the stretch around two equal places begins, never within a character."""
    back = _common_suffix(before, place, after, other_place, min(place - parts.before, other_place - parts.after))
    while _inside_character(before, place - back):
        back -= 1
    return place - back, other_place - back


def _replaced(body: bytes, start: int, old: bytes, new: bytes) -> bytes:
    end = start + len(old)
    _check(body[start:end], old, start)
    return body[:start] + new + body[end:]


def _check(found: bytes | bytearray, expected: bytes, start: int) -> None:
    if found != expected:
        raise ValueError(f"the body does not hold the expected text at byte {start}")


def _common_prefix(left: bytes, start: int, right: bytes, other_start: int, most: int) -> int:
    """How many bytes are the same from two places on, of ``most``: by blocks, then by halving, as memory is fast."""
    low = 0
    while low < most:
        high = min(low + BLOCK_BYTES, most)
        if left[start + low : start + high] != right[other_start + low : other_start + high]:
            break
        low = high
    high = min(low + BLOCK_BYTES, most)
    while low < high:
        middle = (low + high + 1) // 2
        if left[start + low : start + middle] == right[other_start + low : other_start + middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_suffix(left: bytes, end: int, right: bytes, other_end: int, most: int) -> int:
    """How many bytes are the same up to two places, of ``most``."""
    low = 0
    while low < most:
        high = min(low + BLOCK_BYTES, most)
        if left[end - high : end - low] != right[other_end - high : other_end - low]:
            break
        low = high
    high = min(low + BLOCK_BYTES, most)
    while low < high:
        middle = (low + high + 1) // 2
        if left[end - middle : end - low] == right[other_end - middle : other_end - low]:
            low = middle
        else:
            high = middle - 1
    return low


def _inside_character(body: bytes, position: int) -> bool:
    return position < len(body) and body[position] & 0xC0 == 0x80
