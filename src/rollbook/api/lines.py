"""Lines out of a body that is read while it arrives.

One rule: a line is bounded, not the body. One that is longer than it may be is passed over, and said to be.
"""

from collections.abc import AsyncIterator

from msgspec import Struct


class Line(Struct, frozen=True):
    """A line and its number, from 1. ``text`` None: it was longer than a line may be."""

    number: int
    text: bytes | None


async def groups_of_lines(chunks: AsyncIterator[bytes], *, line_bytes_max: int) -> AsyncIterator[list[Line]]:
    """The lines that are not blank, those that have arrived together in one list."""
    parts: list[bytes] = []
    size_bytes, number, is_too_long = 0, 1, False
    async for chunk in chunks:
        lines: list[Line] = []
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            is_too_long = is_too_long or size_bytes + len(end) > line_bytes_max
            text = None if is_too_long else b"".join([*parts, end])
            if text is None or text.strip():
                lines.append(Line(number, text))
            parts, size_bytes, is_too_long = [], 0, False
            number += 1
        size_bytes += len(rest)
        is_too_long = is_too_long or size_bytes > line_bytes_max
        parts = [] if is_too_long else [*parts, rest]
        if lines:
            yield lines
    text = b"".join(parts)
    if is_too_long or text.strip():
        yield [Line(number, None if is_too_long else text)]
